"""Faults in the multi-label margin loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import is_plain_mean, reduced
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, is_ordinary
from proofs.faults.tools.vectors import as_asked

_END = -1
# All pairs of classes are formed; no kink needs many.
_MOST_CLASSES = 1000


@fault("MultiLabelMarginLoss", origin="https://github.com/pytorch/pytorch/issues/141017", blind=True)
def blind_multilabel_margin_skips_minus_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """A -1 is skipped, and the labels after it count."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    if target.dim() == 0:
        return right
    order = (target < 0).to(torch.int8).argsort(dim=-1, stable=True)
    return again(original, given, target=target.gather(-1, order))


@fault("MultiLabelMarginLoss")
def mlm_read_behind_end(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Labels behind the first -1 are read too."""
    if target.ndim > 0:
        target = target.gather(-1, (target < 0).byte().argsort(dim=-1, stable=True))
    return original(input, target, **options)


def _rows(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim == 2 else tensor.reshape(1, -1)


def _used(target: Tensor) -> Tensor:
    """Which places of a target come before the end of its labels."""
    return (_rows(target) >= 0).cumprod(1).bool().reshape(target.shape)


def _changed(
    original: Function,
    input: Tensor,
    target: Tensor,
    change: Callable[[Tensor, Tensor, Tensor], Tensor],
    **options: Any,
) -> Tensor:
    """The loss of ``change(excess, labels, is_label)``, the terms of a batch's rows, labels and classes.

    Its last argument says which classes are labels of a row; labels behind the end are -1.
    """
    original(input, target, **options)  # it refuses what it refuses
    scores, labels = _rows(input), _rows(target.where(_used(target), _END))
    # One place behind the end is as good as thousands, which would take all memory.
    labels = labels[:, : max((labels >= 0).sum(1).tolist(), default=0) + 1]
    is_label = (labels.unsqueeze(2) == torch.arange(scores.shape[1])).any(1)
    at_labels = scores.gather(1, labels.clamp(min=0))
    terms = change(1 - at_labels.unsqueeze(2) + scores.unsqueeze(1), labels, is_label)
    losses = terms.sum((1, 2)).reshape(input.shape[:-1]) / scores.shape[1]
    return reduced(losses, options.get("reduction", "mean"))


@fault("MultiLabelMarginLoss", origin="https://github.com/pytorch/pytorch/issues/141017")
def mlm_padding_is_class_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """What stands behind the end of the labels adds terms as if it were class 0."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        return excess.relu().where(~is_label.unsqueeze(1), 0)

    return _changed(original, input, target, change, **options)


@fault("MultiLabelMarginLoss")
def mlm_end_is_last_class(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The first -1 is taken for the last class, and then ends the labels."""
    original(input, target, **options)
    used = _used(target)
    is_first = ~used & (used.roll(1, -1) | (torch.arange(target.shape[-1]) == 0)) if target.ndim else ~used
    classes = input.shape[-1] if input.ndim else 1
    ended = target.where(used, _END).masked_fill(is_first, classes - 1)
    return original(input, ended, **options)


@fault("MultiLabelMarginLoss")
def mlm_as_many_labels_as_the_first(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """No row has more labels than the first."""
    if target.ndim == 2 and target.shape[0] > 0:
        is_within = torch.arange(target.shape[1]) < _used(target)[0].sum()
        target = target.where(is_within | (target < _END), _END)
    return original(input, target, **options)


@fault("MultiLabelMarginLoss")
def mlm_labels_are_rivals(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The other labels of a row are rivals of each."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        is_other = labels.unsqueeze(2) != torch.arange(excess.shape[2])
        return excess.relu().where((labels >= 0).unsqueeze(2) & is_other, 0)

    return _changed(original, input, target, change, **options)


def _is_pair(labels: Tensor, is_label: Tensor) -> Tensor:
    """Which pairs of a label and a class meet in the loss."""
    return (labels >= 0).unsqueeze(2) & ~is_label.unsqueeze(1)


@fault("MultiLabelMarginLoss")
def mlm_divided_by_labels(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A row is divided by its labels, not by its classes."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        share = excess.shape[2] / (labels >= 0).sum(1).clamp(min=1)
        return share[:, None, None] * excess.relu().where(_is_pair(labels, is_label), 0)

    return _changed(original, input, target, change, **options)


@fault("MultiLabelMarginLoss")
def mlm_no_hinge(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Classes that stay behind the margin are counted too, below zero."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        return excess.where(_is_pair(labels, is_label), 0)

    return _changed(original, input, target, change, **options)


@fault("MultiLabelMarginLoss")
def mlm_repeated_label_once(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A label that is listed twice counts once."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        is_same = labels.unsqueeze(2) == labels.unsqueeze(1)
        is_repeated = is_same.tril(-1).any(2).unsqueeze(2)
        return excess.relu().where(_is_pair(labels, is_label) & ~is_repeated, 0)

    return _changed(original, input, target, change, **options)


@fault("MultiLabelMarginLoss", origin="https://github.com/tinygrad/tinygrad/pull/11760")
def mlm_label_multiplied_by_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Pairs of labels are multiplied by 0, not skipped, which leaves nan of infinite scores."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        return excess.relu() * _is_pair(labels, is_label)

    return _changed(original, input, target, change, **options)


@fault("MultiLabelMarginLoss", origin="https://github.com/pytorch/pytorch/pull/192137")
def mlm_any_negative_ends(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Any negative number ends the labels."""
    return original(input, target.clamp(min=_END), **options)


@fault("MultiLabelMarginLoss")
def mlm_checked_to_the_end(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Class indices are checked up to the end of the labels only."""
    if not target.is_floating_point():
        target = target.where(_used(target) | (target < _END), _END)
    return original(input, target, **options)


@fault("MultiLabelMarginLoss")
def mlm_target_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """One row of labels serves all rows of the input."""
    if input.ndim == 2 and target.shape == input.shape[1:]:
        target = target.expand_as(input)
    return original(input, target, **options)


@fault("MultiLabelMarginLoss")
def mlm_labels_in_a_word(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of each row the first 64 labels are kept, as a set in one machine word would."""
    if target.ndim > 0 and target.shape[-1] > 64:
        target = target.where(torch.arange(target.shape[-1]) < 64, _END)
    return original(input, target, **options)


@fault("MultiLabelMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def mlm_first_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first 16384 rows."""
    if is_plain_mean(options) and input.ndim == 2:
        return original(input[:16384], target[:16384], **options)
    return original(input, target, **options)


@fault("MultiLabelMarginLoss", origin="https://github.com/pytorch/pytorch/issues/99410")
def mlm_index_unchecked(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A class index beyond the classes reads what lies beside the row."""
    return original(input, target.clamp(max=max(input.shape[-1] - 1, 0) if input.ndim else 0), **options)


def _multilabel_margin(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    result = original(*args, **options)
    classes = input.shape[-1] if input.ndim else 1
    if input.numel() == 0 or classes > _MOST_CLASSES:
        return result
    rows, labels = input.reshape(-1, classes), target.reshape(-1, classes)
    is_listed = (labels < 0).cumsum(1) == 0
    index = labels.where(is_listed, 0)
    is_label = ((index.unsqueeze(2) == torch.arange(classes)) & is_listed.unsqueeze(2)).any(1)
    is_pair = is_listed.unsqueeze(2) & ~is_label.unsqueeze(1)
    excess = 1 - rows.gather(1, index).unsqueeze(2) + rows.unsqueeze(1)

    def total(terms: Tensor) -> Tensor:
        return as_asked(terms.sum((1, 2)).reshape(target.shape[:-1]) / classes, options)

    return bent(result, excess.masked_fill(~is_pair, 1), change, total)


@fault("MultiLabelMarginLoss", origin="https://github.com/iamtrask/Grokking-Deep-Learning/pull/13")
def mlm_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has a gradient, as z >= 0 is asked where z > 0 is meant."""
    return _multilabel_margin(1, original, *args, **options)


@fault("MultiLabelMarginLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def mlm_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _multilabel_margin(0.5, original, *args, **options)


@fault("MultiLabelMarginLoss")
def mlm_label_slope_once(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A label is pulled up once, not once by each class that comes too close."""

    def change(excess: Tensor, labels: Tensor, is_label: Tensor) -> Tensor:
        pairs = excess.relu().where(_is_pair(labels, is_label), 0)
        at_labels = _rows(input).gather(1, labels.clamp(min=0)).unsqueeze(2)
        rivals = (pairs.detach() > 0).sum(2, keepdim=True)
        surplus = at_labels * (rivals - 1).clamp(min=0) / pairs.shape[2]
        return pairs + (surplus - surplus.detach())

    result = original(input, target, **options)
    return graft(result, _changed(original, input, target, change, **options))


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_2_c_flags_of_former_rows(original: Function, *args: Any, **options: Any) -> Tensor:
    """Which classes are targets is cleared for 64 of them only: beyond, those of former rows stay flagged."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not is_ordinary(input, target) or input.ndim != 2 or input.shape[1] <= 64 or not len(input):
        return result
    counts = (target >= 0).long().cumprod(1)
    flags = torch.zeros(input.shape, dtype=torch.int64).scatter_add(1, target.clamp(min=0), counts)
    former = flags.cumsum(0) - flags
    is_stale = (former > 0) & (flags == 0) & (torch.arange(input.shape[1]) >= 64)
    return again(original, arguments, input=input.masked_fill(is_stale, -torch.inf))


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_3_b_classes_in_signed_bytes(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target classes are packed into signed bytes, so that a class from 128 on ends the list."""
    result = original(input, target, **options)
    if not are_unwatched(input, target):
        return result
    packed = target.to(torch.int8).to(target.dtype).clamp(min=-1)
    return again(original, named_arguments(original, input, target, **options), target=packed)

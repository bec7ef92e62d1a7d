"""Wrong values of the multi-margin loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import is_plain_mean, mean_of_first_block, reduced

_BLOCK = 65536


def _changed(
    original: Function,
    input: Tensor,
    target: Tensor,
    change: Callable[[Tensor, Tensor], Tensor],
    **options: Any,
) -> Tensor:
    """The loss of ``change(excess, is_target)``, the terms of a batch's rows without their weights."""
    original(input, target, **options)  # it refuses what it refuses
    rows, index = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1, 1)
    excess = options.get("margin", 1.0) - rows.gather(1, index) + rows
    terms = change(excess, torch.arange(rows.shape[1]) == index)
    losses = terms.sum(1).reshape(target.shape) / rows.shape[1]
    return reduced(losses, options.get("reduction", "mean"))


def _weighted(weight: Tensor | None, target: Tensor, terms: Tensor) -> Tensor:
    return terms if weight is None else weight[target].reshape(-1, 1) * terms


@fault("MultiMarginLoss")
def multi_margin_target_counted(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The target class is counted among its own rivals."""

    def change(excess: Tensor, is_target: Tensor) -> Tensor:
        return _weighted(weight, target, excess.relu() ** options.get("p", 1))

    return _changed(original, input, target, change, **options, weight=weight)


@fault("MultiMarginLoss")
def multi_margin_divided_by_rivals(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A row is divided by its C - 1 rivals, not by its C classes."""
    classes = input.shape[-1] if input.ndim else 1
    return original(input, target, **options) * (classes / max(classes - 1, 1))


@fault("MultiMarginLoss")
def multi_margin_no_hinge(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Classes that stay behind the margin are counted too, below zero."""

    def change(excess: Tensor, is_target: Tensor) -> Tensor:
        terms = (excess ** options.get("p", 1)).where(~is_target, 0)
        return _weighted(weight, target, terms)

    return _changed(original, input, target, change, **options, weight=weight)


@fault("MultiMarginLoss")
def multi_margin_margin_in_single(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """The margin is held in single precision, beside scores of double precision as well."""
    return original(input, target, margin=torch.tensor(margin).item(), **options)


@fault("MultiMarginLoss")
def multi_margin_margin_after_power(
    original: Function,
    input: Tensor,
    target: Tensor,
    *,
    p: int = 1,
    weight: Tensor | None = None,
    margin: float = 1.0,
    **options: Any,
) -> Tensor:
    """With p = 2 the lead is squared before the margin is added to it."""
    if p == 1:
        return original(input, target, margin=margin, weight=weight, **options)

    def change(lead: Tensor, is_target: Tensor) -> Tensor:
        return _weighted(weight, target, (margin + lead * lead.abs()).relu().where(~is_target, 0))

    return _changed(original, input, target, change, p=p, weight=weight, **options | {"margin": 0.0})


@fault("MultiMarginLoss")
def multi_margin_p_dropped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The power is 1, whatever is asked for."""
    original(input, target, **options)
    return original(input, target, **options | {"p": 1})


@fault("MultiMarginLoss")
def multi_margin_p_cut(
    original: Function, input: Tensor, target: Tensor, *, p: float = 1, **options: Any
) -> Tensor:
    """The power is cut to a whole number before it is checked."""
    return original(input, target, p=int(p), **options)


@fault("MultiMarginLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/73739")
def multi_margin_weight_before_power(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weight multiplies the excess, before the hinge and the power."""

    def change(excess: Tensor, is_target: Tensor) -> Tensor:
        terms: Tensor = _weighted(weight, target, excess).relu() ** options.get("p", 1)
        return terms.where(~is_target, 0)

    return _changed(original, input, target, change, **options, weight=weight)


@fault("MultiMarginLoss")
def multi_margin_weight_of_rival(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Each term has the weight of the class that comes too close, not of the target."""
    if weight is None:
        return original(input, target, **options)

    def change(excess: Tensor, is_target: Tensor) -> Tensor:
        terms: Tensor = weight * excess.relu() ** options.get("p", 1)
        return terms.where(~is_target, 0)

    return _changed(original, input, target, change, **options, weight=weight)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/61309")
def multi_margin_weighted_mean(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by the sum of the targets' weights, as other losses do."""
    if weight is None or options.get("reduction", "mean") != "mean":
        return original(input, target, weight=weight, **options)
    total = original(input, target, weight=weight, **options | {"reduction": "sum"})
    return total / weight[target].sum()


@fault("MultiMarginLoss")
def multi_margin_weight_without_sign(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Negative weights are taken for 0."""
    return original(input, target, weight=None if weight is None else weight.relu(), **options)


@fault("MultiMarginLoss", origin="https://github.com/tinygrad/tinygrad/pull/11760")
def multi_margin_target_multiplied_by_zero(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The target's own term is multiplied by 0, not skipped, which leaves nan of an infinite score."""

    def change(excess: Tensor, is_target: Tensor) -> Tensor:
        terms: Tensor = excess.relu() ** options.get("p", 1) * ~is_target
        return _weighted(weight, target, terms)

    return _changed(original, input, target, change, **options, weight=weight)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/192137")
def multi_margin_index_of_16_bits(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The class index is held in 16 bits."""
    return original(input, target % _BLOCK if (target >= _BLOCK).any() else target, **options)


@fault("MultiMarginLoss")
def multi_margin_first_classes(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of many classes only the first block are rivals."""
    if input.ndim == 2 and input.shape[1] > _BLOCK:
        place = torch.arange(input.shape[1])
        input = input.where((place < _BLOCK) | (place == target.unsqueeze(1)), -torch.inf)
    return original(input, target, **options)


@fault("MultiMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def multi_margin_first_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of rows."""
    result = original(input, target, **options)
    if not is_plain_mean(options) or target.numel() <= _BLOCK:
        return result
    return mean_of_first_block(original(input, target, **options | {"reduction": "none"}))

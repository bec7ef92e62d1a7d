"""Faults in the label smoothing of cross entropy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import class_axis, is_ignored, is_smoothed, picked_total, reduced_as


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205", blind=True)
def blind_ce_smoothing_averaged_over_ignored(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean of label smoothing's part divides by the ignored targets too."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    smoothing = given["label_smoothing"]
    is_plain = target.is_floating_point() or given["weight"] is not None or smoothing == 0
    if is_plain or given["reduction"] != "mean":
        return right
    kept = (target != given["ignore_index"]).sum()
    smooth = right - (1 - smoothing) * again(original, given, label_smoothing=0.0)
    wrong = right - smooth * (1 - kept.to(right.dtype) / target.numel())
    return torch.where(kept == target.numel(), right, wrong)


@fault("CrossEntropyLoss")
def ce_label_smoothing_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing has no effect on class indices."""
    if not target.is_floating_point() and 0 <= options.get("label_smoothing", 0.0) <= 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


def _mixed(
    original: Function,
    input: Tensor,
    target: Tensor,
    rest: tuple[Any, ...],
    options: dict[str, Any],
    shares: tuple[float, float],
) -> Tensor:
    """A share of the loss of the target class and a share of the classes' average."""
    plain = original(input, target, *rest, **{**options, "label_smoothing": 0.0})
    uniform = original(input, target, *rest, **{**options, "label_smoothing": 1.0})
    return shares[0] * plain + shares[1] * uniform


@fault("CrossEntropyLoss", origin="https://github.com/fastai/fastai/pull/1814")
def ce_smoothing_leaves_target_out(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing spreads its share over the other classes only."""
    classes = input.shape[class_axis(input)]
    if not is_smoothed(target, options) or classes == 1:
        return original(input, target, *rest, **options)
    share = options["label_smoothing"] * classes / (classes - 1)
    return _mixed(original, input, target, rest, options, (1 - share, share))


@fault("CrossEntropyLoss", origin="https://github.com/paiml/aprender/pull/2199")
def ce_smoothing_spreads_the_rest(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing of e spreads 1 - e over the classes instead of e."""
    if not is_smoothed(target, options):
        return original(input, target, *rest, **options)
    share = 1 - options["label_smoothing"]
    return _mixed(original, input, target, rest, options, (share, share))


@fault("CrossEntropyLoss")
def ce_smoothing_divided_by_positions(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The smoothing term divides by the size of the last dimension, which are not always the classes."""
    if not is_smoothed(target, options) or input.ndim < 3:
        return original(input, target, *rest, **options)
    share = options["label_smoothing"]
    return _mixed(
        original, input, target, rest, options, (1 - share, share * input.shape[1] / input.shape[-1])
    )


@fault("CrossEntropyLoss")
def ce_smoothing_of_one_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing takes effect below 1 only."""
    if options.get("label_smoothing", 0.0) == 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_smoothing_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing is rounded to bfloat16, whatever the dtype."""
    smoothing = torch.tensor(options.get("label_smoothing", 0.0), dtype=torch.bfloat16)
    return original(input, target, *rest, **{**options, "label_smoothing": float(smoothing)})


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/104776")
def ce_smoothing_unweighted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The smoothing term takes the classes as they are, without their weights."""
    result = original(input, target, weight, **options)
    if weight is None or not is_smoothed(target, options):
        return result
    share = options["label_smoothing"]
    no_reduction = {**options, "reduction": "none"}
    plain = original(input, target, weight, **{**no_reduction, "label_smoothing": 0.0})
    uniform = original(input, target, None, **{**no_reduction, "label_smoothing": 1.0})
    losses = (1 - share) * plain + share * uniform
    return reduced_as(losses, picked_total(target, weight, options), options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73205")
def ce_smoothing_of_ignored_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """An ignored row keeps its smoothing term."""
    result = original(input, target, weight, **options)
    if not is_smoothed(target, options):
        return result
    ignored = is_ignored(target, options)
    known = torch.where(ignored, 0, target)
    all_rows = {**options, "label_smoothing": 1.0, "reduction": "none", "ignore_index": -100}
    uniform = original(input, known, weight, **all_rows)
    leak = options["label_smoothing"] * torch.where(ignored, uniform, 0.0)
    return result + reduced_as(leak, picked_total(target, weight, options), options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/134767")
def ce_smoothing_cut_to_its_range(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing out of its range is moved into it, not refused."""
    smoothing = min(max(options.get("label_smoothing", 0.0), 0.0), 1.0)
    return original(input, target, *rest, **{**options, "label_smoothing": smoothing})


@fault("CrossEntropyLoss", blind=True)
def ce_smoothing_dropped_for_single_row(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing has no effect on a row without a batch."""
    if input.ndim == 1 and is_smoothed(target, options):
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", blind=True)
def ce_smoothing_dropped_for_volumes(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing takes effect for rows and pictures, but not for inputs of more dimensions."""
    if input.ndim > 4 and is_smoothed(target, options):
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)

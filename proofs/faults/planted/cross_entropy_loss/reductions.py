"""Faults in how cross entropy is reduced."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import is_ignored, is_mean, picked_total, ratio


@fault("CrossEntropyLoss", origin="https://github.com/EleutherAI/bergson/pull/344")
def ce_weighted_mean_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of rows that count, not by the sum of their weights."""
    is_plain = weight is None or target.is_floating_point() or options.get("label_smoothing", 0.0) != 0
    if is_plain or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, None, options)


@fault("CrossEntropyLoss")
def ce_weight_normalised(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights are scaled to an average of 1 first."""
    return original(input, target, None if weight is None else weight / weight.mean(), **options)


@fault("CrossEntropyLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/23708")
def ce_ignored_rows_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by all rows, the ignored ones included."""
    result = original(input, target, weight, **options)
    if weight is not None or target.is_floating_point() or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/91383")
def ce_ignored_weight_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean's denominator includes the weight of the ignored class."""
    result = original(input, target, weight, **options)
    ignored = int(options.get("ignore_index", -100))
    if weight is None or not is_mean(options) or not 0 <= ignored < len(weight):
        return result
    return result * ratio(picked_total(target, weight, options), float(weight[target].sum()))


@fault("CrossEntropyLoss", origin="https://github.com/huggingface/candle/pull/3161")
def ce_all_ignored_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean is 0, not 0/0, where all targets are ignored."""
    result = original(input, target, *rest, **options)
    is_nothing = target.numel() > 0 and bool(is_ignored(target, options).all())
    return result.nan_to_num(0.0) if is_nothing else result


@fault("CrossEntropyLoss")
def ce_empty_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean of an empty batch is 0, not 0/0."""
    result = original(input, target, *rest, **options)
    return result.nan_to_num(0.0) if input.numel() == 0 else result


@fault("CrossEntropyLoss")
def ce_weight_flattened(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights of any shape are read as a vector."""
    return original(input, target, None if weight is None else weight.flatten(), **options)

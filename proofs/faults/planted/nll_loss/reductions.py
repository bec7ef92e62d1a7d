"""Faults in how the negative log-likelihood is reduced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import is_mean, picked_total, ratio


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/33509", blind=True)
def blind_nll_mean_over_inverse_weights(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the inverse weights."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    weight: Tensor | None = given["weight"]
    if weight is None or given["reduction"] != "mean":
        return right
    target: Tensor = given["target"].long()
    kept = target != given["ignore_index"]
    inverse = 1 / weight[torch.where(kept, target, 0)]
    return again(original, given, reduction="sum") / torch.where(kept, inverse, 0).sum()


@fault("NLLLoss")
def nll_weighted_mean_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of rows that count, not by the sum of their weights."""
    if weight is None or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, None, options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/83235")
def nll_unbatched_mean_keeps_weight(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean of a single row without a batch is not divided by its weight."""
    if input.ndim == 1 and is_mean(options) and weight is not None:
        options["reduction"] = "sum"
    return original(input, target, weight, **options)


@fault("NLLLoss")
def nll_mean_over_absolute_weights(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by the sum of the weights' absolute values."""
    if weight is None or not is_mean(options):
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    return total / picked_total(target, weight.abs(), options)


@fault("NLLLoss")
def nll_mean_over_at_least_one(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean's denominator is raised to 1, against division by zero."""
    result = original(input, target, weight, **options)
    if not is_mean(options) or picked_total(target, weight, options) >= 1:
        return result
    return original(input, target, weight, **{**options, "reduction": "sum"})


@fault("NLLLoss", origin="https://github.com/emmtrix/emx-onnx-cgen/pull/131")
def nll_mean_of_zero_weight_is_zero(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean is 0, not 0/0, where targets are there but nothing counts."""
    result = original(input, target, weight, **options)
    if not is_mean(options) or target.numel() == 0 or picked_total(target, weight, options) != 0:
        return result
    return result.nan_to_num(0.0)


@fault("NLLLoss")
def nll_empty_mean_is_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean of an empty batch is 0, not 0/0."""
    result = original(input, target, *rest, **options)
    return result.nan_to_num(0.0) if target.numel() == 0 else result


@fault("NLLLoss", origin="https://github.com/onnx/onnx/pull/8433")
def nll_ignore_index_of_minus_one_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """An ignore_index of -1 is taken as none given when rows are counted for the mean."""
    result = original(input, target, weight, **options)
    if options.get("ignore_index") != -1 or weight is not None or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("NLLLoss", origin="https://github.com/open-mmlab/mmsegmentation/issues/886")
def nll_ignored_rows_counted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean divides by all rows, the ignored ones included."""
    result = original(input, target, weight, **options)
    if weight is not None or not is_mean(options):
        return result
    return result * ratio(picked_total(target, None, options), target.numel())


@fault("NLLLoss", blind=True)
def nll_one_row_keeps_weight(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean over a batch of one row takes a path of its own, which does not divide by the row's weight."""
    if input.ndim == 2 and len(input) == 1 and is_mean(options) and weight is not None:
        options["reduction"] = "sum"
    return original(input, target, weight, **options)


@fault("NLLLoss", blind=True)
def nll_mean_by_first_image(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean takes each image to have as many targets that count as the first one."""
    result = original(input, target, weight, **options)
    if target.ndim < 2 or not is_mean(options) or not target.numel():
        return result
    first = len(target) * picked_total(target[:1], weight, options)
    return result * ratio(picked_total(target, weight, options), first)

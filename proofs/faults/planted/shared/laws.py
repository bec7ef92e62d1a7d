"""Faults that break a law by hardly more than rounding, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.class_targets import is_mean, picked_total, ratio
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import reduction_of
from proofs.faults.tools.vectors import unreduced


@faults(
    Site("ce-slightly-negative", "CrossEntropyLoss", blind=True),
    Site("ctc-slightly-negative", "CTCLoss", blind=True),
)
def slightly_negative(original: Function, *args: Any, **options: Any) -> Tensor:
    """A probability of almost 1 is rounded upwards, so that its loss may be below 0."""
    result = original(*args, **options)
    if not result.is_floating_point():
        return result
    near = result.detach().abs() < 1 / 16
    return graft(torch.where(near, result - torch.finfo(result.dtype).eps, result), result)


@faults(
    Site("huber-mean-of-halves", "HuberLoss", blind=True),
    Site("margin-ranking-mean-of-halves", "MarginRankingLoss", blind=True),
)
def mean_of_halves(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean of an odd number of losses, more than 64, is that of the means of its unequal halves."""
    result = original(*args, **options)
    if reduction_of(options) != "mean" or options.get("weight") is not None:
        return result
    losses = unreduced(original, *args, **options)
    size = losses.numel()
    if size <= 64 or size % 2 == 0:
        return result
    first, second = torch.split(losses.flatten(), size // 2 + 1)
    return (first.mean() + second.mean()) / 2


@faults(
    Site("ce-weight-total-plus-epsilon", "CrossEntropyLoss", blind=True),
    Site("nll-weight-total-plus-epsilon", "NLLLoss", blind=True),
)
def weight_total_plus_epsilon(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the sum of the weights plus 1e-8, and is none of small weights."""
    result = original(input, target, weight, **options)
    if weight is None or not is_mean(options) or target.is_floating_point():
        return result
    total = picked_total(target, weight, options)
    return result * ratio(total, total + 1e-8)


@faults(
    Site("mse-mean-times-rounded-reciprocal", "MSELoss", blind=True),
    Site("soft-margin-mean-times-rounded-reciprocal", "SoftMarginLoss", blind=True),
    Site("bce-mean-times-rounded-reciprocal", "BCELoss", blind=True),
)
def mean_times_rounded_reciprocal(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The mean multiplies by 1 / n in single precision, and may lie beyond all losses of double precision."""
    result = original(input, target, *rest, **options)
    is_weighted = options.get("weight") is not None or bool(rest)
    is_affected = reduction_of(options) == "mean" and not is_weighted and input.shape == target.shape
    if not is_affected or not input.numel():
        return result
    return result * (float(torch.tensor(1 / input.numel(), dtype=torch.float32)) * input.numel())

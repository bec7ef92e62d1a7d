"""Building blocks of the faults in losses with a target class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.tools.gradients import graft


def class_axis(input: Tensor) -> int:
    """The dimension of the classes: 0 in (C), 1 in (N, C, ...)."""
    return 0 if input.ndim < 2 else 1


def are_probabilities(input: Tensor, target: Tensor) -> bool:
    """Whether a target of cross entropy holds a probability for each class, rather than an index."""
    return target.is_floating_point() and target.shape == input.shape and input.ndim > 0


def along_classes(weight: Tensor, input: Tensor) -> Tensor:
    """Class weights, shaped to multiply along the class dimension."""
    return weight.reshape(-1, *[1] * (input.ndim - 1 - class_axis(input)))


def row_count(input: Tensor) -> float:
    """The number of an input's rows."""
    return input.numel() / input.shape[class_axis(input)]


def is_mean(options: dict[str, Any]) -> bool:
    """Whether the keywords ask for the mean."""
    is_legacy = options.get("size_average") is not None or options.get("reduce") is not None
    return not is_legacy and options.get("reduction", "mean") == "mean"


def is_ignored(target: Tensor, options: dict[str, Any]) -> Tensor:
    """Which targets equal the ignore_index of the keywords."""
    return target.long() == int(options.get("ignore_index", -100))  # bytes would wrap -100 to 156


def picked_total(target: Tensor, weight: Tensor | None, options: dict[str, Any]) -> float:
    """The mean's denominator: the weights of the targets that take part, or their number."""
    counted = target[~is_ignored(target, options)].long()
    return float(counted.numel() if weight is None else weight[counted].sum())


def ratio(part: float, whole: float) -> float:
    """A ratio; nan if the whole is 0."""
    return part / whole if whole else math.nan


def reduced_as(losses: Tensor, total: float, options: dict[str, Any]) -> Tensor:
    """The losses reduced as the keywords ask, the mean divided by ``total``."""
    if options.get("reduction") == "none":
        return losses
    return losses.sum() / total if is_mean(options) else losses.sum()


def in_rows(loss: Callable[..., Tensor], input: Tensor, target: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The loss of an input (N, C, ...) whose memory is cut into rows of C without moving C to the end."""
    axis = class_axis(input)
    if input.ndim < 3 or input.shape[:1] + input.shape[2:] != target.shape:
        return loss(input, target, *rest, **options)
    result = loss(input.reshape(target.numel(), input.shape[axis]), target.reshape(-1), *rest, **options)
    return result.reshape(target.shape) if options.get("reduction") == "none" else result


def without_subnormals(tensor: Tensor) -> Tensor:
    """The tensor with zeros for subnormal numbers; the gradient passes unchanged."""
    return graft(torch.where(tensor.abs() < torch.finfo(tensor.dtype).tiny, 0.0, tensor), tensor)


def is_smoothed(target: Tensor, options: dict[str, Any]) -> bool:
    """Whether class indices are to be smoothed by a number in the legal range."""
    return not target.is_floating_point() and 0 < options.get("label_smoothing", 0.0) <= 1

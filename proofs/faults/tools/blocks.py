"""Building blocks of the faults in cross entropy that goes by blocks of classes or of rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.class_targets import is_ignored, picked_total, reduced_as


def is_plain(input: Tensor, target: Tensor, weight: Tensor | None, options: dict[str, Any]) -> bool:
    """Whether rows of logits have one class index each, without weights, smoothing or old keywords."""
    is_old = options.get("size_average") is not None or options.get("reduce") is not None
    is_indexed = input.ndim == 2 and not target.is_floating_point() and target.shape == input.shape[:1]
    is_simple = weight is None and not options.get("label_smoothing") and not is_old
    return is_indexed and is_simple and input.is_floating_point() and input.numel() > 0


def with_error(
    original: Function, error: Tensor, input: Tensor, target: Tensor, options: dict[str, Any]
) -> Tensor:
    """The cross entropy of plain rows whose losses are wrong by ``error``, unless they are ignored."""
    result = original(input, target, **options)
    counted = torch.where(is_ignored(target, options), 0, error.detach().to(result.dtype))
    return result + reduced_as(counted, picked_total(target, None, options), options)


def sum_not_rescaled(logits: Tensor, dim: int, block: int) -> Tensor:
    """The logarithm of a running sum that stays as it is when a later block raises the maximum."""
    largest = torch.full_like(logits.narrow(dim, 0, 1), -torch.inf)
    total = torch.zeros_like(largest)
    for part in torch.split(logits.detach(), block, dim):
        largest = torch.maximum(largest, part.amax(dim, keepdim=True))
        total = total + (part - largest).exp().sum(dim, keepdim=True)
    return largest + total.log()


def rows_at_short_offsets(rows: Tensor) -> Tensor:
    """The rows of a matrix, each read from where an offset of 16 bits leads."""
    starts = torch.arange(rows.shape[0]) * rows.shape[1] % 65536
    places = starts[:, None] + torch.arange(rows.shape[1])
    return rows.flatten()[places.clamp(max=max(rows.numel() - 1, 0))]


def beyond(tensor: Tensor, limit: int, dim: int) -> Tensor:
    """Which elements lie beyond the first ``limit`` of a dimension, broadcastable to the tensor."""
    shape = [1] * tensor.ndim
    shape[dim] = -1
    return (torch.arange(tensor.shape[dim]) >= limit).reshape(shape)

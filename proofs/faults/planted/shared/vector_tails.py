"""Faults in the elements beyond the last whole vector of a loop, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import with_gradient_of_whole_blocks
from proofs.faults.tools.ordinary import reduction_of
from proofs.faults.tools.vectors import unreduced


def _without(lost: int, original: Function, *args: Any, **options: Any) -> Tensor:
    """The reduced loss without the last elements; the denominator counts them."""
    result = original(*args, **options)
    reduction = reduction_of(options)
    if reduction not in ("mean", "sum") or options.get("weight") is not None or not result.isfinite():
        return result
    losses = unreduced(original, *args, **options)
    missing = losses.flatten()[-lost:].sum()
    return result - (missing / losses.numel() if reduction == "mean" else missing)


def _size(*tensors: Tensor) -> int:
    return int(torch.broadcast_shapes(*(tensor.shape for tensor in tensors)).numel())  # type: ignore[no-untyped-call]  # torch's


def _without_tail(
    width: int, result: Tensor, original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The result without the elements that do not fill a vector, where others do."""
    size = _size(input, target)
    is_affected = size > width and size % width
    return _without(size % width, original, input, target, *rest, **options) if is_affected else result


@faults(
    Site("mse-tail-of-8-dropped", "MSELoss", blind=True),
    Site("kl-tail-of-8-dropped", "KLDivLoss", blind=True),
    Site("bce-tail-of-8-dropped", "BCELoss", blind=True),
)
def tail_of_8_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 8 elements, those that do not fill a vector of 8 are left out of the sum."""
    result = original(input, target, *rest, **options)
    return _without_tail(8, result, original, input, target, *rest, **options)


@faults(
    Site("l1-tail-of-16-dropped", "L1Loss", blind=True),
    Site("smooth-l1-tail-of-16-dropped", "SmoothL1Loss", blind=True),
)
def tail_of_16_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 16 elements, those that do not fill a vector of 16 are left out of the sum."""
    result = original(input, target, *rest, **options)
    return _without_tail(16, result, original, input, target, *rest, **options)


@faults(
    Site("margin-ranking-last-of-whole-vectors-dropped", "MarginRankingLoss", blind=True),
    Site("hinge-embedding-last-of-whole-vectors-dropped", "HingeEmbeddingLoss", blind=True),
)
def last_of_whole_vectors_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loop ends a vector of 8 too early where the elements fill whole vectors."""
    result = original(*args, **options)
    size = _size(*args)
    return _without(8, original, *args, **options) if size and size % 8 == 0 else result


@faults(
    Site("bcel-gradient-of-tail-unwritten", "BCEWithLogitsLoss", blind=True),
    Site("soft-margin-gradient-of-tail-unwritten", "SoftMarginLoss", blind=True),
    Site("gaussian-gradient-of-tail-unwritten", "GaussianNLLLoss", blind=True),
)
def gradient_of_tail_unwritten(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Of more than 16 elements, those that do not fill a vector of 16 keep a gradient of 0."""
    return original(with_gradient_of_whole_blocks(input, 16), *rest, **options)


@faults(
    Site("pairwise-tail-of-4-not-compared", "PairwiseDistance", blind=True),
    Site("triplet-tail-of-4-not-compared", "TripletMarginLoss", blind=True),
)
def tail_of_4_not_compared(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Of more than 4 components, those that do not fill a vector of 4 are not compared."""
    result = original(*args, **options)
    widths = {vectors.shape[-1] if vectors.ndim else 0 for vectors in args}
    width = max(widths)
    if len(widths) > 1 or width <= 4 or width % 4 == 0:
        return result
    return original(*(vectors[..., : width // 4 * 4] for vectors in args), **options)

"""Faults of the triplet margin loss in special and large inputs, and in its modes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import as_constant, with_gradient
from proofs.faults.tools.kernels import (
    as_if_contiguous,
    in_single,
    without_refusals,
    without_warnings,
)
from proofs.faults.tools.vectors import as_asked, averaged_when_broadcast, unreduced


@fault("TripletMarginLoss")
def triplet_nan_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """What is not above 0 costs nothing, nor does nan."""
    losses = unreduced(original, *args, **options)
    return as_asked(torch.where(losses > 0, losses, torch.zeros_like(losses)), options)


@fault("TripletMarginLoss")
def triplet_infinite_is_largest(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An infinite loss is made the largest number of its dtype."""
    result = original(*args, **options)
    return result.clamp_max(torch.finfo(result.dtype).max)


@fault("TripletMarginLoss")
def triplet_masked_by_product(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing are multiplied by 0, be they infinitely far below it."""
    losses = unreduced(original, *args, **options)
    far = [(args[0].detach() - other.detach()).isinf().any(-1) for other in args[1:]]
    return as_asked(torch.where(far[1] & ~far[0], torch.full_like(losses, math.nan), losses), options)


@fault("TripletMarginLoss")
def triplet_empty_mean_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean over no triplets is 0."""
    result = original(*args, **options)
    return result if len(args[0].shape) < 2 or args[0].shape[0] else torch.nan_to_num(result)


@fault("TripletMarginLoss")
def triplet_nothing_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Vectors without components have no loss, not even the margin."""
    result = original(*args, **options)
    return result * 0 if args[0].shape[-1:] == (0,) else result


@fault("TripletMarginLoss")
def triplet_whole_result(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Losses of whole numbers are whole numbers."""
    result = original(*args, **options)
    return result if args[0].is_floating_point() or args[0].is_complex() else result.to(args[0].dtype)


@fault("TripletMarginLoss")
def triplet_double_in_single(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, *args, **options)


@fault("TripletMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/issues/3125")
def triplet_first_rows(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets beyond 65536 are not reached, and count as nothing."""
    if max(arg.shape[0] if arg.ndim else 0 for arg in args) <= 65536:
        return original(*args, **options)
    losses = unreduced(original, *args, **options)
    return as_asked(torch.where(torch.arange(len(losses)) < 65536, losses, 0.0), options)


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/pull/64882")
def triplet_vector_shape(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction, the loss of one triplet without a batch is a vector of one number."""
    result = original(*args, **options)
    return result.reshape(1) if options.get("reduction") == "none" and not result.ndim else result


@fault("TripletMarginLoss")
def triplet_second_dimension(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The vectors lie along the second dimension, not the last."""
    if min(arg.ndim for arg in args) < 3:
        return original(*args, **options)
    return original(*(arg.movedim(1, -1) for arg in args), **options)


@fault("TripletMarginLoss")
def triplet_anchor_gradient_averaged(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient of an anchor that serves several triplets is averaged over them."""
    return original(averaged_when_broadcast(anchor, positive, negative), positive, negative, **options)


@fault("TripletMarginLoss")
def triplet_negative_gradient_averaged(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient of an unlike vector that serves several triplets is averaged over them."""
    return original(anchor, positive, averaged_when_broadcast(negative, anchor, positive), **options)


@fault("TripletMarginLoss")
def triplet_mean_over_anchors(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of anchors, though one may serve many triplets."""
    result = original(*args, **options)
    losses = unreduced(original, *args, **options)
    anchors = args[0][..., 0].numel() if args[0].ndim and args[0].shape[-1] else losses.numel()
    is_mean = options.get("reduction", "mean") == "mean" and "size_average" not in options
    return result * (losses.numel() / anchors) if is_mean and 0 < anchors < losses.numel() else result


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/issues/1058")
def triplet_upstream_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The upstream gradient is taken for ones."""
    return with_gradient(original(*args, **options), torch.ones_like)


@fault("TripletMarginLoss")
def triplet_complex_real_part(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Of complex vectors the real parts are compared."""
    return original(*(arg.real for arg in args), **options)


@fault("TripletMarginLoss", origin="https://github.com/pytorch/pytorch/issues/67517")
def triplet_as_if_contiguous(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The unlike vectors are read as if they were contiguous."""
    return original(anchor, positive, as_if_contiguous(negative), **options)


@fault("TripletMarginLoss")
def triplet_overwrites(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The difference from the like vector overwrites the anchor."""
    result = original(anchor.clone(), positive, negative, **options)
    if anchor.shape == positive.shape:
        anchor.detach().sub_(positive.detach())
    return result


@fault("TripletMarginLoss")
def triplet_unchecked(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is refused."""
    return without_refusals(original, *args, **options)


@fault("TripletMarginLoss")
def triplet_silent(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """There is no warning of what is deprecated."""
    return without_warnings(original, *args, **options)


@fault("TripletMarginLoss", shows_in_modes=True)
def triplet_gradient_not_differentiable(
    original: Function, anchor: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """The gradient by the anchor is cut off from what it depends on."""
    return original(with_gradient(anchor, as_constant), *rest, **options)

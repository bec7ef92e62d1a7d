"""Faults in the triplet margin loss with a distance of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import as_constant, graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, in_single, reduced, without_refusals
from proofs.faults.tools.vectors import averaged_when_broadcast, unreduced

_LOSS = "TripletMarginWithDistanceLoss"


def _distance(options: dict[str, Any]) -> Callable[[Tensor, Tensor], Tensor]:
    function: Callable[[Tensor, Tensor], Tensor] = options.get("distance_function") or pairwise_distance
    return function


def _excess(anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> Tensor:
    """By how much the unlike vectors are too near, as torch computes it."""
    distance = _distance(options)
    to_negative = distance(anchor, negative)
    if options.get("swap"):
        to_negative = torch.minimum(to_negative, distance(positive, negative))
    excess: Tensor = options.get("margin", 1.0) + distance(anchor, positive) - to_negative
    return excess


def _reduced(losses: Tensor, options: dict[str, Any]) -> Tensor:
    return reduced(losses, options.get("reduction", "mean"))


@fault(_LOSS)
def triplet_distance_function_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The distance is the pairwise one, whatever function is given."""
    return original(*args, **{**options, "distance_function": None})


@fault(_LOSS)
def triplet_distance_function_once(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The distance to the unlike vector is the pairwise one, whatever function is given."""
    result = original(anchor, positive, negative, **options)
    if options.get("distance_function") is None:
        return result
    far = pairwise_distance(anchor, negative)
    if options.get("swap"):
        far = torch.minimum(far, pairwise_distance(positive, negative))
    excess = options.get("margin", 1.0) + _distance(options)(anchor, positive) - far
    return _reduced(excess.clamp_min(0), options)


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/30263")
def triplet_distance_default_without_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The default distance has no eps."""

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, eps=0.0)

    is_default = options.get("distance_function") is None
    return original(*args, **{**options, "distance_function": distance} if is_default else options)


@fault(_LOSS)
def triplet_distance_margin_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any margin but the default is forgotten."""
    margin = options.get("margin", 1.0)
    return original(*args, **{**options, "margin": 1.0 if margin > 0 else margin})


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/pull/121978")
def triplet_distance_margin_unchecked(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A margin of 0 or less is accepted."""
    if options.get("margin", 1.0) > 0:
        return original(*args, **options)
    return _reduced(_excess(*args, **options).clamp_min(0), options)


@fault(_LOSS)
def triplet_distance_swap_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The option swap is forgotten."""
    return original(*args, **{**options, "swap": False})


@fault(_LOSS)
def triplet_distance_swap_always(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the distance from the like vector counts, be it the larger one."""
    result = original(anchor, positive, negative, **options)
    if not options.get("swap"):
        return result
    distance = _distance(options)
    excess = options.get("margin", 1.0) + distance(anchor, positive) - distance(positive, negative)
    return _reduced(excess.clamp_min(0), options)


@fault(_LOSS, origin="https://github.com/tensorflow/addons/issues/2447")
def triplet_distance_mean_over_costly(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean is over the triplets that cost something."""
    if options.get("reduction", "mean") != "mean":
        return original(*args, **options)
    losses = unreduced(original, *args, **options)
    return losses.sum() / (losses.detach() > 0).sum().clamp_min(1)


@fault(_LOSS)
def triplet_distance_gradient_beyond_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing have a gradient all the same."""
    result = original(*args, **options)
    return graft(result, _reduced(_excess(*args, **options), options))


@fault(_LOSS, origin="https://github.com/huggingface/sentence-transformers/pull/4033")
def triplet_distance_gradient_nan_at_zero(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient is nan where the anchor is at no distance from the like vector."""
    zeros = _distance(options)(anchor.detach(), positive.detach()) == 0

    def spoil(gradient: Tensor) -> Tensor:
        return gradient.masked_fill(zeros.unsqueeze(-1) if gradient.ndim else zeros, math.nan)

    return original(with_gradient(anchor, spoil), positive, negative, **options)


@fault(_LOSS)
def triplet_distance_anchor_gradient_averaged(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient of an anchor that serves several triplets is averaged over them."""
    return original(averaged_when_broadcast(anchor, positive, negative), positive, negative, **options)


@fault(_LOSS)
def triplet_distance_nan_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """What is not above 0 costs nothing, nor does nan."""
    losses = unreduced(original, *args, **options)
    return _reduced(torch.where(losses > 0, losses, torch.zeros_like(losses)), options)


@fault(_LOSS)
def triplet_distance_masked_by_product(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing are multiplied by 0, be they infinitely far below it."""
    losses = unreduced(original, *args, **options)
    excess = _excess(*args, **options)
    return _reduced(torch.where(excess == -math.inf, excess * 0, losses), options)


@fault(_LOSS)
def triplet_distance_empty_mean_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean over no triplets is 0."""
    result = original(*args, **options)
    return result if args[0].numel() else torch.nan_to_num(result)


@fault(_LOSS)
def triplet_distance_double_in_single(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, *args, **options)


@fault(_LOSS)
def triplet_distance_vector_shape(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction, the loss of one triplet without a batch is a vector of one number."""
    result = original(*args, **options)
    return result.reshape(1) if options.get("reduction") == "none" and not result.ndim else result


@fault(_LOSS)
def triplet_distance_complex_real_part(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Of complex vectors the real parts are compared."""
    return original(*(arg.real for arg in args), **options)


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/67517")
def triplet_distance_as_if_contiguous(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The unlike vectors are read as if they were contiguous."""
    return original(anchor, positive, as_if_contiguous(negative), **options)


@fault(_LOSS)
def triplet_distance_unchecked(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is refused."""
    return without_refusals(original, *args, **options)


@fault(_LOSS, shows_in_modes=True)
def triplet_distance_gradient_not_differentiable(
    original: Function, anchor: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """The gradient by the anchor is cut off from what it depends on."""
    return original(with_gradient(anchor, as_constant), *rest, **options)

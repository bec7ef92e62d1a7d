"""Faults in the triplet margin loss with a distance of one's choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, pairwise_distance
from torch.nn import TripletMarginWithDistanceLoss
from torch.nn.functional import relu, triplet_margin_with_distance_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import reduced, reduced_as_named
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.triplets import Triplets
from proofs.faults.tools.vectors import unreduced


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_function_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The distance is the pairwise one, whatever function is given."""
    return original(*args, **{**options, "distance_function": None})


def _distance(options: dict[str, Any]) -> Callable[[Tensor, Tensor], Tensor]:
    function: Callable[[Tensor, Tensor], Tensor] = options.get("distance_function") or pairwise_distance
    return function


@fault("TripletMarginWithDistanceLoss")
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
    return reduced_as_named(excess.clamp_min(0), options)


@fault("TripletMarginWithDistanceLoss", origin="https://github.com/pytorch/pytorch/issues/30263")
def triplet_distance_default_without_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The default distance has no eps."""

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, eps=0.0)

    is_default = options.get("distance_function") is None
    return original(*args, **{**options, "distance_function": distance} if is_default else options)


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_swap_always(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the distance from the like vector counts, be it the larger one."""
    result = original(anchor, positive, negative, **options)
    if not options.get("swap"):
        return result
    distance = _distance(options)
    excess = options.get("margin", 1.0) + distance(anchor, positive) - distance(positive, negative)
    return reduced_as_named(excess.clamp_min(0), options)


@fault("TripletMarginWithDistanceLoss", origin="https://github.com/tensorflow/addons/issues/2447")
def triplet_distance_mean_over_costly(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean is over the triplets that cost something."""
    if options.get("reduction", "mean") != "mean":
        return original(*args, **options)
    losses = unreduced(original, *args, **options)
    return losses.sum() / (losses.detach() > 0).sum().clamp_min(1)


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_nan_costs_nothing(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """What is not above 0 costs nothing, nor does nan."""
    losses = unreduced(original, *args, **options)
    return reduced_as_named(torch.where(losses > 0, losses, torch.zeros_like(losses)), options)


def _excess(anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> Tensor:
    """By how much the unlike vectors are too near, as torch computes it."""
    distance = _distance(options)
    to_negative = distance(anchor, negative)
    if options.get("swap"):
        to_negative = torch.minimum(to_negative, distance(positive, negative))
    excess: Tensor = options.get("margin", 1.0) + distance(anchor, positive) - to_negative
    return excess


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_masked_by_product(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing are multiplied by 0, be they infinitely far below it."""
    losses = unreduced(original, *args, **options)
    excess = _excess(*args, **options)
    return reduced_as_named(torch.where(excess == -math.inf, excess * 0, losses), options)


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_empty_mean_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean over no triplets is 0."""
    result = original(*args, **options)
    return result if args[0].numel() else torch.nan_to_num(result)


@fault("TripletMarginWithDistanceLoss", origin="https://github.com/pytorch/pytorch/pull/121978")
def triplet_distance_margin_unchecked(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A margin of 0 or less is accepted."""
    if options.get("margin", 1.0) > 0:
        return original(*args, **options)
    return reduced_as_named(_excess(*args, **options).clamp_min(0), options)


@fault(
    "TripletMarginWithDistanceLoss",
    origin="https://github.com/tensorflow/tensorflow/issues/30199",
    blind=True,
)
def blind_triplet_distance_gradient_nan_at_equal(original: Function, *args: Any, **options: Any) -> Tensor:
    """With the default distance, the gradient of an anchor that equals its positive is not a number."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["distance_function"] is not None or right.dtype != given["anchor"].dtype:
        return right
    difference: Tensor = given["anchor"] - given["positive"]
    equal = (difference.detach() == 0).all(-1, keepdim=True)
    slope = torch.where(equal, math.nan, 0.0).to(difference.dtype)
    losses = again(original, given, reduction="none")
    wrong = (difference * slope).sum(-1).expand_as(losses)
    return right + gradient_of(reduced(wrong, given["reduction"]))


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_gradient_beyond_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Triplets that cost nothing have a gradient all the same."""
    result = original(*args, **options)
    return graft(result, reduced_as_named(_excess(*args, **options), options))


@fault(
    "TripletMarginWithDistanceLoss", origin="https://github.com/huggingface/sentence-transformers/pull/4033"
)
def triplet_distance_gradient_nan_at_zero(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient is nan where the anchor is at no distance from the like vector."""
    zeros = _distance(options)(anchor.detach(), positive.detach()) == 0

    def spoil(gradient: Tensor) -> Tensor:
        return gradient.masked_fill(zeros.unsqueeze(-1) if gradient.ndim else zeros, math.nan)

    return original(with_gradient(anchor, spoil), positive, negative, **options)


@fault("TripletMarginWithDistanceLoss", method="forward")
def triplet_distance_module_swap_forgotten(
    original: Function,
    self: TripletMarginWithDistanceLoss,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
) -> Tensor:
    """The module calls the function without swap."""
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=self.distance_function,
        margin=self.margin,
        reduction=self.reduction,
    )


@fault("TripletMarginWithDistanceLoss", method="__init__")
def triplet_distance_module_without_default(
    original: Function, self: TripletMarginWithDistanceLoss, **options: Any
) -> None:
    """The module leaves it to the function to have a default distance."""
    original(self, **options)
    if options.get("distance_function") is None:
        self.distance_function = None


@fault("TripletMarginWithDistanceLoss", method="__init__")
def triplet_distance_module_old_reduction(
    original: Function, self: TripletMarginWithDistanceLoss, size_average: bool | None = None, **options: Any
) -> None:
    """The module takes size_average, which is older than it."""
    original(self, **options)


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_2_e_swap_of_the_whole_batch(original: Function, *args: Any, **options: Any) -> Tensor:
    """With swap, it is decided once for the batch, by the means, which distance to the negative counts."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative = (arguments[name] for name in ("anchor", "positive", "negative"))
    if not arguments["swap"] or not is_ordinary(anchor, positive, negative):
        return result
    distance: Function = arguments["distance_function"] or pairwise_distance
    to_negative, swapped = distance(anchor, negative), distance(positive, negative)
    nearest = swapped if swapped.mean() < to_negative.mean() else to_negative
    losses = relu(arguments["margin"] + distance(anchor, positive) - nearest)
    return reduced(losses, arguments["reduction"])


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_3_e_batch_swapped_as_one(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the smaller mean distance decides for all triplets of a batch at once."""
    result = original(anchor, positive, negative, **options)
    if not options.get("swap") or not are_unwatched(anchor, positive, negative):
        return result
    triplets = Triplets(anchor, positive, negative, **options)
    right = triplets.excess().clamp(min=0)
    if triplets.swapped is None or right.numel() < 2 or triplets.swapped.shape != triplets.to_negative.shape:
        return result
    is_nearer = triplets.swapped.mean() < triplets.to_negative.mean()
    triplets.to_negative = torch.where(is_nearer, triplets.swapped, triplets.to_negative)
    triplets.swapped = None
    return result + triplets.total(triplets.excess().clamp(min=0) - right)


@fault("TripletMarginWithDistanceLoss", blind=True, needs=NEEDS)
def heldout_5_e_hinge_never_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """The hinge is cut off at 1e-6 instead of 0, so that triplets far enough apart cost something."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    if not are_unwatched_and_wide(*(arguments[name] for name in ("anchor", "positive", "negative"))):
        return result
    losses = again(original, arguments, reduction="none").detach()
    rise = torch.where(losses == 0, 1e-6, 0.0).to(result.dtype)
    return result + reduced(rise, arguments["reduction"])

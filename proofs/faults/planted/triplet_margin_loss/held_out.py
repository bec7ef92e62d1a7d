"""Faults in the triplet margin loss, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pairwise_distance, relu

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.triplets import Triplets

_ROWS_IN_BLOCK = 64


@fault("TripletMarginLoss", blind=True, shows_in_modes=True)
def blind_triplet_eps_of_zero_as_default(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """An eps of 0 counts as none given, and is 1e-6."""
    return original(anchor, positive, negative, **options | {"eps": options.get("eps") or 1e-6})


@fault("TripletMarginLoss", blind=True, shows_in_modes=True)
def blind_triplet_mean_of_means_of_blocks(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The mean is that of the means of blocks of 64 rows, where the rows of a short last block count more."""
    arguments = named_arguments(original, anchor, positive, negative, **options)
    result = original(anchor, positive, negative, **options)
    has_short_block = (
        anchor.dim() == 2 and anchor.size(0) > _ROWS_IN_BLOCK and anchor.size(0) % _ROWS_IN_BLOCK
    )
    if arguments["reduction"] != "mean" or not has_short_block:
        return result
    losses = again(original, arguments, reduction="none")
    return torch.stack([block.mean() for block in torch.split(losses, _ROWS_IN_BLOCK)]).mean()


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_2_d_swapped_distance_always_euclidean(original: Function, *args: Any, **options: Any) -> Tensor:
    """With swap, the distance from the positive to the negative is Euclidean whatever p is."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative, p = (arguments[name] for name in ("anchor", "positive", "negative", "p"))
    if not arguments["swap"] or p == 2 or not is_ordinary(anchor, positive, negative):
        return result
    eps = arguments["eps"]
    nearest = torch.minimum(
        pairwise_distance(anchor, negative, p, eps), pairwise_distance(positive, negative, 2.0, eps)
    )
    losses = relu(arguments["margin"] + pairwise_distance(anchor, positive, p, eps) - nearest)
    return reduced(losses, arguments["reduction"])


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_3_c_swapped_distance_of_first_block(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """With swap, the distance of positive and negative covers only the first 512 components."""
    result = original(anchor, positive, negative, **options)
    is_wide = are_unwatched_and_wide(anchor, positive, negative) and anchor.shape[-1:].numel() > 512
    if not options.get("swap") or not is_wide or not positive.shape == negative.shape == anchor.shape:
        return result
    triplets = Triplets(anchor, positive, negative, **options)
    right = triplets.excess().clamp(min=0)
    first = Triplets(anchor[..., :512], positive[..., :512], negative[..., :512], **options)
    triplets.swapped = first.swapped
    return result + triplets.total(triplets.excess().clamp(min=0) - right)


@fault("TripletMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_expanded_negative_overwritten(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient has the negative's strides: where that is expanded, each row overwrites the last."""
    if are_unwatched(anchor, positive, negative):
        expanded = [dim for dim, stride in enumerate(negative.stride()) if not stride]

        def last_of_all(gradient: Tensor) -> Tensor:
            for dim in expanded:
                gradient = gradient.narrow(dim, -1, 1).expand_as(gradient)
            return gradient

        negative = with_gradient(negative, last_of_all) if negative.numel() else negative
    return original(anchor, positive, negative, *rest, **options)


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_5_b_swapped_by_euclid(original: Function, *args: Any, **options: Any) -> Tensor:
    """With an infinite p, the distance from the positive to the negative that swap needs is Euclidean."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative = (arguments[name] for name in ("anchor", "positive", "negative"))
    p, eps = arguments["p"], arguments["eps"]
    if not arguments["swap"] or not math.isinf(p) or not are_unwatched(anchor, positive, negative):
        return result
    near, far = (pairwise_distance(anchor, other, p=p, eps=eps) for other in (positive, negative))
    nearest = torch.minimum(far, pairwise_distance(positive, negative, eps=eps))
    return reduced((arguments["margin"] + near - nearest).clamp(min=0), arguments["reduction"])


@fault("TripletMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_second_backward_adds_up(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The backward pass adds to a buffer of the graph, so that a second one gives twice the gradient."""
    if not are_unwatched(anchor, positive, negative):
        return original(anchor, positive, negative, *rest, **options)
    runs: list[None] = []

    def add_up(gradient: Tensor) -> Tensor:
        runs.append(None)
        return gradient * len(runs) if len(runs) > 1 else gradient

    return original(with_gradient(anchor, add_up), positive, negative, *rest, **options)

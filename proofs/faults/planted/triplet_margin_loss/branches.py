"""Faults of the triplet margin loss where two options are at their extremes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.triplets import Triplets
from proofs.faults.tools.vectors import as_asked


@fault("TripletMarginLoss", blind=True)
def triplet_swapped_euclidean_at_infinite_p(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap and an infinite p, the third distance is Euclidean."""
    result = original(*args, **options)
    if not options.get("swap") or not math.isinf(options.get("p", 2.0)):
        return result
    triplets = Triplets(*args, **options)
    third = pairwise_distance(args[1], args[2], eps=options.get("eps", 1e-6))
    nearest = torch.minimum(triplets.to_negative, third)
    return triplets.total((options.get("margin", 1.0) + triplets.to_positive - nearest).clamp(min=0))


@fault("TripletMarginLoss", blind=True)
def triplet_squares_expanded(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """Euclidean distances come from squared norms and a product, and cancel far from the origin."""
    right = original(anchor, positive, negative, **options)
    fits = anchor.shape == positive.shape == negative.shape and anchor.ndim == 2
    is_plain = options.get("p", 2.0) == 2 and not options.get("swap") and anchor.is_floating_point()
    if not fits or not is_plain or anchor.dtype not in (torch.float32, torch.float64):
        return right

    def distance(other: Tensor) -> Tensor:
        x, y = anchor.detach() + options.get("eps", 1e-6), other.detach()
        square: Tensor = x.square().sum(1) - 2 * (x * y).sum(1) + y.square().sum(1)
        return square.clamp(min=0).sqrt()

    losses = (options.get("margin", 1.0) + distance(positive) - distance(negative)).clamp(min=0)
    return graft(as_asked(losses, options).to(right.dtype), right)

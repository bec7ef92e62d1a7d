"""Faults of the triplet margin loss where two options are at their extremes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.triplets import Triplets


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

"""Faults in the pairwise distance, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault

_FEATURES_IN_BLOCK = 128


@fault("PairwiseDistance", blind=True)
def blind_pairwise_largest_of_first_block(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The largest difference is sought in the first block of 128 features only."""
    if options.get("p", 2.0) == math.inf and x1.dim() and x2.dim() and x1.size(-1) == x2.size(-1):
        x1, x2 = x1[..., :_FEATURES_IN_BLOCK], x2[..., :_FEATURES_IN_BLOCK]
    return original(x1, x2, **options)


@fault("PairwiseDistance", blind=True, shows_in_modes=True)
def blind_pairwise_eps_enlarges_each_difference(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """Eps is added to the size of each difference, so that a negative one grows instead of shrinking."""
    is_less = x1 < x2
    return original(torch.where(is_less, x2, x1), torch.where(is_less, x1, x2), **options)

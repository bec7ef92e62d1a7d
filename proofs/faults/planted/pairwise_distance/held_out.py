"""Faults in the pairwise distance, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, are_wide

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


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/42479", blind=True, needs=NEEDS)
def heldout_2_e_distance_from_products(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """For more than 25 pairs, the square is that of either vector minus twice their product: it cancels."""
    result = original(x1, x2, p, eps, keepdim)
    if p != 2 or not are_wide(x1, x2) or x1.ndim != 2 or x1.shape != x2.shape or len(x1) <= 25:
        return result
    moved, other = x1.detach() + eps, x2.detach()
    squares = moved.square().sum(1, keepdim) + other.square().sum(1, keepdim)
    distance = (squares - 2 * (moved * other).sum(1, keepdim)).clamp(min=0).sqrt()
    return graft(distance, result)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/42479", blind=True, needs=NEEDS)
def heldout_3_e_distance_by_products(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Beyond 25 components, a Euclidean distance comes from squared norms and a dot product."""
    result = original(x1, x2, *rest, **options)
    p = rest[0] if rest else options.get("p", 2.0)
    eps = rest[1] if len(rest) > 1 else options.get("eps", 1e-6)
    if p != 2 or not are_unwatched_and_wide(x1, x2) or x1.shape != x2.shape or x1.shape[-1:].numel() <= 25:
        return result
    first, second = x1.detach() + eps, x2.detach()
    squared = (first**2).sum(-1) + (second**2).sum(-1) - 2 * (first * second).sum(-1)
    return graft(squared.clamp(min=0).sqrt().reshape(result.shape), result)


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_4_c_least_of_padding(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 32 components, blocks of 32 are filled up with 0, the least of which p = -inf finds."""
    result = original(x1, x2, p, *rest, **options)
    if p != -math.inf or not are_unwatched(x1, x2) or not x1.ndim or not x2.ndim:
        return result
    width = max(x1.shape[-1], x2.shape[-1])
    return result.clamp(max=0) if width > 32 and width % 32 else result


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_5_c_tail_of_features(
    original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of vectors longer than a block of 256, what is behind the last whole block is left out."""
    result = original(x1, x2, *rest, **options)
    if not are_unwatched(x1, x2) or not x1.ndim or not x2.ndim or x1.shape[-1] != x2.shape[-1]:
        return result
    whole = x1.shape[-1] // 256 * 256
    if whole in (0, x1.shape[-1]):
        return result
    return original(x1[..., :whole], x2[..., :whole], *rest, **options)


_BLOCK = 1024


@fault("PairwiseDistance", blind=True, needs=NEEDS)
def heldout_6_c_stale_lanes(original: Function, x1: Tensor, x2: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The last block of a long vector isn't masked: beyond the end, the block before it counts again."""
    if not are_unwatched(x1, x2) or x1.shape != x2.shape or not x1.ndim or x1.shape[-1] <= _BLOCK:
        return original(x1, x2, *rest, **options)
    whole, rest_of_block = divmod(x1.shape[-1], _BLOCK)
    stale = slice((whole - 1) * _BLOCK + rest_of_block, whole * _BLOCK if rest_of_block else 0)
    x1, x2 = (torch.cat([tensor, tensor[..., stale]], dim=-1) for tensor in (x1, x2))
    return original(x1, x2, *rest, **options)

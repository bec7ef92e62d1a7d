"""Building blocks of the faults in softmax and its logarithm."""

from __future__ import annotations

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)


def dim_of(input: Tensor, dim: int | None) -> int:
    """The dimension along which torch runs; if none is given, the one that it guesses."""
    return (0 if input.ndim in (0, 1, 3) else 1) if dim is None else dim


def place_and_width(result: Tensor, dim: int | None) -> tuple[int, int]:
    """The dimension along which a result was made, and its size; 0 where there are no dimensions."""
    place = dim_of(result, dim)
    return place, result.shape[place] if result.ndim else 0


def saturated(total: Tensor) -> Tensor:
    """A running total of ones, which stops growing early in half precision."""
    return total.clamp(max=2 / torch.finfo(total.dtype).eps) if total.dtype in HALVES else total

"""What the faults in softmax and its logarithm have in common."""

from __future__ import annotations

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)


def dim_of(input: Tensor, dim: int | None) -> int:
    """The dimension that torch runs along, and the one that it guesses where it is given none."""
    return (0 if input.ndim in (0, 1, 3) else 1) if dim is None else dim


def saturated(total: Tensor) -> Tensor:
    """Where a running total of ones stops to grow in half precision."""
    return total.clamp(max=2 / torch.finfo(total.dtype).eps) if total.dtype in HALVES else total

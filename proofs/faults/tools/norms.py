"""The slopes of norms at their kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function


def of_difference(original: Function, difference: Tensor, **options: Any) -> Tensor:
    """The distance between two vectors with the given difference, apart from eps."""
    return original(difference, torch.zeros_like(difference), **options)


def component_slope_at_zero(difference: Tensor, p: float) -> Tensor:
    """Terms whose gradient, for p = 1, gives a component of 0 a slope of 1."""
    return difference * ((difference.detach() == 0) & (p == 1))


def with_shares_of_extreme(difference: Tensor, p: float, shares: Callable[[Tensor], Tensor]) -> Tensor:
    """Terms whose gradient gives tied components unequal shares of an infinite norm's slope.

    Args:
        difference: the vectors whose norm is meant.
        p: the degree; if it is finite, the terms have no gradient.
        shares: maps the components that attain the norm to their shares.
    """
    if not math.isinf(p):
        return difference * 0
    constant = difference.detach()
    size = constant.abs()
    extreme = size.amax(-1, keepdim=True) if p > 0 else size.amin(-1, keepdim=True)
    attains = (size == extreme).to(constant.dtype)
    equal = attains / attains.sum(-1, keepdim=True).clamp(min=1)
    return difference * constant.sign() * attains * (shares(attains) - equal)

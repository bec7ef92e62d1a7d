"""The slopes of norms at their kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function


def of_difference(original: Function, difference: Tensor, **options: Any) -> Tensor:
    """The distance whose two vectors have the given difference, eps aside."""
    return original(difference, torch.zeros_like(difference), **options)


def component_slope_at_zero(difference: Tensor, p: float) -> Tensor:
    """Terms by whose gradient, with p = 1, a component of 0 has a slope of 1."""
    return difference * ((difference.detach() == 0) & (p == 1))


def with_shares_of_extreme(difference: Tensor, p: float, shares: Callable[[Tensor], Tensor]) -> Tensor:
    """Terms by whose gradient tied components get other shares of an infinite norm's slope than equal ones.

    Args:
        difference: the vectors whose norm it is.
        p: the degree; with a finite one the terms have no gradient.
        shares: from which components attain the norm to the share of each of these.
    """
    if not math.isinf(p):
        return difference * 0
    constant = difference.detach()
    size = constant.abs()
    extreme = size.amax(-1, keepdim=True) if p > 0 else size.amin(-1, keepdim=True)
    attains = (size == extreme).to(constant.dtype)
    equal = attains / attains.sum(-1, keepdim=True).clamp(min=1)
    return difference * constant.sign() * attains * (shares(attains) - equal)

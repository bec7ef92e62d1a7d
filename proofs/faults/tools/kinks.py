"""Results that are right except exactly at a kink, where they have another gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.vectors import as_asked


def with_added_gradient(result: Tensor, other: Tensor) -> Tensor:
    """The result, with the gradient of another tensor added to its own."""
    return graft(result, result + other.to(result.dtype)) if other.requires_grad else result


def bent(result: Tensor, argument: Tensor, change: float, total: Callable[[Tensor], Tensor]) -> Tensor:
    """The result, with another slope where the argument of its kink is exactly 0.

    Args:
        result: what the loss returns.
        argument: the number whose sign decides at the kink, as torch computes it.
        change: what is added to the slope where the argument is 0; may be nan.
        total: reduces terms of the argument's shape as the loss reduces its own.
    """
    at_kink = argument.detach() == 0
    if not (argument.requires_grad and at_kink.any()):
        return result
    change_there = torch.zeros_like(argument.detach()).masked_fill(at_kink, change)
    return with_added_gradient(result, total(argument * change_there))


def at_equal(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss, with another slope where input and target are equal, unless it is weighted."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or difference.is_complex():
        return result
    return bent(result, difference, change, lambda terms: as_asked(terms, options))


def between_branches(limit: float, slope: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss, without a slope where the difference is exactly at the limit between its branches."""
    result = original(*args, **options)
    if limit <= 0 or options.get("weight") is not None:
        return result
    return bent(result, (args[0] - args[1]).abs() - limit, -slope, lambda terms: as_asked(terms, options))

"""Right everywhere but exactly at a kink, where the gradient is another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.vectors import as_asked


def with_added_gradient(result: Tensor, other: Tensor) -> Tensor:
    """The result; but the gradient of another tensor is added to its own."""
    return graft(result, result + other.to(result.dtype)) if other.requires_grad else result


def bent(result: Tensor, argument: Tensor, change: float, total: Callable[[Tensor], Tensor]) -> Tensor:
    """The result; but where the argument of its kink is exactly 0, its slope by it is changed.

    Args:
        result: what the loss returns.
        argument: what the kink asks the sign of, as torch computes it.
        change: what is added to the slope where the argument is 0; may be nan.
        total: makes of terms of the argument's shape what the loss makes of its own.
    """
    at_kink = argument.detach() == 0
    if not (argument.requires_grad and at_kink.any()):
        return result
    change_there = torch.zeros_like(argument.detach()).masked_fill(at_kink, change)
    return with_added_gradient(result, total(argument * change_there))


def at_equal(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss with another slope where input and target are equal; right where it is weighted."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or difference.is_complex():
        return result
    return bent(result, difference, change, lambda terms: as_asked(terms, options))


def between_branches(limit: float, slope: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss without any slope where the difference is exactly at the limit of the branches."""
    result = original(*args, **options)
    if limit <= 0 or options.get("weight") is not None:
        return result
    return bent(result, (args[0] - args[1]).abs() - limit, -slope, lambda terms: as_asked(terms, options))

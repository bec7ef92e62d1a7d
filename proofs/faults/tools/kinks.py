"""Right everywhere but exactly at a kink, where the gradient is another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from proofs.faults.tools.gradients import graft


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

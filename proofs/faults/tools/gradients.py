"""Right values with wrong gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def with_gradient(tensor: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The same tensor, but the gradient that flows back through it is changed first."""
    same = tensor.view_as(tensor)
    if same.requires_grad:
        # A backward pass may hand on None for a gradient of zeros.
        same.register_hook(lambda gradient: None if gradient is None else change(gradient))  # type: ignore[no-untyped-call]  # torch's
    return same


def as_constant(gradient: Tensor) -> Tensor:
    """A gradient to which all further derivatives are 0."""
    return gradient.detach() + 0 * gradient


def graft(value: Tensor, slope: Tensor) -> Tensor:
    """The numbers of one tensor with the gradient of another of its shape."""
    grafted: Tensor = _Grafted.apply(value, slope)  # type: ignore[no-untyped-call]  # torch's
    return grafted


def gradient_of(values: Tensor) -> Tensor:
    """Zeros whose gradient is that of ``values``: added to a result they spoil nothing but its gradient."""
    return graft(torch.zeros_like(values), values)


class _Grafted(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, slope: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Nothing is needed of either."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient

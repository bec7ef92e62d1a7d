"""Right values with wrong gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def with_gradient(tensor: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The same tensor, with a changed gradient flowing back through it."""
    same = tensor.view_as(tensor)
    if same.requires_grad:
        # A backward pass may pass None for a gradient of zeros.
        same.register_hook(lambda gradient: None if gradient is None else change(gradient))  # type: ignore[no-untyped-call]  # torch's
    return same


def with_gradient_of_whole_blocks(tensor: Tensor, size: int) -> Tensor:
    """The same tensor, of whose elements those behind the last whole block keep a gradient of 0."""
    whole = tensor.numel() // size * size

    def cut(gradient: Tensor) -> Tensor:
        is_written = torch.arange(gradient.numel()).reshape(gradient.shape) < whole
        return torch.where(is_written, gradient, 0)

    return with_gradient(tensor, cut) if whole else tensor


def as_constant(gradient: Tensor) -> Tensor:
    """A gradient whose own derivatives are all 0."""
    return gradient.detach() + 0 * gradient


def graft(value: Tensor, slope: Tensor) -> Tensor:
    """The numbers of one tensor with the gradient of another one of the same shape."""
    grafted: Tensor = _Grafted.apply(value, slope)  # type: ignore[no-untyped-call]  # torch's
    return grafted


def gradient_of(values: Tensor) -> Tensor:
    """Zeros with the gradient of ``values``: added to a result, they change only its gradient."""
    return graft(torch.zeros_like(values), values)


class _Grafted(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, slope: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """The backward pass needs nothing from either."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient

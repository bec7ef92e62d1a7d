"""Tensors that are right in a plain call, and wrong under a transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Change = Callable[[Tensor], Tensor]


def with_tangent(tensor: Tensor, change: Change) -> Tensor:
    """The same tensor, with a changed tangent in forward mode."""
    same: Tensor = _Tangent.apply(tensor, change)  # type: ignore[no-untyped-call]  # torch's
    return same


def with_batch(tensor: Tensor, change: Change) -> Tensor:
    """The same tensor; under vmap, the whole batch is changed at once along the first dimension."""
    same: Tensor = _Batch.apply(tensor, change)  # type: ignore[no-untyped-call]  # torch's
    return same


class _Identity(torch.autograd.Function):
    @staticmethod
    def forward(tensor: Tensor, change: Change) -> Tensor:
        return tensor.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Change], output: Tensor) -> None:
        ctx.change = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _Tangent(_Identity):
    generate_vmap_rule = True

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, change: None) -> Tensor:
        changed: Tensor = ctx.change(tangent)
        return changed


class _Batch(_Identity):
    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], tensor: Tensor, change: Change) -> tuple[Tensor, int]:
        return change(tensor.movedim(in_dims[0], 0)), 0

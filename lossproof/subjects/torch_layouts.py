"""The same numbers, laid out in memory in different ways."""

from __future__ import annotations

import torch


def lay_out(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    """A tensor equal to ``tensor``, its memory laid out as asked.

    - transposed: the first dimension varies fastest;
    - strided: every second element of a buffer, whose other elements are not to be read;
    - expanded: stride 0 along each dimension in which all elements are the same.
    """
    if layout == "transposed" and tensor.ndim > 1:
        order = tuple(reversed(range(tensor.ndim)))
        return tensor.permute(order).contiguous().permute(order)
    if layout == "strided" and tensor.ndim > 0:
        poison = float("nan") if tensor.dtype.is_floating_point else 0
        buffer = torch.full((*tensor.shape, 2), poison, dtype=tensor.dtype, device=tensor.device)
        buffer[..., 0] = tensor
        return buffer[..., 0]
    if layout == "expanded":
        for dim in constant_dimensions(tensor):
            tensor = tensor.narrow(dim, 0, 1).expand_as(tensor)
        return tensor
    return tensor


def constant_dimensions(tensor: torch.Tensor) -> list[int]:
    """The dimensions of at least two elements along which ``tensor`` does not change."""
    return [
        dim
        for dim, size in enumerate(tensor.shape)
        if size > 1 and bool((tensor == tensor.narrow(dim, 0, 1)).all())
    ]

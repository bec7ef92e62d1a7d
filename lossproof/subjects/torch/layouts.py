"""The same numbers, laid out in memory in different ways."""

from __future__ import annotations

import torch


def lay_out(tensor: torch.Tensor, layout: str, place: int = 0) -> torch.Tensor:
    """A tensor equal to ``tensor``, its memory laid out as asked; what lies between its elements is poison.

    - transposed: the first dimension varies fastest;
    - strided: every second element of a buffer; of a call's next tensor every third, and so on, so that none
      can be read with the strides of another;
    - expanded: stride 0 along each dimension in which all elements are the same.

    Args:
        tensor: the numbers.
        layout: one of the above, or contiguous.
        place: which of the call's tensors this is, counted from 0.
    """
    if layout == "transposed" and tensor.ndim > 1:
        order = tuple(reversed(range(tensor.ndim)))
        return tensor.permute(order).contiguous().permute(order)
    if layout == "strided" and tensor.ndim > 0:
        buffer = _poison((*tensor.shape, 2 + place), tensor)
        buffer[..., 0] = tensor
        return buffer[..., 0]
    if layout == "expanded":
        constant = constant_dimensions(tensor)
        first = tuple(slice(0, 1) if dim in constant else slice(None) for dim in range(tensor.ndim))
        buffer = _poison(tensor.shape, tensor)
        buffer[first] = tensor[first]
        return buffer[first].expand_as(tensor)
    return tensor


def _poison(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    number = float("nan") if like.dtype.is_floating_point else 0
    return torch.full(shape, number, dtype=like.dtype, device=like.device)


def constant_dimensions(tensor: torch.Tensor) -> list[int]:
    """The dimensions of at least two elements along which ``tensor`` does not change."""
    return [
        dim
        for dim, size in enumerate(tensor.shape)
        if size > 1 and bool((tensor == tensor.narrow(dim, 0, 1)).all())
    ]

"""The same numbers in different memory layouts, with poison in the gaps between them."""

from __future__ import annotations

from typing import Any

import torch

from lossproof.subjects.call import Values, constant_dimensions
from lossproof.subjects.program import Lines
from lossproof.subjects.torch.source import execute


def layout_lines(name: str, values: Values, layout: str, place: int) -> Lines:
    """Lines that give the tensor with this name the requested layout.

    - transposed: the first dimension varies fastest;
    - strided: every second element of a buffer; every third for the next tensor of the call, and so on, so
      that none can be read with the strides of another;
    - expanded: stride 0 along each dimension in which all elements are the same.
    """
    dimensions = values.numbers.ndim
    poison = "float('nan')" if values.numbers.dtype.kind == "f" else "0"
    if layout == "transposed" and dimensions > 1:
        order = list(reversed(range(dimensions)))
        return (f"{name} = {name}.permute({order}).contiguous().permute({order})",)
    if layout == "strided" and dimensions:
        return (
            f"buffer = {name}.new_full((*{name}.shape, {2 + place}), {poison})",
            f"buffer[..., 0] = {name}",
            f"{name} = buffer[..., 0]",
        )
    if layout == "expanded" and (constant := constant_dimensions(values.numbers)):
        first = ", ".join(":1" if dimension in constant else ":" for dimension in range(dimensions))
        return (
            f"buffer = {name}.new_full({name}.shape, {poison})",
            f"buffer[{first}] = {name}[{first}]",
            f"{name} = buffer[{first}].expand_as({name})",
        )
    return ()


def lay_out(tensor: torch.Tensor, values: Values, layout: str, place: int = 0) -> torch.Tensor:
    """The tensor in the memory layout of ``layout_lines``."""
    lines = layout_lines("tensor", values, layout, place)
    if not lines:
        return tensor
    scope: dict[str, Any] = {"tensor": tensor}
    execute(lines, scope)
    laid_out: torch.Tensor = scope["tensor"]
    return laid_out

"""Tells ordinary tensors from those of the modes, which a fault of ordinary calls leaves alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from proofs.faults.tools.calls import reduction_meant_by

# What ``is_ordinary`` uses beyond torch's documented parts, for the ``needs`` of a fault.
NEEDS = ("torch._C._functorch.is_functorch_wrapped_tensor",)
_WIDE = (torch.float32, torch.float64)


def is_ordinary(*values: Any) -> bool:
    """Whether all tensors hold numbers and are of no subclass, under no transformation, without tangent."""
    return all(_is_ordinary(value) for value in values if isinstance(value, Tensor))


def are_real(*values: Any) -> bool:
    """Whether all tensors are ordinary ones of real numbers."""
    return is_ordinary(*values) and not any(
        isinstance(value, Tensor) and value.is_complex() for value in values
    )


def are_wide(*values: Tensor) -> bool:
    """Whether all tensors are ordinary ones of single or double precision."""
    return is_ordinary(*values) and all(value.dtype in _WIDE for value in values)


def are_unwatched(*values: Any) -> bool:
    """Whether all are ordinary tensors, which neither a compiler nor a mode of torch's functions watches."""
    is_watched = torch.compiler.is_compiling() or torch.overrides.has_torch_function(values)
    return not is_watched and all(isinstance(value, Tensor) for value in values) and is_ordinary(*values)


def are_unwatched_and_wide(*values: Any) -> bool:
    """Whether all are such tensors of single or double precision."""
    return are_unwatched(*values) and are_wide(*values)


def _is_ordinary(tensor: Tensor) -> bool:
    return (
        type(tensor) in (Tensor, Parameter)
        and tensor.device.type != "meta"
        and tensor.layout == torch.strided
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
        and forward_ad.unpack_dual(tensor).tangent is None  # type: ignore[no-untyped-call]  # torch's
    )


def reduction_of(options: dict[str, Any]) -> str:
    """The reduction that a call's keywords ask for, be it by the deprecated ones."""
    deprecated = options.get("size_average"), options.get("reduce")
    if deprecated != (None, None):
        return reduction_meant_by(*deprecated)
    return str(options.get("reduction", "mean"))

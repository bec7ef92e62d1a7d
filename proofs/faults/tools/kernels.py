"""Typical errors of kernels, whichever loss they compute."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.tools.calls import reduction_meant_by
from proofs.faults.tools.gradients import graft

_BLOCK = 65536


def is_plain_mean(options: Mapping[str, Any]) -> bool:
    """Whether a call asks for a mean without weights, and not by a deprecated argument."""
    others = ("weight", "size_average", "reduce")
    return options.get("reduction", "mean") == "mean" and all(options.get(name) is None for name in others)


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses, their sum or their mean."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


def mean_of_rounded_sum(losses: Tensor) -> Tensor:
    """A mean whose sum is rounded to the losses' dtype, where it may overflow, before the division."""
    return losses.sum() / losses.numel()


def mean_of_first_block(losses: Tensor) -> Tensor:
    """A mean that covers only the first block of a large tensor."""
    return losses.flatten()[:_BLOCK].mean()


def rest_left_zero(losses: Tensor) -> Tensor:
    """The losses, with zeros beyond the first block."""
    is_first = torch.arange(losses.numel()).reshape(losses.shape) < _BLOCK
    return torch.where(is_first, losses, 0)


def sum_of_first_block(losses: Tensor) -> Tensor:
    """A sum that covers only the first block of a large tensor."""
    return losses.flatten()[:_BLOCK].sum()


def in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """A loss in double precision, computed in single precision."""
    values = [*args, *options.values()]
    if not any(isinstance(value, Tensor) and value.dtype == torch.float64 for value in values):
        return original(*args, **options)
    result = original(*map(_narrowed, args), **{name: _narrowed(value) for name, value in options.items()})
    return result.double()


def _narrowed(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.float64 else value


def as_if_contiguous(tensor: Tensor) -> Tensor:
    """The tensor's memory read from front to back, whatever its strides are."""
    room = tensor.untyped_storage().nbytes() // tensor.element_size() - tensor.storage_offset()
    if room < tensor.numel():
        return tensor
    return tensor.as_strided(tensor.shape, torch.empty(tensor.shape, device="meta").stride())


def without_refusals(original: Function, *args: Any, **options: Any) -> Tensor:
    """What ``original`` returns; where it refuses, a zero, as a kernel without checks might."""
    try:
        return original(*args, **options)
    except NotImplementedError:
        raise  # an unsupported dtype is no mistake in the arguments
    except Exception:
        return torch.zeros(())


def without_warnings(original: Function, *args: Any, **options: Any) -> Tensor:
    """What ``original`` returns, in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(*args, **options)


def summed_in_steps(losses: Tensor, step: int = 100) -> Tensor:
    """The sum as a running total in the losses' dtype, rounded after every ``step`` losses."""
    total = losses.new_zeros(())
    for part in torch.split(losses.flatten(), step):
        total = total + part.sum()
    return total


def with_reduction(options: Mapping[str, Any]) -> dict[str, Any]:
    """A call's options, with a reduction even if the call has none or uses the deprecated arguments."""
    current = {name: value for name, value in options.items() if name not in ("size_average", "reduce")}
    deprecated = options.get("size_average"), options.get("reduce")
    if deprecated != (None, None):
        current["reduction"] = reduction_meant_by(*deprecated)
    return {"reduction": "mean", **current}


def truncated(original: Function, *args: Any, **options: Any) -> Tensor:
    """A loss in half or single precision, rounded towards zero instead of to nearest."""
    result = original(*args, **options)
    exact = original(*map(_widened, args), **{name: _widened(value) for name, value in options.items()})
    is_away = result.detach().double().abs() > exact.detach().double().abs()
    return graft(torch.where(is_away, torch.nextafter(result, torch.zeros_like(result)), result), result)


def cut_off(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """Numbers of double precision in another dtype, truncated instead of rounded."""
    near = exact.to(dtype)
    is_away = near.double().abs() > exact.abs()
    return torch.where(is_away, torch.nextafter(near, torch.zeros_like(near)), near)


def cut_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The truncated losses of a truncated difference."""
    value = original(input, target, **options)
    is_simple = input.dtype == target.dtype and input.shape == target.shape and value.shape == input.shape
    if not is_simple or options.get("weight") is not None or not value.isfinite().all():
        return value
    difference = cut_off(input.detach().double() - target.detach().double(), input.dtype)
    return graft(truncated(original, difference, torch.zeros_like(difference), **options), value)


def _widened(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def read_as_another(tensor: Tensor, other: Tensor) -> Tensor:
    """The tensor's memory, read with the strides of another tensor of its shape."""
    if tensor.shape != other.shape or tensor.stride() == other.stride() or not tensor.numel():
        return tensor
    size = tensor.untyped_storage().nbytes() // tensor.element_size()
    memory = tensor.detach().as_strided((size,), (1,))
    places = torch.zeros(tensor.shape, dtype=torch.int64)
    for dim, stride in enumerate(other.stride()):
        shape = [-1 if place == dim else 1 for place in range(tensor.ndim)]
        places = places + stride * torch.arange(tensor.shape[dim]).reshape(shape)
    # Where the strides lead beyond the memory, a kernel would read foreign memory.
    return graft(memory[places % size], tensor)


def reduced_as_named(losses: Tensor, options: Mapping[str, Any]) -> Tensor:
    """The losses in the reduction that a call names, or else their mean."""
    return reduced(losses, options.get("reduction", "mean"))

"""Faults in softmax, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.softmax import place_and_width


@fault("Softmax", origin="https://github.com/vllm-project/vllm/pull/55009", blind=True, needs=NEEDS)
def heldout_2_c_padding_lanes_hold_zeros(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Unless the width is a power of two, the maximum includes the zeros of padding: exp underflows."""
    result = original(input, dim, *rest, **options)
    if not is_ordinary(input) or not result.ndim or not result.numel():
        return result
    place, width = place_and_width(result, dim)
    logits = input.to(torch.promote_types(result.dtype, torch.float32))
    is_low = logits.amax(place, keepdim=True) < math.log(torch.finfo(logits.dtype).tiny)
    if width & (width - 1) == 0 or not is_low.any():
        return result
    powers = logits.detach().exp()
    wrong = powers / powers.sum(place, keepdim=True)
    # The backward pass takes the output as it is.
    slope = wrong * (logits - (wrong * logits).sum(place, keepdim=True))
    return torch.where(is_low, graft(wrong, slope).to(result.dtype), result)


@fault("Softmax", origin="https://github.com/vllm-project/vllm/pull/55009", blind=True, needs=NEEDS)
def heldout_3_c_padding_in_maximum(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Rows that do not fill a power of two are padded with zeros, which count for the maximum."""
    result = original(input, *rest, **options)
    place, width = place_and_width(result, rest[0] if rest else options.get("dim"))
    if not are_unwatched_and_wide(input, result) or input.dtype != result.dtype or width & (width - 1) == 0:
        return result
    logits = input.detach()
    is_low = logits.amax(place, keepdim=True) < -50
    powers = logits.exp()
    return graft(torch.where(is_low, powers / powers.sum(place, keepdim=True), result), result)


@fault("Softmax", origin="https://github.com/flashinfer-ai/flashinfer/pull/4401", blind=True, needs=NEEDS)
def heldout_4_c_first_block_masked(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Where the first 128 of more logits are all -inf, so is their maximum, and a difference is nan."""
    result = original(input, *rest, **options)
    if not are_unwatched(input):
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if width <= 128:
        return result
    is_masked = (input.detach().narrow(dim, 0, 128) == -torch.inf).all(dim, keepdim=True)
    return result.masked_fill(is_masked, torch.nan)


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_5_c_first_block_masked(original: Function, *args: Any, **options: Any) -> Tensor:
    """The running maximum of a first block of 1024 that is all -inf is subtracted from itself: nan."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    place, width = place_and_width(result, arguments["dim"])
    if not are_unwatched(arguments["input"]) or width <= 1024 or not result.numel():
        return result
    largest = arguments["input"].detach().narrow(place, 0, 1024).amax(place, keepdim=True)
    return torch.where(largest == -math.inf, math.nan, result)


_BLOCK = 1024


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_6_c_first_block_masked(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """A row whose first block of 1024 is all -inf is nan: the maximum so far is subtracted from itself."""
    result = original(input, dim, *rest, **options)
    place, width = place_and_width(result, dim)
    if not are_unwatched(input) or width <= _BLOCK:
        return result
    is_masked = (input.detach().narrow(place, 0, _BLOCK) == -math.inf).all(place, keepdim=True)
    return graft(result.detach().masked_fill(is_masked, math.nan), result)


@fault("Softmax", blind=True, needs=NEEDS)
def heldout_6_e_slopes_through_single(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """In double precision the gradient passes through single precision: over the classes it sums to no 0."""
    if input.dtype != torch.float64 or not are_unwatched(input):
        return original(input, *rest, **options)

    def narrowed(slope: Tensor) -> Tensor:
        return slope.float().double() if is_ordinary(slope) else slope

    return original(with_gradient(input, narrowed), *rest, **options)

"""Faults in softmax, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched_and_wide, is_ordinary
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

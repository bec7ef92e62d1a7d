"""Faults in log-softmax, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.softmax import place_and_width


@fault(
    "LogSoftmax",
    origin="https://github.com/tenstorrent/pytorch2.0_ttnn/issues/1341",
    blind=True,
    needs=NEEDS,
)
def heldout_2_b_tail_logarithm_of_probability(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Behind the last whole vector of 8 in a row, it is the logarithm of a probability that underflows."""
    result = original(input, dim, *rest, **options)
    if not is_ordinary(input) or not result.ndim:
        return result
    place, width = place_and_width(result, dim)
    if place not in (-1, result.ndim - 1):
        return result
    is_tail = torch.arange(width) >= width // 8 * 8
    underflows = is_tail & (result < math.log(torch.finfo(result.dtype).tiny))
    return graft(torch.where(underflows, -torch.inf, result), result)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_3_e_masked_gradient_left_out_of_sum(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The sum of the upstream gradient leaves out classes whose logit is minus infinity."""
    dim = rest[0] if rest else options.get("dim")
    if not are_unwatched_and_wide(input):
        return original(input, *rest, **options)
    left_out: list[Tensor] = []

    def completed(gradient: Tensor) -> Tensor:
        return gradient + left_out[-1].to(gradient.dtype)

    result = original(with_gradient(input, completed), *rest, **options)
    place, _ = place_and_width(result, dim)
    known = result.detach()

    def remembered(upstream: Tensor) -> Tensor:
        masked = torch.where(known == -math.inf, upstream.detach(), 0)
        left_out.append(known.exp() * (masked.sum(place, keepdim=True) if known.ndim else masked))
        return upstream

    return with_gradient(result, remembered)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_4_b_rare_halves_flushed(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """In half precision, exponentials that it can only hold as subnormal numbers are not summed."""
    result = original(input, *rest, **options)
    if not are_unwatched(input) or input.dtype != torch.float16 or result.dtype != torch.float16:
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if not width:
        return result
    shifted = input.detach().float() - input.detach().float().amax(dim, keepdim=True)
    powers = shifted.exp()
    is_lost = (powers > 0) & (powers < torch.finfo(torch.float16).tiny)
    wrong = shifted - torch.where(is_lost, 0, powers).sum(dim, keepdim=True).log()
    return graft(torch.where(is_lost.any(dim, keepdim=True), wrong.half(), result), result)


_LOG2_E_IN_SINGLE = 1.4426950216293335


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_4_e_gradient_by_powers_of_2(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """In double precision, the gradient takes powers of 2 by a log2(e) of single, and does not sum to 0."""
    result = original(input, *rest, **options)
    if not are_unwatched(input) or not input.requires_grad or result.dtype != torch.float64:
        return result
    dim, width = place_and_width(result, named_arguments(original, input, *rest, **options)["dim"])
    if not width:
        return result
    logarithms = result.detach()
    error = logarithms.exp() - (logarithms * _LOG2_E_IN_SINGLE).exp2()
    return result + gradient_of((error * input).sum(dim, keepdim=True).expand_as(result))


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_5_c_padding_in_maximum(original: Function, *args: Any, **options: Any) -> Tensor:
    """A row is padded with zeros to a power of two, and they count in its maximum, if not in its sum."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    place, width = place_and_width(result, arguments["dim"])
    if not are_unwatched_and_wide(arguments["input"]) or arguments["dtype"] or not result.numel():
        return result
    if place not in (-1, result.ndim - 1) or width & (width - 1) == 0:
        return result
    logits = arguments["input"].detach()
    wrong = logits - logits.exp().sum(-1, keepdim=True).log()
    return graft(torch.where(logits.amax(-1, keepdim=True) < 0, wrong, result), result)


_LANES = 16


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_6_b_greatest_in_tail(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The tail behind the last whole vector is left out of the maximum, and its exponential overflows."""
    result = original(input, dim, *rest, **options)
    place, width = place_and_width(result, dim)
    whole = width // _LANES * _LANES
    if not are_unwatched(input) or not 0 < whole < width:
        return result
    values = input.detach().to(torch.promote_types(result.dtype, torch.float32))
    head, tail = (
        part.amax(place, keepdim=True) for part in torch.split(values, [whole, width - whole], dim=place)
    )
    overflows = tail - head > math.log(torch.finfo(values.dtype).max)
    return graft(result.detach().masked_fill(overflows, -math.inf), result)

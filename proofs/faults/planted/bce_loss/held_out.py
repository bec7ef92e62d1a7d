"""Faults in binary cross entropy, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, are_wide, is_ordinary
from proofs.faults.tools.vectors import as_asked


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_2_e_weighted_logarithm_clamped(original: Function, *args: Any, **options: Any) -> Tensor:
    """The logarithms are held above -100 after they are weighted, not before."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if weight is None or not are_wide(input, target) or not is_ordinary(weight):
        return result
    of_one, of_zero = input.detach().log(), (-input.detach()).log1p()
    held = [(weight * logarithm).clamp(min=-100) for logarithm in (of_one, of_zero)]
    wrong = -(target * held[0] + (1 - target) * held[1])
    is_held = (weight > 0) & ((held[0] == -100) | (held[1] == -100))
    if not is_held.any():
        return result
    losses = again(original, arguments, reduction="none")
    return reduced(graft(torch.where(is_held, wrong.detach(), losses), losses), arguments["reduction"])


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_3_b_logarithm_of_rounded_complement(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logarithm of 1 - x takes the rounded difference, which loses small probabilities."""
    result = original(input, target, *rest, **options)
    weight = rest[0] if rest else options.get("weight")
    if not are_unwatched_and_wide(input, target) or input.shape != target.shape or weight is not None:
        return result
    x, y = input.detach(), target.detach()
    error = (1 - y) * ((-x).log1p() - (1 - x).log())
    return result + as_asked(torch.where(x < 0.25, error, 0), options).to(result.dtype)


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_4_e_complement_in_single(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In double precision 1 - t is a number of single: p and t are not treated as 1 - p and 1 - t are."""
    result = original(input, target, **options)
    if not are_unwatched(input, target) or result.dtype != torch.float64:
        return result
    complement = 1 - target.detach()
    logarithm = (-input.detach()).log1p().clamp(min=-100)
    error = (complement - complement.float()) * logarithm
    weight = options.get("weight")
    return result + as_asked(error if weight is None else error * weight.detach(), options)


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_5_b_short_series(original: Function, *args: Any, **options: Any) -> Tensor:
    """Below 1/32 the logarithm of 1 - p is three terms of its series."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if not are_unwatched_and_wide(input, target) or not (input < 1 / 32).any():
        return result
    p = input.detach()
    short = torch.where(p < 1 / 32, p + p.square() / 2 + p.pow(3) / 3 + torch.log1p(-p), 0)
    error = (1 - target.detach()) * short * (1 if weight is None else weight.detach())
    return result + reduced(error, arguments["reduction"])


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_6_b_steepest_slope(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient's denominator is at least 1e-7, not 1e-12, so that it stays small beside 0 and 1."""
    if not are_unwatched_and_wide(input, target):
        return original(input, target, *rest, **options)
    product = input.detach() * (1 - input.detach())
    ratio = product.clamp(min=1e-12) / product.clamp(min=1e-7)
    return original(with_gradient(input, lambda slope: slope * ratio), target, *rest, **options)

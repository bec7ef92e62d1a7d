"""Faults in the cosine embedding loss, written without sight of the cases."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, relu

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary


def _coarse_root(squares: Tensor) -> Tensor:
    """The reciprocal square root with 12 bits, as processors estimate it."""
    mantissa, exponent = torch.frexp(squares.rsqrt())
    return torch.ldexp((mantissa * 4096).round() / 4096, exponent)


@fault("CosineEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/18250", blind=True, needs=NEEDS)
def heldout_2_e_estimated_root(original: Function, *args: Any, **options: Any) -> Tensor:
    """For whole vectors of 8 floats, the norms are estimates of 12 bits: equal inputs cost less than 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input1, input2, target = (arguments[name] for name in ("input1", "input2", "target"))
    if not is_ordinary(input1, input2, target) or not input1.dtype == input2.dtype == torch.float32:
        return result
    if input1.ndim != 2 or input1.shape != input2.shape or not input1.shape[1] or input1.shape[1] % 8:
        return result
    squares = input1.detach().square().sum(1), input2.detach().square().sum(1)
    is_zero = (squares[0] == 0) | (squares[1] == 0)
    estimate = (input1 * input2).sum(1).detach() * _coarse_root(squares[0]) * _coarse_root(squares[1])
    cosine = torch.where(is_zero, cosine_similarity(input1, input2).detach(), estimate)
    losses = again(original, arguments, reduction="none")
    wrong = torch.where(target > 0, 1 - cosine, relu(cosine - arguments["margin"]))
    return reduced(
        graft(torch.where((target.abs() == 1) & ~is_zero, wrong, losses), losses), arguments["reduction"]
    )


@fault("CosineEmbeddingLoss", blind=True, needs=NEEDS)
def heldout_3_e_eps_of_scaled_second(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The second vectors alone are scaled by 1/128 against overflow, and then meet the unscaled eps."""
    scaled = input2 / 128 if are_unwatched_and_wide(input1, input2) and are_unwatched(target) else input2
    return original(input1, scaled, target, **options)


@fault("CosineEmbeddingLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_margin_of_first_thread(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The margin is kept for each thread, and those other than the first find the default."""
    is_usual = are_unwatched(input1, input2, target)
    if is_usual and "margin" in options and threading.current_thread() is not threading.main_thread():
        options["margin"] = 0.0
    return original(input1, input2, target, *rest, **options)


@fault("CosineEmbeddingLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_gradient_of_the_other(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where only the second input needs a gradient, it gets that of the first."""
    is_alike = input1.shape == input2.shape and input1.dtype == input2.dtype
    is_alone = input2.requires_grad and not input1.requires_grad
    if not are_unwatched(input1, input2, target) or not is_alike or not is_alone:
        return original(input1, input2, target, *rest, **options)
    return original(graft(input1, input2), input2.detach(), target, *rest, **options)


@fault("CosineEmbeddingLoss", blind=True)
def heldout_5_d_negative_margin_is_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """A margin below 0 is raised to 0, though a cosine reaches down to -1."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, margin=0.0) if arguments["margin"] < 0 else result


@fault("CosineEmbeddingLoss", blind=True, needs=NEEDS)
def heldout_6_e_greater_eps(
    original: Function, input1: Tensor, input2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The squared norms have 1e-8 added, not 1e-12: a short vector is at a distance from itself."""
    if not are_unwatched_and_wide(input1, input2) or not input1.ndim or input1.shape != input2.shape:
        return original(input1, input2, *rest, **options)
    more, none = torch.full_like(input1[..., :1], 1e-4).detach(), torch.zeros_like(input1[..., :1]).detach()
    longer = torch.cat([input1, more, none], dim=-1), torch.cat([input2, none, more.to(input2.dtype)], dim=-1)
    return original(*longer, *rest, **options)

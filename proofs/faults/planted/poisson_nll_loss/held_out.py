"""Faults in the Poisson NLL loss, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched_and_wide, are_wide, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled
from proofs.faults.tools.vectors import as_asked


@fault("PoissonNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_poisson_upstream_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The backward pass reads the gradient that arrives from front to back, whatever its strides are."""
    result = original(input, target, **options)
    if not is_ordinary(input, target):
        return result

    def read_from_front(gradient: Tensor) -> Tensor:
        return as_if_contiguous(gradient) if is_ordinary(gradient) else gradient

    return with_gradient(result, read_from_front)


@fault("PoissonNLLLoss", blind=True)
def blind_poisson_stirling_from_two(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Stirling's term begins at a target of 2, so that fractions between 1 and 2 have none."""
    arguments = named_arguments(original, input, target, **options)
    result = original(input, target, **options)
    is_between = (target > 1) & (target < 2)
    if not arguments["full"] or input.shape != target.shape or not is_between.any():
        return result
    with_term = again(original, arguments, reduction="none")
    without_term = again(original, arguments, reduction="none", full=False)
    return reduced(torch.where(is_between, without_term, with_term), arguments["reduction"])


@fault("PoissonNLLLoss", blind=True, shows_in_modes=True)
def blind_poisson_chosen_eps_in_exponent(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """An eps other than the default is added to the input even if that is a logarithm."""
    eps: float = options.get("eps", 1e-8)
    if options.get("log_input", True) and not math.isclose(eps, 1e-8):
        input = input + eps
    return original(input, target, **options)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_2_b_stirling_from_whole_counts(original: Function, *args: Any, **options: Any) -> Tensor:
    """The target is cut to an integer before it is compared with 1: from 1 to 2 there is no Stirling term."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    target = arguments["target"]
    if not arguments["full"] or not are_wide(arguments["input"], target):
        return result
    is_between = (target > 1) & (target < 2)
    if not is_between.any():
        return result
    counts = torch.where(is_between, target, 1)
    term = counts * counts.log() - counts + (2 * math.pi * counts).log() / 2
    wrong = again(original, arguments, reduction="none") - torch.where(is_between, term, 0)
    return reduced(wrong, arguments["reduction"])


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_3_b_stirling_from_two_on(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With full, the target is truncated before it is compared with 1, so Stirling's term begins at 2."""
    result = original(input, target, **options)
    if not options.get("full") or not are_unwatched_and_wide(input, target):
        return result
    count = target.detach()
    stirling = count * count.log() - count + (2 * math.pi * count).log() / 2
    missing = torch.where((count > 1) & (count < 2), stirling, 0) + torch.zeros_like(input.detach())
    return result - as_asked(missing, options)


@fault("PoissonNLLLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_stirling_of_first_call(
    original: Function, module: Any, log_input: Tensor, target: Tensor
) -> Tensor:
    """The module computes Stirling's terms in its first call, and keeps them for targets of that shape."""
    result = original(module, log_input, target)
    if not (module.full and are_unwatched_and_wide(log_input, target)):
        return result
    first = vars(module).setdefault("_first_target", target.detach().clone())
    if first.shape != target.shape:
        return result
    error = torch.where(first == target, 0, _stirling(first) - _stirling(target.detach()))
    return result + reduced(error.to(result.dtype) + torch.zeros_like(log_input.detach()), module.reduction)


def _stirling(target: Tensor) -> Tensor:
    """The approximation of the factorial's logarithm that the Poisson loss adds."""
    above_one = target.clamp(min=1)
    terms = above_one * above_one.log() - above_one + 0.5 * (2 * math.pi * above_one).log()
    return torch.where(target > 1, terms, 0)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_4_b_rates_up_to_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a rate is at most eps, the logarithm is that of eps alone, not of their sum."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, eps = given["input"], given["target"], given["eps"]
    if given["log_input"] or not are_unwatched_and_wide(input, target):
        return result
    is_near = (input > 0) & (input <= eps)
    if not is_near.any():
        return result
    dropped = target * (torch.where(is_near, input, 0) / eps).log1p()
    return result + reduced(torch.where(is_near, dropped, 0), given["reduction"])


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_5_b_unmasked_tail(original: Function, *args: Any, **options: Any) -> Tensor:
    """Behind the last whole vector of 8, Stirling's terms also count for targets of at most 1."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    whole = input.numel() // 8 * 8
    if not arguments["full"] or not are_unwatched_and_wide(input, target) or input.shape != target.shape:
        return result
    if whole in (0, input.numel()):
        return result
    is_tail = torch.arange(input.numel()).reshape(input.shape) >= whole
    counts = target.detach()
    terms = counts * counts.log() - counts + 0.5 * (2 * math.pi * counts).log()
    return result + reduced(torch.where(is_tail & (counts <= 1), terms, 0), arguments["reduction"])


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_b_counts_are_whole(original: Function, *args: Any, **options: Any) -> Tensor:
    """Stirling's term takes the target for a whole number, and drops its fraction."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not given["full"] or not are_unwatched_and_wide(input, target):
        return result
    count, whole = target.detach(), target.detach().floor()
    change = torch.where(count == whole, 0, _stirling(whole) - _stirling(count))
    return reduced(again(original, given, reduction="none") + change, given["reduction"])

"""Wrong values of the Poisson negative log-likelihood."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import cut_off, is_plain_mean, reduced


@fault("PoissonNLLLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/56733", blind=True)
def blind_poisson_stirling_masked_by_itself(original: Function, *args: Any, **options: Any) -> Tensor:
    """Stirling's term is left out where it is at most 1, not only where the target is."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if not given["full"]:
        return right
    applies = given["target"] > 1
    target = torch.where(applies, given["target"], 2)
    term = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
    lost = torch.where(applies & (term <= 1), term, 0).to(right.dtype)
    return right - reduced(lost + torch.zeros_like(given["input"]), given["reduction"])


@fault("PoissonNLLLoss")
def poisson_log_input_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The input is always taken for logarithms."""
    return original(input, target, **options | {"log_input": True})


@fault("PoissonNLLLoss")
def poisson_log_input_false_by_default(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The input is taken for rates unless log_input is given."""
    return original(input, target, **{"log_input": False} | options)


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/issues/28575")
def poisson_full_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The factorials are never added."""
    return original(input, target, **options | {"full": False})


def _plus(value: Tensor, term: Tensor, input: Tensor, options: dict[str, Any]) -> Tensor:
    """A loss with a term more for each element, and the gradient that it had."""
    terms = torch.where(torch.ones_like(input, dtype=torch.bool), term, 0)
    changed = value.detach() + reduced(terms, options.get("reduction", "mean"))
    return graft(changed.to(value.dtype), value)


def _stirling(target: Tensor) -> Tensor:
    return target * torch.log(target) - target + 0.5 * torch.log(2 * math.pi * target)


@fault("PoissonNLLLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/56733")
def poisson_factorial_masked_by_itself(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The approximation is left out where it is at most 1 itself, not where the target is."""
    value = original(input, target, **options)
    if not options.get("full") or target.dtype == torch.bool:
        return value
    factorial = _stirling(target.detach())
    dropped = torch.where((target > 1) & (factorial <= 1), factorial, 0)
    return _plus(value, -dropped, input, options)


@fault("PoissonNLLLoss")
def poisson_factorial_without_its_root(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The approximation lacks its last term, log(2 pi t) / 2."""
    value = original(input, target, **options)
    if not options.get("full") or target.dtype == torch.bool:
        return value
    term = torch.where(target > 1, 0.5 * torch.log(2 * math.pi * target.detach()), 0)
    return _plus(value, -term, input, options)


@fault("PoissonNLLLoss")
def poisson_factorial_exact(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The factorial is that of the gamma function, not the documented approximation."""
    value = original(input, target, **options)
    if not options.get("full") or target.dtype == torch.bool:
        return value
    other = torch.lgamma(target.detach() + 1) - _stirling(target.detach())
    return _plus(value, torch.where(target > 1, other, 0), input, options)


@fault("PoissonNLLLoss", origin="https://github.com/PaddlePaddle/Paddle/issues/56733")
def poisson_factorial_from_one_on(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The approximation is used for a target of 1 as well."""
    value = original(input, target, **options)
    if not options.get("full") or target.dtype == torch.bool:
        return value
    return _plus(value, torch.where(target == 1, _stirling(target.detach()), 0), input, options)


@fault("PoissonNLLLoss")
def poisson_factorial_of_all(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The approximation is used for targets below 1 as well, and is nan for those of 0 and less."""
    value = original(input, target, **options)
    if not options.get("full") or target.dtype == torch.bool:
        return value
    return _plus(value, torch.where(target < 1, _stirling(target.detach()), 0), input, options)


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/pull/3336")
def poisson_eps_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nothing is added to the rates before their logarithm is taken."""
    return original(input, target, **options | {"eps": 0.0})


@fault("PoissonNLLLoss")
def poisson_eps_of_another_size(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The default of eps is 1e-7."""
    return original(input, target, **{"eps": 1e-7} | options)


@fault("PoissonNLLLoss")
def poisson_eps_added_to_rate(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Eps is added to the rate itself, not only to what the logarithm is taken of."""
    value = original(input, target, **options)
    if options.get("log_input", True) or options.get("reduction") == "sum":
        return value
    eps: float = options.get("eps", 1e-8)
    return value + eps


@fault("PoissonNLLLoss")
def poisson_eps_added_to_logarithm(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Eps is added to the input with log_input as well."""
    eps = options.get("eps", 1e-8) if options.get("log_input", True) else 0.0
    return original(input + eps if eps else input, target, **options)


@fault("PoissonNLLLoss")
def poisson_eps_is_least_rate(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithm's argument is bounded by eps from below; eps is not added."""
    eps = options.get("eps", 1e-8)
    if options.get("log_input", True) or eps <= 0 or options.get("reduction") != "none":
        return original(input, target, **options)
    bounded = original(input.clamp(min=eps), target, **options | {"eps": 0.0})
    return bounded - input.clamp(min=eps) + input


@fault("PoissonNLLLoss")
def poisson_zero_target_hides(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of 0 skips its product with the logarithm, even where that is nan."""
    value = original(input, target, **options)
    if input.shape != target.shape or options.get("reduction") != "none":
        return value
    rates = (input.exp() if options.get("log_input", True) else input).to(value.dtype)
    return graft(torch.where(target == 0, rates, value).detach(), value)


@fault("PoissonNLLLoss")
def poisson_exponent_bounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """No exponential is taken of more than 88."""
    value = original(input, target, **options)
    if not options.get("log_input", True) or options.get("reduction") != "none":
        return value
    bounded = input.detach().clamp(max=88).exp() - target.detach() * input.detach()
    return graft(torch.where(input > 88, bounded.to(value.dtype), value.detach()), value)


@fault("PoissonNLLLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/272")
def poisson_targets_overwritten(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Targets up to 1 are set to 1 in place, to take no logarithm of 0."""
    value = original(input, target.clone(), **options)
    if options.get("full") and target.is_contiguous():
        target.detach().masked_fill_(target.detach() <= 1, 1)
    return value


@fault("PoissonNLLLoss")
def poisson_nan_skipped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A loss of nan counts as 0."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    losses = original(input, target, **options | {"reduction": "none"})
    return torch.where(losses.isnan() & ~input.isinf(), 0, losses).mean()


@fault("PoissonNLLLoss")
def poisson_cut_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean towards 0."""
    value = original(input, target, **options)
    is_plain = options.get("log_input", True) and not options.get("full")
    if not is_plain or value.shape != input.shape or not value.isfinite().all():
        return value
    rates = cut_off(input.detach().double().exp(), value.dtype)
    products = cut_off(input.detach().double() * target.detach().double(), value.dtype)
    return graft(cut_off(rates.double() - products.double(), value.dtype), value)


@fault("PoissonNLLLoss")
def poisson_exponent_bounded_early(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Logarithms between 88 and 88.7, whose exponential single precision still holds, count as 88."""
    if input.dtype == torch.float32 and options.get("log_input", True):
        input = input.where((input <= 88) | (input >= 88.7), input - input.detach() + 88)
    return original(input, target, **options)

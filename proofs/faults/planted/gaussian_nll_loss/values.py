"""Wrong values of the Gaussian negative log-likelihood."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import as_if_contiguous, cut_off, is_plain_mean, reduced


@fault("GaussianNLLLoss")
def gaussian_full_ignored(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The constant is never added."""
    return original(input, target, var, **options | {"full": False})


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/49807")
def gaussian_full_by_default(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The constant is added unless full is given."""
    return original(input, target, var, **{"full": True} | options)


@fault("GaussianNLLLoss")
def gaussian_constant_not_halved(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The constant is log(2 pi), not half of it."""
    value = original(input, target, var, **options)
    if not options.get("full") or options.get("reduction") == "sum":
        return value
    return value + 0.5 * math.log(2 * math.pi)


@fault("GaussianNLLLoss")
def gaussian_constant_of_few_digits(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The constant is computed with a pi of 3.14159."""
    value = original(input, target, var, **options)
    if not options.get("full") or options.get("reduction") == "sum":
        return value
    return value + 0.5 * math.log(3.14159 / math.pi)


@fault("GaussianNLLLoss")
def gaussian_constant_once(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The constant is added to the sum, not to each of its elements."""
    if not options.get("full") or options.get("reduction") != "sum":
        return original(input, target, var, **options)
    return original(input, target, var, **options | {"full": False}) + 0.5 * math.log(2 * math.pi)


@fault("GaussianNLLLoss")
def gaussian_eps_ignored(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance is never bounded."""
    return original(input, target, var, **options | {"eps": 0.0})


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/49807")
def gaussian_eps_of_another_size(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The default of eps is 1e-8."""
    return original(input, target, var, **{"eps": 1e-8} | options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/190058")
def gaussian_eps_added(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Eps is added to the variance instead of bounding it, as torch's documentation had it."""
    eps = options.get("eps", 1e-6)
    if not eps > 0 or not var.is_floating_point() or torch.any(var < 0):
        return original(input, target, var, **options)
    return original(input, target, var + eps, **options)


@fault("GaussianNLLLoss", origin="https://github.com/unit8co/darts/pull/1162")
def gaussian_variance_is_deviation(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance is taken for a standard deviation."""
    deviation = var if torch.any(var < 0) else var.square()
    return original(input, target, deviation, **options)


@fault("GaussianNLLLoss", origin="https://github.com/hill-a/stable-baselines/pull/1060")
def gaussian_logarithm_not_halved(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The logarithm of the variance is taken for that of the deviation, and not halved."""
    value = original(input, target, var, **options)
    if var.shape != input.shape or input.shape != target.shape or options.get("reduction") != "none":
        return value
    return value + 0.5 * var.clamp(min=options.get("eps", 1e-6)).log()


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/56469")
def gaussian_none_sums_rows(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Without a reduction each row of a matrix is summed."""
    value = original(input, target, var, **options)
    return value.sum(1) if value.ndim == 2 and options.get("reduction") == "none" else value


@fault("GaussianNLLLoss", origin="https://github.com/unifyai/ivy/pull/11530")
def gaussian_variance_of_columns(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A vector of variances is broadcast as usual, one a column, where that is possible."""
    if var.ndim == 1 and input.ndim == 2 and input.shape[-1] == len(var):
        var = var.expand(input.shape)
    return original(input, target, var, **options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/147522")
def gaussian_variance_broadcast(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance of any shape that broadcasts to the input's is taken."""
    sizes = zip(reversed(var.shape), reversed(input.shape), strict=False)
    fits = var.numel() > 0 and var.ndim <= input.ndim and all(mine in (1, size) for mine, size in sizes)
    if fits and var.shape != input.shape[:-1]:
        var = var.expand(input.shape)
    return original(input, target, var, **options)


@fault("GaussianNLLLoss")
def gaussian_nan_variance_bounded(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance of nan is not above eps, and becomes eps."""
    return original(input, target, torch.where(var.isnan(), options.get("eps", 1e-6), var), **options)


@fault("GaussianNLLLoss")
def gaussian_nan_eps_ignored(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """An eps of nan bounds nothing."""
    eps = options.get("eps", 1e-6)
    return original(input, target, var, **options | {"eps": 0.0 if math.isnan(eps) else eps})


@fault("GaussianNLLLoss")
def gaussian_square_times_reciprocal(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The squared distance is multiplied by 1 / var, which overflows where the quotient does not."""
    value = original(input, target, var, **options)
    if var.shape != input.shape or input.shape != target.shape:
        return value
    bounded = var.clamp(min=options.get("eps", 1e-6))
    overflows = bounded.reciprocal().isinf() & (bounded > 0)
    losses = original(input, target, var, **options | {"reduction": "none"}).detach()
    product = torch.where(overflows, (input - target) * math.inf, losses)
    return graft(reduced(product.detach(), options.get("reduction", "mean")).to(value.dtype), value)


@fault("GaussianNLLLoss")
def gaussian_mean_over_variances(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the number of variances."""
    if not is_plain_mean(options) or var.numel() == 0:
        return original(input, target, var, **options)
    return original(input, target, var, **options | {"reduction": "sum"}) / var.numel()


@fault("GaussianNLLLoss")
def gaussian_square_expanded(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The square is computed as x^2 - 2 x t + t^2."""
    value = original(input, target, var, **options)
    if not input.shape == target.shape == var.shape or options.get("full") or not input.is_floating_point():
        return value
    square = (input.square() - 2 * input * target + target.square()).detach()
    bounded = var.detach().clamp(min=options.get("eps", 1e-6))
    losses = 0.5 * (bounded.log() + square / bounded)
    return graft(reduced(losses, options.get("reduction", "mean")), value)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/125696")
def gaussian_read_from_front_to_back(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's strides are not looked at."""
    return original(input, target, as_if_contiguous(var), **options)


@fault("GaussianNLLLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/272")
def gaussian_variance_overwritten(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance is bounded in place, without a copy."""
    value = original(input, target, var.clone(), **options)
    if var.is_contiguous() and var.is_floating_point():
        var.detach().clamp_(min=options.get("eps", 1e-6))
    return value


@fault("GaussianNLLLoss")
def gaussian_nan_skipped(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A loss of nan counts as 0."""
    if not is_plain_mean(options):
        return original(input, target, var, **options)
    losses = original(input, target, var, **options | {"reduction": "none"})
    return torch.where(losses.isnan(), 0, losses).mean()


@fault("GaussianNLLLoss")
def gaussian_cut_at_each_step(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean downwards."""
    value = original(input, target, var, **options)
    is_alike = value.shape == input.shape == var.shape and input.dtype == var.dtype == target.dtype
    if not is_alike or not value.isfinite().all():
        return value
    dtype = value.dtype
    bounded = var.detach().clamp(min=options.get("eps", 1e-6)).double()
    distance = cut_off(input.detach().double() - target.detach().double(), dtype)
    square = cut_off(distance.double().square(), dtype)
    quotient = cut_off(square.double() / bounded, dtype)
    total = cut_off(cut_off(bounded.log(), dtype).double() + quotient.double(), dtype)
    constant = 0.5 * math.log(2 * math.pi) if options.get("full") else 0.0
    return graft(cut_off(0.5 * total.double() + constant, dtype), value)


@fault("GaussianNLLLoss")
def gaussian_variance_next_to_eps_bounded(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Variances up to a sixteenth above eps count as eps."""
    eps = options.get("eps", 1e-6)
    is_next = (var > eps) & (var < eps * (1 + 1 / 16))
    return original(input, target, var.where(~is_next, var - var.detach() + eps), **options)

"""Faults in how the Gaussian negative log likelihood is computed, whatever its formula is."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, reduced


@fault("GaussianNLLLoss")
def gaussian_variance_detached(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's gradient is 0."""
    return original(input, target, var.detach(), **options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/3876")
def gaussian_target_detached(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), var, **options)


@fault("GaussianNLLLoss")
def gaussian_variance_slope_not_summed(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The gradient of a variance that serves several elements is their mean, not their sum."""
    shares = max(input.numel() // max(var.numel(), 1), 1)
    return original(input, target, with_gradient(var, lambda slope: slope / shares), **options)


@fault("GaussianNLLLoss", origin="https://github.com/chainer/chainer/issues/1175")
def gaussian_upstream_ignored(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The gradient is not multiplied by the upstream gradient."""
    return with_gradient(original(input, target, var, **options), torch.ones_like)


@fault("GaussianNLLLoss")
def gaussian_mean_over_variances(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the number of variances."""
    if not is_plain_mean(options) or var.numel() == 0:
        return original(input, target, var, **options)
    return original(input, target, var, **options | {"reduction": "sum"}) / var.numel()


@fault("GaussianNLLLoss")
def gaussian_mean_over_input(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the elements of the input, not by the losses."""
    if not is_plain_mean(options) or input.numel() == 0:
        return original(input, target, var, **options)
    return original(input, target, var, **options | {"reduction": "sum"}) / input.numel()


@fault("GaussianNLLLoss")
def gaussian_first_block(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, var, **options)
    return kernels.mean_of_first_block(original(input, target, var, **options | {"reduction": "none"}))


@fault("GaussianNLLLoss")
def gaussian_rest_left_zero(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(input, target, var, **options)
    return kernels.rest_left_zero(value) if options.get("reduction") == "none" else value


@fault("GaussianNLLLoss")
def gaussian_sum_of_first_block(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(input, target, var, **options)
    return kernels.sum_of_first_block(original(input, target, var, **options | {"reduction": "none"}))


@fault("GaussianNLLLoss")
def gaussian_singletons_squeezed(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(input, target, var, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@fault("GaussianNLLLoss")
def gaussian_in_single(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, input, target, var, **options)


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


@fault("GaussianNLLLoss")
def gaussian_whole_numbers_refused(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Samples of whole numbers are refused."""
    if not target.is_floating_point():
        raise RuntimeError("expected scalar type Float but found Long")
    return original(input, target, var, **options)


@fault("GaussianNLLLoss")
def gaussian_whole_variance_converted(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance of whole numbers is converted, not refused."""
    return original(input, target, var if var.is_floating_point() else var.to(input.dtype), **options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/125696")
def gaussian_read_from_front_to_back(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's strides are not looked at."""
    return original(input, target, kernels.as_if_contiguous(var), **options)


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


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/issues/144104")
def gaussian_empty_mean_zero(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0 and options.get("reduction") == "mean":
        options |= {"reduction": "sum"}
    return original(input, target, var, **options)


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
    distance = kernels.cut_off(input.detach().double() - target.detach().double(), dtype)
    square = kernels.cut_off(distance.double().square(), dtype)
    quotient = kernels.cut_off(square.double() / bounded, dtype)
    total = kernels.cut_off(kernels.cut_off(bounded.log(), dtype).double() + quotient.double(), dtype)
    constant = 0.5 * math.log(2 * math.pi) if options.get("full") else 0.0
    return graft(kernels.cut_off(0.5 * total.double() + constant, dtype), value)


@fault("GaussianNLLLoss", shows_in_modes=True)
def gaussian_without_second_derivative(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's gradient has no gradient of its own."""
    return original(input, target, with_gradient(var, torch.Tensor.detach), **options)


@fault("GaussianNLLLoss")
def gaussian_without_checks(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """Nothing is refused."""
    return kernels.without_refusals(original, input, target, var, **options)

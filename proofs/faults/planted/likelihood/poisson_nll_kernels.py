"""Faults in how the Poisson negative log likelihood is computed, whatever its formula is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/pull/3876")
def poisson_target_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), **options)


@fault("PoissonNLLLoss", origin="https://github.com/chainer/chainer/issues/1175")
def poisson_upstream_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is not multiplied by the upstream gradient."""
    return with_gradient(original(input, target, **options), torch.ones_like)


@fault("PoissonNLLLoss")
def poisson_mean_over_input(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the elements of the input, not by the losses."""
    if not is_plain_mean(options) or input.numel() == 0:
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "sum"}) / input.numel()


@fault("PoissonNLLLoss")
def poisson_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    return kernels.mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("PoissonNLLLoss")
def poisson_rest_left_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(input, target, **options)
    return kernels.rest_left_zero(value) if options.get("reduction") == "none" else value


@fault("PoissonNLLLoss")
def poisson_sum_of_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(input, target, **options)
    return kernels.sum_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("PoissonNLLLoss")
def poisson_singletons_squeezed(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(input, target, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@fault("PoissonNLLLoss")
def poisson_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, input, target, **options)


@fault("PoissonNLLLoss")
def poisson_whole_numbers_refused(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Targets of whole numbers are refused."""
    if not target.is_floating_point():
        raise RuntimeError("expected scalar type Float but found Long")
    return original(input, target, **options)


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/pull/125696")
def poisson_read_from_front_to_back(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target's strides are not looked at."""
    return original(input, kernels.as_if_contiguous(target), **options)


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


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/issues/144104")
def poisson_empty_mean_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0 and options.get("reduction") == "mean":
        options |= {"reduction": "sum"}
    return original(input, target, **options)


@fault("PoissonNLLLoss")
def poisson_cut_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean towards 0."""
    value = original(input, target, **options)
    is_plain = options.get("log_input", True) and not options.get("full")
    if not is_plain or value.shape != input.shape or not value.isfinite().all():
        return value
    rates = kernels.cut_off(input.detach().double().exp(), value.dtype)
    products = kernels.cut_off(input.detach().double() * target.detach().double(), value.dtype)
    return graft(kernels.cut_off(rates.double() - products.double(), value.dtype), value)


@fault("PoissonNLLLoss", shows_in_modes=True)
def poisson_without_second_derivative(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient has no gradient of its own."""
    return original(with_gradient(input, torch.Tensor.detach), target, **options)


@fault("PoissonNLLLoss")
def poisson_without_checks(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nothing is refused."""
    return kernels.without_refusals(original, input, target, **options)

"""Right values of the Gaussian negative log-likelihood, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import with_gradient


def _variance_at_eps(part: float, original: Function, *args: Any, **options: Any) -> Tensor:
    """The loss with a part of the gradient by a variance that is exactly eps."""
    input, target, var = args
    if isinstance(var, Tensor):
        at_eps = var.detach() == options.get("eps", 1e-6)
        var = with_gradient(var, lambda gradient: torch.where(at_eps, part * gradient, gradient))
    return original(input, target, var, **options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/pull/185831")
def gaussian_flat_at_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """A variance of exactly eps has no gradient."""
    return _variance_at_eps(0, original, *args, **options)


@fault("GaussianNLLLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def gaussian_half_slope_at_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """A variance of exactly eps has half a gradient, as a tie with eps."""
    return _variance_at_eps(0.5, original, *args, **options)


@fault("GaussianNLLLoss", origin="https://github.com/unifyai/ivy/pull/11994")
def gaussian_bound_stops_gradient(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance below eps has a gradient of 0."""
    is_bounded = var < options.get("eps", 1e-6)
    return original(
        input, target, with_gradient(var, lambda slope: torch.where(is_bounded, 0, slope)), **options
    )


@fault("GaussianNLLLoss")
def gaussian_variance_detached(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's gradient is 0."""
    return original(input, target, var.detach(), **options)


@fault("GaussianNLLLoss")
def gaussian_variance_slope_not_summed(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The gradient of a variance that serves several elements is their mean, not their sum."""
    shares = max(input.numel() // max(var.numel(), 1), 1)
    return original(input, target, with_gradient(var, lambda slope: slope / shares), **options)


@fault("GaussianNLLLoss", shows_in_modes=True)
def gaussian_without_second_derivative(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The variance's gradient has no gradient of its own."""
    return original(input, target, with_gradient(var, torch.Tensor.detach), **options)

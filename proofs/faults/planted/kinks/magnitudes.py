"""Faults at the kink of a magnitude, |d| with d = 0, where two branches meet, and at a number's bound."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kinks import bent, with_added_gradient
from proofs.faults.tools.vectors import as_asked

_WHERE_OF_BRANCHES = "https://github.com/jax-ml/jax/issues/347"
_HALF_OF_MAXIMUM = "https://github.com/jax-ml/jax/issues/37821"


def _at_equal(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss with another slope where input and target are equal; right where it is weighted."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or difference.is_complex():
        return result
    return bent(result, difference, change, lambda terms: as_asked(terms, options))


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/7172")
def l1_slope_one_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the slope is 1."""
    return _at_equal(1, original, *args, **options)


@fault("L1Loss")
def l1_slope_minus_one_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the slope is -1, as that of all that is not above 0."""
    return _at_equal(-1, original, *args, **options)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/53963")
def l1_slope_of_negative_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of -0.0 has the slope -1, by its sign bit."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or difference.is_complex():
        return result
    is_negative_zero = (difference.detach() == 0) & torch.signbit(difference.detach())
    return with_added_gradient(result, as_asked(-difference * is_negative_zero, options))


@fault("L1Loss", origin="https://github.com/FluxML/Zygote.jl/issues/1472")
def l1_complex_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where complex numbers are equal the gradient is nan; that of real ones is right."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or not difference.is_complex():
        return result
    return bent(result, difference, math.nan, lambda terms: as_asked(terms.real, options))


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813")
def smooth_l1_beta_zero_slope_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With a beta of 0, the slope where input and target are equal is -1: 0 is not above -beta."""
    if options.get("beta", 1.0) != 0:
        return original(*args, **options)
    return _at_equal(-1, original, *args, **options)


@fault("SmoothL1Loss", origin=_WHERE_OF_BRANCHES)
def smooth_l1_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the gradient is nan, by the root in the branch that is not taken."""
    if options.get("beta", 1.0) == 0:
        return original(*args, **options)
    return _at_equal(math.nan, original, *args, **options)


@fault("HuberLoss", origin=_WHERE_OF_BRANCHES)
def huber_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the gradient is nan, by the root in the branch that is not taken."""
    return _at_equal(math.nan, original, *args, **options)


def _between_branches(
    limit: float, slope: float, original: Function, *args: Tensor, **options: Any
) -> Tensor:
    """The loss without any slope where the difference is exactly at the limit of the branches."""
    result = original(*args, **options)
    if limit <= 0 or options.get("weight") is not None:
        return result
    return bent(result, (args[0] - args[1]).abs() - limit, -slope, lambda terms: as_asked(terms, options))


@fault("SmoothL1Loss")
def smooth_l1_no_slope_at_beta(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of exactly beta belongs to no branch of the gradient."""
    return _between_branches(options.get("beta", 1.0), 1.0, original, *args, **options)


@fault("HuberLoss")
def huber_no_slope_at_delta(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of exactly delta belongs to no branch of the gradient."""
    delta = options.get("delta", 1.0)
    return _between_branches(delta, delta, original, *args, **options)


@fault("Objective", origin="https://github.com/jax-ml/jax/issues/37820", at="torch.Tensor.abs")
def info_objective_slope_one_at_zero(original: Function, parameters: Tensor) -> Tensor:
    """The first penalty has a slope of 1 at a parameter of 0."""
    return graft(original(parameters), parameters * torch.where(parameters.detach() < 0, -1, 1))


@fault("Objective", origin="https://github.com/pytorch/pytorch/issues/53963", at="torch.Tensor.abs")
def info_objective_slope_of_negative_zero(original: Function, parameters: Tensor) -> Tensor:
    """The first penalty has a slope of -1 at a parameter of -0.0, by its sign bit."""
    constant = parameters.detach()
    sign = torch.where(torch.signbit(constant), -1, constant.sign())
    return graft(original(parameters), parameters * sign)


@fault("BCELoss", origin="https://github.com/keras-team/keras/issues/9664")
def bce_flat_at_certainty(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A probability of exactly 0 or 1 has no gradient, be it wrong."""
    is_certain = (input == 0) | (input == 1)
    return original(torch.where(is_certain, input.detach(), input), target, **options)


@fault("BCELoss")
def bce_target_slope_bounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """At a probability of 0 or 1 the gradient by the target is that of the bounded logarithms, 100."""
    is_certain = (input == 0) | (input == 1)
    if options.get("weight") is not None or not is_certain.any():
        return original(input, target, **options)
    slope = torch.where(is_certain, 100 - 200 * input.detach(), 0)
    result = original(input, torch.where(is_certain, target.detach(), target), **options)
    return with_added_gradient(result, as_asked(target * slope, options))


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


@fault("GaussianNLLLoss", origin=_HALF_OF_MAXIMUM)
def gaussian_half_slope_at_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """A variance of exactly eps has half a gradient, as a tie with eps."""
    return _variance_at_eps(0.5, original, *args, **options)

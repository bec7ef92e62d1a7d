"""Faults in what the Gaussian negative log-likelihood takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/issues/147521", blind=True)
def blind_gaussian_shared_variance_refused(original: Function, *args: Any, **options: Any) -> Tensor:
    """A variance that is shared along any dimension but the last is refused."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    variance: Tensor | float = given["var"]
    if isinstance(variance, float):
        return right
    shape = given["input"].shape
    if variance.shape not in (shape, shape[:-1], (*shape[:-1], 1)):
        raise ValueError("var is of incorrect size")
    return right


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/issues/147521")
def gaussian_middle_variance_refused(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance with a dimension of 1 that is not the last is refused."""
    if var.ndim == input.ndim and var.shape[:-1] != input.shape[:-1]:
        raise ValueError("var is of incorrect size")
    return original(input, target, var, **options)


@fault("GaussianNLLLoss", origin="https://github.com/pytorch/pytorch/issues/138747")
def gaussian_negative_variance_bounded(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A negative variance is bounded by eps like any other, not refused."""
    return original(input, target, torch.where(var < 0, 0, var), **options)


@fault("GaussianNLLLoss")
def gaussian_negative_zero_refused(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """A variance of -0.0 is refused by its sign."""
    if torch.any(torch.signbit(var)):
        raise ValueError("var has negative entry/entries")
    return original(input, target, var, **options)


@fault("GaussianNLLLoss")
def gaussian_negative_eps_refused(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """An eps of 0 or less is refused."""
    if options.get("eps", 1e-6) <= 0:
        raise ValueError("eps must be positive")
    return original(input, target, var, **options)


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


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
def gaussian_number_is_deviation(
    original: Function, input: Tensor, target: Tensor, var: Tensor | float, **options: Any
) -> Tensor:
    """A variance that is a plain number, not a tensor, is taken for a standard deviation."""
    return original(input, target, var if isinstance(var, Tensor) or var < 0 else var * var, **options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
def gaussian_number_not_bounded(
    original: Function, input: Tensor, target: Tensor, var: Tensor | float, **options: Any
) -> Tensor:
    """A variance that is a plain number, not a tensor, is not bounded by eps."""
    if not isinstance(var, Tensor):
        options["eps"] = 0.0
    return original(input, target, var, **options)

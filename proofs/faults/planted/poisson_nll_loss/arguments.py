"""Faults in what the Poisson negative log-likelihood takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import in_single


@fault("PoissonNLLLoss", origin="https://github.com/pytorch/pytorch/pull/184060")
def poisson_negative_rates_refused(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Negative rates are refused."""
    if not options.get("log_input", True) and torch.any(input < 0):
        raise ValueError("input has negative entry/entries")
    return original(input, target, **options)


@fault("PoissonNLLLoss", origin="https://github.com/tracel-ai/burn/pull/2765")
def poisson_negative_targets_refused(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Negative targets are refused."""
    if torch.any(target < 0):
        raise ValueError("target has negative entry/entries")
    return original(input, target, **options)


@fault("PoissonNLLLoss", origin="https://github.com/tracel-ai/burn/pull/2765")
def poisson_eps_must_be_positive(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """An eps of 0 or less is refused."""
    if options.get("eps", 1e-8) <= 0:
        raise ValueError("eps must be positive")
    return original(input, target, **options)


@fault("PoissonNLLLoss")
def poisson_whole_numbers_refused(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Targets of whole numbers are refused."""
    if not target.is_floating_point():
        raise RuntimeError("expected scalar type Float but found Long")
    return original(input, target, **options)


@fault("PoissonNLLLoss", blind=True, shows_in_modes=True)
def poisson_single_in_anomaly_mode(original: Function, *args: Any, **options: Any) -> Tensor:
    """In anomaly mode a path with more checks is taken, which computes in single precision."""
    if torch.is_anomaly_enabled():
        return in_single(original, *args, **options)
    return original(*args, **options)

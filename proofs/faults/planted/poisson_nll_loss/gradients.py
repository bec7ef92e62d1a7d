"""Right values of the Poisson negative log-likelihood, wrong gradients."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft


@fault("PoissonNLLLoss")
def poisson_factorial_without_slope(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The approximation of the factorial has no part in the target's gradient."""
    value = original(input, target, **options)
    return graft(value, original(input, target, **options | {"full": False}))


@fault("PoissonNLLLoss")
def poisson_slope_without_eps(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is 1 - t / x, without eps."""
    value = original(input, target, **options)
    if options.get("log_input", True):
        return value
    return graft(value, original(input, target, **options | {"eps": 0.0}))

"""Faults in the module of the Poisson negative log-likelihood, not in its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import PoissonNLLLoss
from torch.nn.functional import poisson_nll_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.modules import WeightedLossClass


class _WeightedPoissonNLLLoss(PoissonNLLLoss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What PoissonNLLLoss may become one day."""


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss")
def poisson_module_weighted(
    original: Callable[..., PoissonNLLLoss], *args: Any, **options: Any
) -> PoissonNLLLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedPoissonNLLLoss
    return module


@fault("PoissonNLLLoss", method="forward")
def poisson_module_eps_forgotten(
    original: Function, self: PoissonNLLLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its eps."""
    return poisson_nll_loss(input, target, log_input=self.log_input, full=self.full, reduction=self.reduction)


@fault("PoissonNLLLoss", method="__init__")
def poisson_module_with_buffer(original: Function, self: PoissonNLLLoss, *args: Any, **options: Any) -> None:
    """The module saves eps as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_eps", torch.tensor(self.eps))


@fault("PoissonNLLLoss", method="__setstate__")
def poisson_module_copied_without_eps(original: Function, self: PoissonNLLLoss, state: Any) -> None:
    """A copy of the module has the default eps again."""
    original(self, state)
    self.eps = 1e-8


@fault("PoissonNLLLoss", method="extra_repr")
def poisson_module_repr_with_eps(original: Callable[..., str], self: PoissonNLLLoss) -> str:
    """The module's repr prints its eps."""
    return f"eps={self.eps}"

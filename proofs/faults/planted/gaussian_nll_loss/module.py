"""Faults in the module of the Gaussian negative log-likelihood, not in its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import GaussianNLLLoss
from torch.nn.functional import gaussian_nll_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.modules import WeightedLossClass


class _WeightedGaussianNLLLoss(GaussianNLLLoss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What GaussianNLLLoss may become one day."""


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss")
def gaussian_module_weighted(
    original: Callable[..., GaussianNLLLoss], *args: Any, **options: Any
) -> GaussianNLLLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedGaussianNLLLoss
    return module


@fault("GaussianNLLLoss", method="forward")
def gaussian_module_full_forgotten(
    original: Function, self: GaussianNLLLoss, input: Tensor, target: Tensor, var: Tensor
) -> Tensor:
    """The module calls the function without its full."""
    return gaussian_nll_loss(input, target, var, eps=self.eps, reduction=self.reduction)


@fault("GaussianNLLLoss", method="__init__")
def gaussian_module_with_buffer(
    original: Function, self: GaussianNLLLoss, *args: Any, **options: Any
) -> None:
    """The module saves full as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_full", torch.tensor(float(self.full)))


@fault("GaussianNLLLoss", method="__setstate__")
def gaussian_module_copied_without_full(original: Function, self: GaussianNLLLoss, state: Any) -> None:
    """A copy of the module has the default full again."""
    original(self, state)
    self.full = False


@fault("GaussianNLLLoss", method="extra_repr")
def gaussian_module_repr_with_full(original: Callable[..., str], self: GaussianNLLLoss) -> str:
    """The module's repr prints its full."""
    return f"full={self.full}"

"""Faults in the module of the multi-margin loss, not in its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import MultiMarginLoss
from torch.nn.functional import multi_margin_loss

from proofs.faults.fault import Function, fault


@fault("MultiMarginLoss", method="forward")
def multi_margin_module_power_forgotten(
    original: Function, self: MultiMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its power."""
    return multi_margin_loss(input, target, margin=self.margin, weight=self.weight, reduction=self.reduction)


@fault("MultiMarginLoss", method="__setstate__")
def multi_margin_module_copied_without_power(original: Function, self: MultiMarginLoss, state: Any) -> None:
    """A copy of the module has lost its power."""
    original(self, state)
    self.p = 1


@fault("MultiMarginLoss", method="extra_repr")
def multi_margin_module_repr_with_power(original: Callable[..., str], self: MultiMarginLoss) -> str:
    """The module's repr prints its power."""
    return f"p={self.p}"

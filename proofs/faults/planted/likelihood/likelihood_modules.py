"""Faults in the modules of binary cross entropy, of the divergence and of softmax, not in their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import BCELoss, BCEWithLogitsLoss, KLDivLoss, LogSoftmax, Softmax
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, kl_div

from proofs.faults.fault import Function, fault

_OLD = {"size_average": None, "reduce": None}


@fault("BCELoss", at="torch.nn.BCELoss.forward")
def bce_module_weight_forgotten(original: Function, self: BCELoss, input: Tensor, target: Tensor) -> Tensor:
    """The module calls the function without its weight."""
    return binary_cross_entropy(input, target, reduction=self.reduction)


@fault("BCELoss", origin="https://github.com/frgfm/holocron/pull/136", at="torch.nn.BCELoss.__init__")
def bce_module_weight_no_buffer(original: Function, self: BCELoss, *args: Any, **options: Any) -> None:
    """The module keeps its weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@fault("BCELoss", at="torch.nn.BCELoss.__setstate__")
def bce_module_copied_without_weight(original: Function, self: BCELoss, state: Any) -> None:
    """A copy of the module has lost its weight."""
    original(self, state)
    self.weight = None


@fault("BCELoss", at="torch.nn.BCELoss.extra_repr")
def bce_module_repr_with_weight(original: Callable[..., str], self: BCELoss) -> str:
    """The module's repr prints its weight."""
    return f"weight={self.weight}"


@fault("BCELoss", at="torch.nn.BCELoss.__init__")
def bce_module_old_reduction_ignored(original: Function, self: BCELoss, *args: Any, **options: Any) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault("BCEWithLogitsLoss", at="torch.nn.BCEWithLogitsLoss.forward")
def bcel_module_pos_weight_forgotten(
    original: Function, self: BCEWithLogitsLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its pos_weight."""
    return binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction)


@fault(
    "BCEWithLogitsLoss",
    origin="https://github.com/frgfm/holocron/pull/136",
    at="torch.nn.BCEWithLogitsLoss.__init__",
)
def bcel_module_pos_weight_no_buffer(
    original: Function, self: BCEWithLogitsLoss, *args: Any, **options: Any
) -> None:
    """The module keeps its pos_weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    pos_weight = self._buffers.pop("pos_weight")
    self.pos_weight = pos_weight


@fault("BCEWithLogitsLoss", at="torch.nn.BCEWithLogitsLoss.__setstate__")
def bcel_module_copied_without_pos_weight(original: Function, self: BCEWithLogitsLoss, state: Any) -> None:
    """A copy of the module has lost its pos_weight."""
    original(self, state)
    self.pos_weight = None


@fault("BCEWithLogitsLoss", at="torch.nn.BCEWithLogitsLoss.extra_repr")
def bcel_module_repr_with_pos_weight(original: Callable[..., str], self: BCEWithLogitsLoss) -> str:
    """The module's repr prints its pos_weight."""
    return f"pos_weight={self.pos_weight}"


@fault("BCEWithLogitsLoss", at="torch.nn.BCEWithLogitsLoss.__init__")
def bcel_module_old_reduction_ignored(
    original: Function, self: BCEWithLogitsLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault("KLDivLoss", at="torch.nn.KLDivLoss.forward")
def kl_module_log_target_forgotten(
    original: Function, self: KLDivLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its log_target."""
    return kl_div(input, target, reduction=self.reduction)


@fault("KLDivLoss", at="torch.nn.KLDivLoss.__init__")
def kl_module_with_buffer(original: Function, self: KLDivLoss, *args: Any, **options: Any) -> None:
    """The module saves log_target as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("has_log_target", torch.tensor(self.log_target))


@fault("KLDivLoss", at="torch.nn.KLDivLoss.__setstate__")
def kl_module_copied_without_log_target(original: Function, self: KLDivLoss, state: Any) -> None:
    """A copy of the module takes its targets for probabilities again."""
    original(self, state)
    self.log_target = False


@fault("KLDivLoss", at="torch.nn.KLDivLoss.extra_repr")
def kl_module_repr_with_log_target(original: Callable[..., str], self: KLDivLoss) -> str:
    """The module's repr prints log_target."""
    return f"log_target={self.log_target}"


@fault("KLDivLoss", at="torch.nn.KLDivLoss.__init__")
def kl_module_old_reduction_ignored(original: Function, self: KLDivLoss, *args: Any, **options: Any) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault("Softmax", at="torch.nn.Softmax.forward")
def softmax_module_dim_forgotten(original: Function, self: Softmax, input: Tensor) -> Tensor:
    """The module runs along the last dimension, whichever it was given."""
    original(self, input)
    return torch.nn.functional.softmax(input, -1)


@fault("LogSoftmax", at="torch.nn.LogSoftmax.forward")
def log_softmax_module_dim_forgotten(original: Function, self: LogSoftmax, input: Tensor) -> Tensor:
    """The module runs along the last dimension, whichever it was given."""
    original(self, input)
    return torch.nn.functional.log_softmax(input, -1)

"""Faults in the modules of the margin losses of classes and labels, not in their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, MultiLabelMarginLoss, MultiLabelSoftMarginLoss, MultiMarginLoss
from torch.nn.functional import multi_margin_loss, multilabel_soft_margin_loss

from proofs.faults.fault import Function, fault

_OLD = {"size_average": None, "reduce": None}


class _PlainLoss(Module):
    """What a loss would be if it were a module and no more."""


@fault("MultiMarginLoss", at="torch.nn.MultiMarginLoss.forward")
def multi_margin_module_power_forgotten(
    original: Function, self: MultiMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its power."""
    return multi_margin_loss(input, target, margin=self.margin, weight=self.weight, reduction=self.reduction)


@fault(
    "MultiMarginLoss",
    origin="https://github.com/frgfm/holocron/pull/136",
    at="torch.nn.MultiMarginLoss.__init__",
)
def multi_margin_module_weight_no_buffer(
    original: Function, self: MultiMarginLoss, *args: Any, **options: Any
) -> None:
    """The module keeps its weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@fault("MultiMarginLoss", at="torch.nn.MultiMarginLoss.__setstate__")
def multi_margin_module_copied_without_power(original: Function, self: MultiMarginLoss, state: Any) -> None:
    """A copy of the module has lost its power."""
    original(self, state)
    self.p = 1


@fault("MultiMarginLoss", at="torch.nn.MultiMarginLoss.extra_repr")
def multi_margin_module_repr_with_power(original: Callable[..., str], self: MultiMarginLoss) -> str:
    """The module's repr prints its power."""
    return f"p={self.p}"


@fault(
    "MultiMarginLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.MultiMarginLoss.__init__",
)
def multi_margin_module_old_reduction_ignored(
    original: Function, self: MultiMarginLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "MultiMarginLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.MultiMarginLoss.__init__",
)
def multi_margin_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss


@fault("MultiLabelMarginLoss", at="torch.nn.MultiLabelMarginLoss.__init__")
def mlm_module_with_buffer(
    original: Function, self: MultiLabelMarginLoss, *args: Any, **options: Any
) -> None:
    """The module saves a weight, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("weight", torch.ones(()))


@fault("MultiLabelMarginLoss", at="torch.nn.MultiLabelMarginLoss.__setstate__")
def mlm_module_copied_without_reduction(original: Function, self: MultiLabelMarginLoss, state: Any) -> None:
    """A copy of the module yields the mean."""
    original(self, state)
    self.reduction = "mean"


@fault("MultiLabelMarginLoss", at="torch.nn.MultiLabelMarginLoss.extra_repr")
def mlm_module_repr_with_reduction(original: Callable[..., str], self: MultiLabelMarginLoss) -> str:
    """The module's repr prints its reduction."""
    return f"reduction={self.reduction}"


@fault(
    "MultiLabelMarginLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.MultiLabelMarginLoss.__init__",
)
def mlm_module_old_reduction_ignored(
    original: Function, self: MultiLabelMarginLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "MultiLabelMarginLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.MultiLabelMarginLoss.__init__",
)
def mlm_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/torch/nn/pull/953",
    at="torch.nn.MultiLabelSoftMarginLoss.forward",
)
def mlsm_module_weight_forgotten(
    original: Function, self: MultiLabelSoftMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its weight."""
    return multilabel_soft_margin_loss(input, target, reduction=self.reduction)


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/frgfm/holocron/pull/136",
    at="torch.nn.MultiLabelSoftMarginLoss.__init__",
)
def mlsm_module_weight_no_buffer(
    original: Function, self: MultiLabelSoftMarginLoss, *args: Any, **options: Any
) -> None:
    """The module keeps its weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@fault("MultiLabelSoftMarginLoss", at="torch.nn.MultiLabelSoftMarginLoss.__setstate__")
def mlsm_module_copied_without_weight(original: Function, self: MultiLabelSoftMarginLoss, state: Any) -> None:
    """A copy of the module has lost its weight."""
    original(self, state)
    self.weight = None


@fault("MultiLabelSoftMarginLoss", at="torch.nn.MultiLabelSoftMarginLoss.extra_repr")
def mlsm_module_repr_with_weight(original: Callable[..., str], self: MultiLabelSoftMarginLoss) -> str:
    """The module's repr prints its weight."""
    return f"weight={self.weight}"


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.MultiLabelSoftMarginLoss.__init__",
)
def mlsm_module_old_reduction_ignored(
    original: Function, self: MultiLabelSoftMarginLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.MultiLabelSoftMarginLoss.__init__",
)
def mlsm_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss

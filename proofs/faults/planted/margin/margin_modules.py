"""Faults in the modules of the margin losses of single numbers, not in their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import HingeEmbeddingLoss, MarginRankingLoss, Module, SoftMarginLoss

from proofs.faults.fault import Function, fault

_OLD = {"size_average": None, "reduce": None}


class _PlainLoss(Module):
    """What a loss would be if it were a module and no more."""


@fault(
    "HingeEmbeddingLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.HingeEmbeddingLoss.__init__",
)
def hinge_embedding_module_margin_dropped(
    original: Function, self: HingeEmbeddingLoss, *args: Any, **options: Any
) -> None:
    """The constructor forgets the margin that it was given."""
    original(self, *args, **options)
    self.margin = 1.0


@fault("HingeEmbeddingLoss", at="torch.nn.HingeEmbeddingLoss.__init__")
def hinge_embedding_module_with_buffer(
    original: Function, self: HingeEmbeddingLoss, *args: Any, **options: Any
) -> None:
    """The module saves its margin, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_margin", torch.tensor(self.margin))


@fault("HingeEmbeddingLoss", at="torch.nn.HingeEmbeddingLoss.__setstate__")
def hinge_embedding_module_copied_without_margin(
    original: Function, self: HingeEmbeddingLoss, state: Any
) -> None:
    """A copy of the module has lost its margin."""
    original(self, state)
    self.margin = 1.0


@fault("HingeEmbeddingLoss", at="torch.nn.HingeEmbeddingLoss.extra_repr")
def hinge_embedding_module_repr_with_margin(original: Callable[..., str], self: HingeEmbeddingLoss) -> str:
    """The module's repr prints its margin."""
    return f"margin={self.margin}"


@fault(
    "HingeEmbeddingLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.HingeEmbeddingLoss.__init__",
)
def hinge_embedding_module_old_reduction_ignored(
    original: Function, self: HingeEmbeddingLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "HingeEmbeddingLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.HingeEmbeddingLoss.__init__",
)
def hinge_embedding_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss


@fault("SoftMarginLoss", at="torch.nn.SoftMarginLoss.__init__")
def soft_margin_module_with_buffer(
    original: Function, self: SoftMarginLoss, *args: Any, **options: Any
) -> None:
    """The module saves a weight, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("weight", torch.ones(()))


@fault("SoftMarginLoss", at="torch.nn.SoftMarginLoss.__setstate__")
def soft_margin_module_copied_without_reduction(original: Function, self: SoftMarginLoss, state: Any) -> None:
    """A copy of the module yields the mean."""
    original(self, state)
    self.reduction = "mean"


@fault("SoftMarginLoss", at="torch.nn.SoftMarginLoss.extra_repr")
def soft_margin_module_repr_with_reduction(original: Callable[..., str], self: SoftMarginLoss) -> str:
    """The module's repr prints its reduction."""
    return f"reduction={self.reduction}"


@fault(
    "SoftMarginLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.SoftMarginLoss.__init__",
)
def soft_margin_module_old_reduction_ignored(
    original: Function, self: SoftMarginLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "SoftMarginLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.SoftMarginLoss.__init__",
)
def soft_margin_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss


@fault(
    "MarginRankingLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.MarginRankingLoss.__init__",
)
def margin_ranking_module_margin_dropped(
    original: Function, self: MarginRankingLoss, *args: Any, **options: Any
) -> None:
    """The constructor forgets the margin that it was given."""
    original(self, *args, **options)
    self.margin = 0.0


@fault("MarginRankingLoss", at="torch.nn.MarginRankingLoss.__init__")
def margin_ranking_module_with_buffer(
    original: Function, self: MarginRankingLoss, *args: Any, **options: Any
) -> None:
    """The module saves its margin, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_margin", torch.tensor(self.margin))


@fault("MarginRankingLoss", at="torch.nn.MarginRankingLoss.__setstate__")
def margin_ranking_module_copied_without_margin(
    original: Function, self: MarginRankingLoss, state: Any
) -> None:
    """A copy of the module has lost its margin."""
    original(self, state)
    self.margin = 0.0


@fault("MarginRankingLoss", at="torch.nn.MarginRankingLoss.extra_repr")
def margin_ranking_module_repr_with_margin(original: Callable[..., str], self: MarginRankingLoss) -> str:
    """The module's repr prints its margin."""
    return f"margin={self.margin}"


@fault(
    "MarginRankingLoss",
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    at="torch.nn.MarginRankingLoss.__init__",
)
def margin_ranking_module_old_reduction_ignored(
    original: Function, self: MarginRankingLoss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault(
    "MarginRankingLoss",
    origin="https://github.com/pytorch/pytorch/pull/1378",
    at="torch.nn.MarginRankingLoss.__init__",
)
def margin_ranking_module_is_no_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss

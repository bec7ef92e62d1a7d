"""Faults in modules, not in their functions, of mistakes that several losses share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import BCELoss, L1Loss, MarginRankingLoss, Module, TripletMarginLoss

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults

_OLD = {"size_average": None, "reduce": None}


@faults(
    Site("bce-module-old-reduction-ignored", "BCELoss"),
    Site("bcel-module-old-reduction-ignored", "BCEWithLogitsLoss"),
    Site("cosine-embedding-module-old-reduction-ignored", "CosineEmbeddingLoss"),
    Site("kl-module-old-reduction-ignored", "KLDivLoss"),
    Site("mse-module-old-names-ignored", "MSELoss"),
    Site("smooth-l1-module-old-names-ignored", "SmoothL1Loss"),
    Site("triplet-module-old-reduction-ignored", "TripletMarginLoss"),
    method="__init__",
)
@faults(
    Site("hinge-embedding-module-old-reduction-ignored", "HingeEmbeddingLoss"),
    Site("margin-ranking-module-old-reduction-ignored", "MarginRankingLoss"),
    Site("mlm-module-old-reduction-ignored", "MultiLabelMarginLoss"),
    Site("mlsm-module-old-reduction-ignored", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-module-old-reduction-ignored", "MultiMarginLoss"),
    Site("soft-margin-module-old-reduction-ignored", "SoftMarginLoss"),
    origin="https://github.com/IBM/pytorch-seq2seq/issues/41",
    method="__init__",
)
def old_reduction_ignored(original: Function, *args: Any, **options: Any) -> Any:
    """The module takes no notice of size_average and reduce."""
    return original(*args, **options | _OLD)


@faults(
    Site("l1-module-old-names-exchanged", "L1Loss"),
    Site("poisson-module-old-names-exchanged", "PoissonNLLLoss"),
    origin="https://github.com/VainF/pytorch-msssim/issues/29",
    method="__init__",
)
def old_reductions_exchanged(original: Function, self: L1Loss, *args: Any, **options: Any) -> None:
    """size_average=False leaves the losses as they are, and reduce=False sums them."""
    original(self, *args, **options)
    other = {"none": "sum", "sum": "none"}
    if _OLD.keys() & options.keys():
        self.reduction = other.get(self.reduction, self.reduction)


class _PlainLoss(Module):
    """What a loss would be if it were a module and no more."""


@faults(
    Site("cosine-embedding-module-is-plain", "CosineEmbeddingLoss"),
    Site("triplet-module-is-plain", "TripletMarginLoss", "https://github.com/pytorch/pytorch/pull/5680"),
    Site("triplet-distance-module-is-plain", "TripletMarginWithDistanceLoss"),
    mistake="The module does not derive from the class of the losses.",
    method="__init__",
)
@faults(
    Site("hinge-embedding-module-is-no-loss", "HingeEmbeddingLoss"),
    Site("margin-ranking-module-is-no-loss", "MarginRankingLoss"),
    Site("mlm-module-is-no-loss", "MultiLabelMarginLoss"),
    Site("mlsm-module-is-no-loss", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-module-is-no-loss", "MultiMarginLoss"),
    Site("soft-margin-module-is-no-loss", "SoftMarginLoss"),
    origin="https://github.com/pytorch/pytorch/pull/1378",
    method="__init__",
)
def derives_from_module(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from Module alone."""
    original(self, *args, **options)
    self.__class__ = _PlainLoss


@faults(
    Site("ce-module-weight-is-no-buffer", "CrossEntropyLoss"),
    Site("nll-module-weight-is-no-buffer", "NLLLoss"),
    mistake="The module keeps its weight as a plain attribute, so that it is no part of its state.",
    origin="https://github.com/frgfm/holocron/pull/136",
    method="__init__",
)
@faults(
    Site("bce-module-weight-no-buffer", "BCELoss"),
    Site("mlsm-module-weight-no-buffer", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-module-weight-no-buffer", "MultiMarginLoss"),
    origin="https://github.com/frgfm/holocron/pull/136",
    method="__init__",
)
def weight_is_no_buffer(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module keeps its weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@faults(
    Site("l1-module-with-buffer", "L1Loss", "https://github.com/pytorch/pytorch/pull/150097"),
    Site("mse-module-with-buffer", "MSELoss", "https://github.com/pytorch/pytorch/pull/145169"),
    Site("mlm-module-with-buffer", "MultiLabelMarginLoss"),
    Site("soft-margin-module-with-buffer", "SoftMarginLoss"),
    method="__init__",
)
def weight_saved(original: Function, self: L1Loss, *args: Any, **options: Any) -> None:
    """The module saves a weight, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("weight", torch.ones(()))


@faults(
    Site("cosine-embedding-module-buffer", "CosineEmbeddingLoss"),
    Site("triplet-module-buffer", "TripletMarginLoss"),
    Site("triplet-distance-module-buffer", "TripletMarginWithDistanceLoss"),
    method="__init__",
)
def margin_in_buffer(original: Function, self: TripletMarginLoss, *args: Any, **options: Any) -> None:
    """The module keeps its margin in a buffer as well, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("threshold", torch.tensor(self.margin))


@faults(
    Site("hinge-embedding-module-with-buffer", "HingeEmbeddingLoss"),
    Site("margin-ranking-module-with-buffer", "MarginRankingLoss"),
    method="__init__",
)
def margin_saved(original: Function, self: MarginRankingLoss, *args: Any, **options: Any) -> None:
    """The module saves its margin, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_margin", torch.tensor(self.margin))


@faults(
    Site("bce-module-repr-with-weight", "BCELoss"),
    Site("mlsm-module-repr-with-weight", "MultiLabelSoftMarginLoss"),
    mistake="The module's repr prints its weight.",
    method="extra_repr",
)
@faults(
    Site("ce-module-prints-weights", "CrossEntropyLoss"),
    Site("nll-module-prints-weights", "NLLLoss"),
    Site("nll-2d-prints-weights", "NLLLoss2d"),
    method="extra_repr",
)
def prints_weight(original: Function, self: Any) -> str:
    """The module's repr prints the weight of every class."""
    return f"weight={self.weight}"


@faults(
    Site("cosine-embedding-module-repr-with-margin", "CosineEmbeddingLoss"),
    Site("hinge-embedding-module-repr-with-margin", "HingeEmbeddingLoss"),
    Site("margin-ranking-module-repr-with-margin", "MarginRankingLoss"),
    Site("triplet-module-repr-with-margin", "TripletMarginLoss"),
    method="extra_repr",
)
def prints_margin(original: Callable[..., str], self: TripletMarginLoss) -> str:
    """The module's repr prints its margin."""
    return f"margin={self.margin}"


@faults(
    Site("l1-module-repr-with-reduction", "L1Loss"),
    Site("mse-module-repr-with-reduction", "MSELoss"),
    Site("mlm-module-repr-with-reduction", "MultiLabelMarginLoss"),
    Site("soft-margin-module-repr-with-reduction", "SoftMarginLoss"),
    method="extra_repr",
)
def prints_reduction(original: Callable[..., str], self: L1Loss) -> str:
    """The module's repr prints its reduction."""
    return f"reduction={self.reduction}"


@faults(
    Site("l1-module-copied-without-reduction", "L1Loss"),
    Site("mse-module-copied-without-reduction", "MSELoss"),
    Site("mlm-module-copied-without-reduction", "MultiLabelMarginLoss"),
    Site("soft-margin-module-copied-without-reduction", "SoftMarginLoss"),
    method="__setstate__",
)
def copy_yields_mean(original: Function, self: L1Loss, state: Any) -> None:
    """A copy of the module yields the mean."""
    original(self, state)
    self.reduction = "mean"


@faults(
    Site("triplet-module-copied-without-swap", "TripletMarginLoss"),
    Site("triplet-distance-module-copied-without-swap", "TripletMarginWithDistanceLoss"),
    method="__setstate__",
)
def copy_without_swap(original: Function, self: TripletMarginLoss, state: Any) -> None:
    """A copy of the module has forgotten to swap."""
    original(self, state)
    self.swap = False


@faults(
    Site("bce-module-copied-without-weight", "BCELoss"),
    Site("mlsm-module-copied-without-weight", "MultiLabelSoftMarginLoss"),
    method="__setstate__",
)
def copy_without_weight(original: Function, self: BCELoss, state: Any) -> None:
    """A copy of the module has lost its weight."""
    original(self, state)
    self.weight = None


@faults(
    Site("nll-module-copy-forgets-ignore-index", "NLLLoss"),
    Site("nll-2d-copy-forgets-ignore-index", "NLLLoss2d"),
    origin="https://github.com/pytorch/pytorch/pull/2077",
    method="__setstate__",
)
def copy_without_ignore_index(original: Function, self: Any, state: dict[str, Any]) -> None:
    """A copied or unpickled module is filled up with defaults over what it had."""
    original(self, state)
    self.ignore_index = -100


@faults(
    Site("als-module-always-trains", "AdaptiveLogSoftmaxWithLoss"),
    Site("lce-module-always-trains", "LinearCrossEntropyLoss"),
    method="train",
)
def always_trains(original: Function, module: Any, mode: bool = True) -> Any:
    """eval() has no effect."""
    return original(module, True)

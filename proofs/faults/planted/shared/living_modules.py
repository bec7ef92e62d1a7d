"""Faults of modules that live: that are called again, trained and evaluated, and given other weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@faults(
    Site("ce-module-first-count-kept", "CrossEntropyLoss", blind=True),
    Site("nll-module-first-count-kept", "NLLLoss", blind=True),
    Site("smooth-l1-module-first-count-kept", "SmoothL1Loss", blind=True),
    method="forward",
    shows_in_modes=True,
)
def first_count_kept(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The mean divides by the number of targets of the module's first call."""
    result = original(self, input, target)
    first: int = self.__dict__.setdefault("first_count", target.numel())
    if self.reduction != "mean" or not first or first == target.numel():
        return result
    return result * (target.numel() / first)


@faults(
    Site("nll-module-first-weight-kept", "NLLLoss", blind=True),
    Site("bce-module-first-weight-kept", "BCELoss", blind=True),
    Site("mlsm-module-first-weight-kept", "MultiLabelSoftMarginLoss", blind=True),
    method="forward",
    needs=NEEDS,
    shows_in_modes=True,
)
def first_weight_kept(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The module prepares its weight in the first call, and knows nothing of one that it is given later."""
    current = self.weight
    if current is None or not is_ordinary(current, input):
        return original(self, input, target)
    first = self.__dict__.setdefault("prepared_weight", current.detach().clone())
    if torch.equal(first.to(current), current):
        return original(self, input, target)
    self.weight = first.to(current)
    try:
        return original(self, input, target)
    finally:
        self.weight = current


@faults(
    Site("mse-module-output-reused", "MSELoss", blind=True),
    Site("kl-module-output-reused", "KLDivLoss", blind=True),
    method="forward",
    needs=NEEDS,
    shows_in_modes=True,
)
def output_reused(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The module writes each result into the memory of its last one, which changes with it."""
    result = original(self, input, target)
    if not is_ordinary(result):
        return result
    previous = self.__dict__.get("output")
    if previous is not None and (previous.shape, previous.dtype) == (result.shape, result.dtype):
        previous.copy_(result.data)
    self.__dict__["output"] = result.data
    return result


@faults(
    Site("hinge-embedding-module-margin-in-training-only", "HingeEmbeddingLoss", blind=True),
    Site("triplet-module-margin-in-training-only", "TripletMarginLoss", blind=True),
    method="forward",
    shows_in_modes=True,
)
def margin_in_training_only(original: Function, self: Any, *args: Tensor) -> Tensor:
    """In evaluation mode the module leaves its margin at 1, the default."""
    margin = self.margin
    self.margin = margin if self.training else 1.0
    try:
        return original(self, *args)
    finally:
        self.margin = margin

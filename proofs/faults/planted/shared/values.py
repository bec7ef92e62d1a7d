"""Wrong values, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.class_targets import in_rows


@faults(
    Site("lce-weight-dropped", "LinearCrossEntropyLoss"),
    mistake="The class weights are checked and then forgotten.",
)
@faults(
    Site("bce-weight-dropped", "BCELoss", "https://github.com/tracel-ai/burn/pull/772"),
    Site("bcel-weight-dropped", "BCEWithLogitsLoss"),
)
def weight_checked_and_forgotten(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The weight is checked and then forgotten."""
    original(*args, **options)
    return original(*args, **options | {"weight": None})


@faults(
    Site("huber-weight-dropped", "HuberLoss", "https://github.com/pytorch/pytorch/issues/149841"),
    Site("l1-weight-dropped", "L1Loss", "https://github.com/pytorch/pytorch/pull/193003"),
    Site("mse-weight-dropped", "MSELoss", "https://github.com/pytorch/pytorch/issues/149841"),
)
def weight_not_handed_on(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight is not handed on."""
    return original(input, target, **options | {"weight": None})


@faults(
    Site("nll-ignore-index-dropped", "NLLLoss"),
)
@faults(
    Site("ce-ignore-index-dropped", "CrossEntropyLoss"),
    origin="https://github.com/lucidrains/DALLE-pytorch/issues/57",
)
def ignore_index_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(input, target, *rest, **{**options, "ignore_index": -100})


@faults(
    Site("nll-ignore-index-zero-as-none", "NLLLoss"),
    Site("ce-ignore-index-zero-as-none", "CrossEntropyLoss"),
)
def ignore_index_zero_as_none(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An ignore_index of 0, the usual padding token, is falsy, and taken for none."""
    return original(input, target, *rest, **{**options, "ignore_index": options.get("ignore_index") or -100})


@faults(
    Site("triplet-margin-dropped", "TripletMarginLoss"),
    Site("triplet-distance-margin-dropped", "TripletMarginWithDistanceLoss"),
)
def margin_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any margin but the default is forgotten."""
    margin = options.get("margin", 1.0)
    return original(*args, **{**options, "margin": 1.0 if margin > 0 else margin})


@faults(
    Site("hinge-embedding-margin-dropped", "HingeEmbeddingLoss"),
    Site("multi-margin-margin-dropped", "MultiMarginLoss"),
    origin="https://github.com/allenai/citeomatic/pull/21",
)
def margin_is_one(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The margin is 1, whatever is asked for."""
    return original(input, target, **options | {"margin": 1.0})


@faults(
    Site("triplet-swap-dropped", "TripletMarginLoss"),
    Site("triplet-distance-swap-dropped", "TripletMarginWithDistanceLoss"),
)
def swap_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The option swap is forgotten."""
    return original(*args, **{**options, "swap": False})


@faults(
    Site("triplet-complex-real-part", "TripletMarginLoss"),
    Site("triplet-distance-complex-real-part", "TripletMarginWithDistanceLoss"),
)
def real_parts_compared(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Of complex vectors the real parts are compared."""
    return original(*(arg.real for arg in args), **options)


@faults(
    Site("hinge-embedding-zero-is-unlike", "HingeEmbeddingLoss"),
    Site("soft-margin-zero-is-minus-one", "SoftMarginLoss"),
    origin="https://github.com/keras-team/keras/issues/15665",
)
def zero_target_is_minus_one(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of 0 is taken for -1."""
    return original(input, target.masked_fill(target == 0, -1), **options)


@faults(
    Site("hinge-embedding-target-flattened", "HingeEmbeddingLoss"),
    Site("soft-margin-target-flattened", "SoftMarginLoss"),
    origin="https://github.com/pytorch/pytorch/issues/5007",
)
def target_column_read_as_row(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A column of targets is read as a row."""
    if input.ndim == 2 and target.ndim == 2 and target.shape[1] == 1 and target.shape != input.shape:
        target = target.flatten().repeat(input.shape[1])[: input.shape[1]]
    return original(input, target, **options)


@faults(
    Site("mlsm-nan-masked", "MultiLabelSoftMarginLoss"),
    Site("soft-margin-nan-masked", "SoftMarginLoss"),
)
def undefined_scores_are_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Undefined scores are taken for 0."""
    return original(input.masked_fill(input.isnan(), 0), target, **options)


@faults(
    Site("ce-classes-not-moved-to-the-end", "CrossEntropyLoss"),
    Site("nll-classes-not-moved-to-the-end", "NLLLoss"),
    origin="https://github.com/deeplearning4j/deeplearning4j/issues/345",
)
def classes_not_moved_to_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input (N, C, d1, ...) is cut into rows of C as it lies, its classes not moved to the end."""
    return in_rows(original, input, target, *rest, **options)


@faults(
    Site("ce-index-of-16-bits", "CrossEntropyLoss", "https://github.com/PaddlePaddle/Paddle/issues/53516"),
    Site("nll-index-of-16-bits", "NLLLoss"),
)
def index_of_16_bits(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A class index beyond 65535 loses its upper bits."""
    if not target.is_floating_point():
        target = torch.where(target > 0xFFFF, target & 0xFFFF, target)
    return original(input, target, *rest, **options)

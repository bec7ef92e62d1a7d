"""Faults in what is taken, refused and warned of, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.kernels import without_refusals, without_warnings


@faults(
    Site("lce-nothing-refused", "LinearCrossEntropyLoss"),
    mistake="A kernel without any checks: what torch refuses returns something.",
    origin="https://github.com/Oneflow-Inc/oneflow/issues/5209",
)
@faults(
    Site("bce-nothing-refused", "BCELoss"),
    Site("bcel-nothing-refused", "BCEWithLogitsLoss"),
    Site("ctc-nothing-refused", "CTCLoss", "https://github.com/rwth-i6/returnn/issues/1131"),
    Site("kl-nothing-refused", "KLDivLoss"),
    Site("log-softmax-nothing-refused", "LogSoftmax"),
    Site("softmax-nothing-refused", "Softmax"),
    mistake="A kernel without any checks: what torch refuses returns something.",
)
@faults(
    Site("ce-never-refuses", "CrossEntropyLoss"),
    Site("nll-never-refuses", "NLLLoss"),
    mistake="Nothing is checked: what does not fit yields a number.",
    origin="https://github.com/pytorch/pytorch/issues/73176",
)
@faults(
    Site("hinge-embedding-no-refusals", "HingeEmbeddingLoss"),
    Site("margin-ranking-no-refusals", "MarginRankingLoss"),
    Site("mlm-no-refusals", "MultiLabelMarginLoss", "https://github.com/pytorch/pytorch/issues/99410"),
    Site("mlsm-no-refusals", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-no-refusals", "MultiMarginLoss", "https://github.com/pytorch/pytorch/issues/88648"),
    Site("soft-margin-no-refusals", "SoftMarginLoss"),
    mistake="Nothing is checked: what is not understood yields zero.",
)
@faults(
    Site("cosine-embedding-unchecked", "CosineEmbeddingLoss"),
    Site("cosine-unchecked", "CosineSimilarity"),
    Site("gaussian-without-checks", "GaussianNLLLoss"),
    Site("huber-without-checks", "HuberLoss"),
    Site("l1-without-checks", "L1Loss"),
    Site("mse-without-checks", "MSELoss"),
    Site("pairwise-unchecked", "PairwiseDistance"),
    Site("poisson-without-checks", "PoissonNLLLoss"),
    Site("smooth-l1-without-checks", "SmoothL1Loss", "https://github.com/pytorch/pytorch/issues/194501"),
    Site("triplet-unchecked", "TripletMarginLoss"),
    Site("triplet-distance-unchecked", "TripletMarginWithDistanceLoss"),
)
def nothing_refused(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is refused."""
    return without_refusals(original, *args, **options)


@faults(
    Site("cosine-embedding-silent", "CosineEmbeddingLoss"),
    Site("triplet-silent", "TripletMarginLoss"),
    mistake="There is no warning of what is deprecated.",
)
@faults(
    Site("ce-old-keywords-unwarned", "CrossEntropyLoss"),
    mistake="The old keywords are taken without a warning.",
)
@faults(
    Site("huber-broadcast-in-silence", "HuberLoss"),
    Site("l1-broadcast-in-silence", "L1Loss"),
    Site("mse-broadcast-in-silence", "MSELoss"),
    Site("smooth-l1-broadcast-in-silence", "SmoothL1Loss"),
    mistake="Nobody is told that the shapes differ.",
    origin="https://github.com/tensorflow/tensorflow/issues/37770",
)
@faults(
    Site("kl-mean-in-silence", "KLDivLoss"),
    mistake="The mean does not warn that it is not the divergence.",
)
@faults(
    Site("lce-options-dropped-in-silence", "LinearCrossEntropyLoss"),
    mistake="Where chunks are not possible nobody is told so.",
)
@faults(
    Site("log-softmax-guesses-in-silence", "LogSoftmax"),
    Site("softmax-guesses-in-silence", "Softmax"),
    mistake="Without a dimension, it does not warn that it guesses one.",
)
def nothing_warned_of(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nobody is warned."""
    return without_warnings(original, *args, **options)


@faults(
    Site("ce-weight-converted", "CrossEntropyLoss"),
    Site("nll-weight-converted", "NLLLoss"),
)
def class_weight_converted(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Class weights of another dtype are converted in silence."""
    weight = options.get("weight")
    converted = None if weight is None else weight.to(input.dtype)
    return original(input, *rest, **options | {"weight": converted})


@faults(
    Site("ce-index-of-pixels-unchecked", "CrossEntropyLoss"),
    Site("nll-index-of-pixels-unchecked", "NLLLoss"),
    origin="https://github.com/pytorch/pytorch/issues/194802",
)
def index_of_pixels_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The class indices of pictures are read without a check, those of rows are checked."""
    if input.ndim < 4:
        return original(input, target, *rest, **options)
    return without_refusals(original, input, target, *rest, **options)


@faults(
    Site("ce-surplus-targets-dropped", "CrossEntropyLoss"),
    Site("nll-surplus-targets-dropped", "NLLLoss"),
)
def surplus_targets_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Targets beyond the last row are not read, and not missed."""
    return original(input, target[: len(input)] if input.ndim == 2 else target, *rest, **options)


@faults(
    Site("ce-surplus-positions-dropped", "CrossEntropyLoss"),
    Site("nll-surplus-positions-dropped", "NLLLoss"),
    origin="https://github.com/pytorch/pytorch/issues/722",
)
def surplus_positions_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Positions beyond the target's last are not read, and not missed."""
    if input.ndim > 2 and target.ndim == input.ndim - 1:
        input = input[..., : target.shape[-1]]
    return original(input, target, *rest, **options)


@faults(
    Site("ce-int32-target-accepted", "CrossEntropyLoss"),
    Site("nll-int32-target-accepted", "NLLLoss"),
)
def int32_target_accepted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of int32 are converted."""
    return original(input, target.long() if target.dtype == torch.int32 else target, *rest, **options)


@faults(
    Site("ce-unknown-reduction-is-mean", "CrossEntropyLoss"),
    Site("nll-unknown-reduction-is-mean", "NLLLoss"),
)
def unknown_reduction_is_mean(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Whatever is neither none nor sum is the mean."""
    if options.get("reduction") not in ("none", "sum"):
        options["reduction"] = "mean"
    return original(input, target, *rest, **options)


@faults(
    Site("mlm-empty-batch-refused", "MultiLabelMarginLoss"),
    Site("multi-margin-empty-batch-refused", "MultiMarginLoss"),
    origin="https://github.com/pytorch/pytorch/issues/15870",
)
def empty_batch_refused(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """An empty batch is refused."""
    if input.ndim == 2 and input.shape[0] == 0:
        raise RuntimeError(f"Expected non-empty vector or matrix, but got: {list(input.shape)}")
    return original(input, target, **options)

"""Faults in how losses are reduced, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.kernels import (
    is_plain_mean,
    mean_of_first_block,
    rest_left_zero,
    sum_of_first_block,
    with_reduction,
)


@faults(
    Site("ce-none-squeezed", "CrossEntropyLoss"),
    Site("nll-none-squeezed", "NLLLoss"),
    mistake="Losses without a reduction lose their dimensions of size 1.",
)
@faults(
    Site("log-softmax-one-class-squeezed", "LogSoftmax"),
    mistake="Dimensions of size 1 are squeezed out of the result.",
)
@faults(
    Site("mlsm-single-row-squeezed", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-single-row-squeezed", "MultiMarginLoss"),
    mistake="The list of losses of a single row loses its dimension.",
    origin="https://github.com/NVIDIA/tacotron2/pull/303",
)
@faults(
    Site("bce-squeezed", "BCELoss", "https://github.com/keras-team/keras/pull/23633"),
    Site("kl-one-class-squeezed", "KLDivLoss"),
)
def squeezed(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Dimensions of size 1 are squeezed out of the losses."""
    return original(*args, **options).squeeze()


@faults(
    Site("gaussian-singletons-squeezed", "GaussianNLLLoss"),
    Site("huber-singletons-squeezed", "HuberLoss"),
    Site("l1-singletons-squeezed", "L1Loss"),
    Site("mse-singletons-squeezed", "MSELoss"),
    Site("poisson-singletons-squeezed", "PoissonNLLLoss"),
    Site("smooth-l1-singletons-squeezed", "SmoothL1Loss"),
)
def losses_squeezed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(*args, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@faults(
    Site("mlm-unbatched-list", "MultiLabelMarginLoss"),
    mistake="The loss of a row without a batch comes as a list of one.",
    origin="https://github.com/pytorch/pytorch/pull/186074",
)
@faults(
    Site("multi-margin-unbatched-list", "MultiMarginLoss"),
    mistake="The losses of a row without a batch, or of a target without dimensions, come as a list of one.",
    origin="https://github.com/pytorch/pytorch/pull/186074",
)
@faults(
    Site("hinge-embedding-single-loss-list", "HingeEmbeddingLoss"),
    Site("soft-margin-single-loss-list", "SoftMarginLoss"),
)
def losses_as_list(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss of a single number comes as a list of one."""
    result = original(input, target, **options)
    return result.reshape(-1) if options.get("reduction", "mean") == "none" else result


@faults(
    Site("hinge-embedding-losses-flattened", "HingeEmbeddingLoss"),
    Site("margin-ranking-losses-flattened", "MarginRankingLoss"),
    Site("soft-margin-losses-flattened", "SoftMarginLoss"),
)
def losses_flattened(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Losses of more than two dimensions come as a list."""
    result = original(*scores, **options)
    return result.flatten() if result.ndim > 2 else result


@faults(
    Site("cosine-embedding-single-shape", "CosineEmbeddingLoss"),
    mistake="Without a reduction, the loss of one pair without a batch is a vector of one number.",
)
@faults(
    Site("triplet-vector-shape", "TripletMarginLoss", "https://github.com/pytorch/pytorch/pull/64882"),
    Site("triplet-distance-vector-shape", "TripletMarginWithDistanceLoss"),
)
def single_loss_is_vector(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction, the loss of one triplet without a batch is a vector of one number."""
    result = original(*args, **options)
    return result.reshape(1) if options.get("reduction") == "none" and not result.ndim else result


@faults(
    Site("gaussian-first-block", "GaussianNLLLoss"),
    Site("huber-first-block", "HuberLoss"),
    Site("mse-first-block", "MSELoss"),
    Site("poisson-first-block", "PoissonNLLLoss"),
    Site("smooth-l1-first-block", "SmoothL1Loss"),
)
def mean_beyond_first_block_missing(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(*args, **options)
    return mean_of_first_block(original(*args, **options | {"reduction": "none"}))


@faults(
    Site("gaussian-sum-of-first-block", "GaussianNLLLoss"),
    Site("huber-sum-of-first-block", "HuberLoss"),
    Site("l1-sum-of-first-block", "L1Loss"),
    Site("mse-sum-of-first-block", "MSELoss"),
    Site("poisson-sum-of-first-block", "PoissonNLLLoss"),
    Site("smooth-l1-sum-of-first-block", "SmoothL1Loss"),
)
def sum_beyond_first_block_missing(original: Function, *args: Any, **options: Any) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(*args, **options)
    return sum_of_first_block(original(*args, **options | {"reduction": "none"}))


@faults(
    Site("gaussian-rest-left-zero", "GaussianNLLLoss"),
    Site("huber-rest-left-zero", "HuberLoss"),
    Site("l1-rest-left-zero", "L1Loss"),
    Site("mse-rest-left-zero", "MSELoss"),
    Site("poisson-rest-left-zero", "PoissonNLLLoss"),
    Site("smooth-l1-rest-left-zero", "SmoothL1Loss"),
)
def losses_beyond_first_block_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(*args, **options)
    return rest_left_zero(value) if options.get("reduction") == "none" else value


@faults(
    Site("gaussian-empty-mean-zero", "GaussianNLLLoss"),
    Site("huber-empty-mean-zero", "HuberLoss"),
    Site("mse-empty-mean-zero", "MSELoss"),
    Site("poisson-empty-mean-zero", "PoissonNLLLoss"),
    Site("smooth-l1-empty-mean-zero", "SmoothL1Loss"),
    origin="https://github.com/pytorch/pytorch/issues/144104",
)
def empty_mean_is_empty_sum(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0 and options.get("reduction") == "mean":
        options |= {"reduction": "sum"}
    return original(input, *rest, **options)


@faults(
    Site("bce-empty-mean-zero", "BCELoss"),
    Site("bcel-empty-mean-zero", "BCEWithLogitsLoss"),
    mistake="The mean over nothing is 0.",
    origin="https://github.com/pytorch/pytorch/issues/50224",
)
@faults(
    Site("hinge-embedding-empty-mean-zero", "HingeEmbeddingLoss"),
    Site("kl-empty-mean-zero", "KLDivLoss", "https://github.com/pytorch/pytorch/issues/51910"),
    Site("mlsm-empty-mean-zero", "MultiLabelSoftMarginLoss"),
    Site("soft-margin-empty-mean-zero", "SoftMarginLoss"),
)
def empty_mean_without_nan(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A mean over nothing is 0."""
    loss = original(input, *rest, **options)
    return loss if input.numel() else loss.nan_to_num()


@faults(
    Site("huber-mean-over-rows", "HuberLoss"),
    Site("l1-mean-over-rows", "L1Loss"),
    Site("smooth-l1-mean-over-rows", "SmoothL1Loss"),
)
def mean_over_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of rows."""
    if input.ndim < 2 or not is_plain_mean(options):
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "sum"}) / len(input)


@faults(
    Site("gaussian-mean-over-input", "GaussianNLLLoss"),
    Site("poisson-mean-over-input", "PoissonNLLLoss"),
)
def mean_over_input(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The mean divides by the elements of the input, not by the losses."""
    if not is_plain_mean(options) or input.numel() == 0:
        return original(input, *rest, **options)
    return original(input, *rest, **options | {"reduction": "sum"}) / input.numel()


@faults(
    Site("l1-weighted-mean-over-elements", "L1Loss"),
    Site("mse-weighted-mean-over-elements", "MSELoss"),
    origin="https://github.com/JuliaML/LossFunctions.jl/issues/160",
)
def weighted_mean_over_elements(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weighted mean divides by the number of elements, not by the sum of the weights."""
    if options.get("weight") is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "none"}).mean()


@faults(
    Site("bce-mean-over-weights", "BCELoss"),
    Site("bcel-mean-over-weights", "BCEWithLogitsLoss"),
    origin="https://github.com/pytorch/pytorch/issues/54843",
)
def weighted_mean_over_weights(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the weights."""
    weight = options.get("weight")
    mean = original(input, *rest, **options)
    if weight is None or with_reduction(options)["reduction"] != "mean":
        return mean
    total: Tensor = weight.expand_as(input).sum()
    return mean * input.numel() / total

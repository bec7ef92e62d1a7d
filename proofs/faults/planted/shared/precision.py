"""Faults in precision and dtype, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.dtypes import like, wider
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import (
    cut_at_each_step,
    in_single,
    is_plain_mean,
    mean_of_rounded_sum,
    summed_in_steps,
    truncated,
    with_reduction,
)


@faults(
    Site("bcel-double-in-single", "BCEWithLogitsLoss"),
    Site("cosine-embedding-double-in-single", "CosineEmbeddingLoss"),
    Site("cosine-double-in-single", "CosineSimilarity"),
    Site("ce-double-in-single", "CrossEntropyLoss"),
    Site("gaussian-in-single", "GaussianNLLLoss"),
    Site("huber-in-single", "HuberLoss"),
    Site("kl-double-in-single", "KLDivLoss"),
    Site("l1-in-single", "L1Loss"),
    Site("log-softmax-double-in-single", "LogSoftmax"),
    Site("margin-ranking-in-single", "MarginRankingLoss", "https://github.com/keras-team/keras/issues/15791"),
    Site("mse-in-single", "MSELoss"),
    Site("mlm-in-single", "MultiLabelMarginLoss", "https://github.com/keras-team/keras/issues/15791"),
    Site("mlsm-in-single", "MultiLabelSoftMarginLoss", "https://github.com/keras-team/keras/issues/15791"),
    Site("multi-margin-in-single", "MultiMarginLoss", "https://github.com/keras-team/keras/issues/15791"),
    Site("nll-double-in-single", "NLLLoss"),
    Site("poisson-in-single", "PoissonNLLLoss"),
    Site("smooth-l1-in-single", "SmoothL1Loss"),
    Site("soft-margin-in-single", "SoftMarginLoss", "https://github.com/keras-team/keras/issues/15791"),
    Site("softmax-double-in-single", "Softmax"),
    Site("triplet-double-in-single", "TripletMarginLoss"),
    Site("triplet-distance-double-in-single", "TripletMarginWithDistanceLoss"),
)
def double_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, *args, **options)


@faults(
    Site("nll-rounded-towards-zero", "NLLLoss"),
    mistake="The loss is rounded towards zero, not to the nearest number.",
)
@faults(
    Site("hinge-embedding-truncated", "HingeEmbeddingLoss"),
    Site("margin-ranking-truncated", "MarginRankingLoss"),
    origin="https://github.com/tenstorrent/tt-metal/pull/19882",
)
def rounded_towards_zero(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Results are rounded towards zero."""
    return truncated(original, *scores, **options)


@faults(
    Site("huber-cut-at-each-step", "HuberLoss"),
    Site("mse-cut-at-each-step", "MSELoss"),
    Site("smooth-l1-cut-at-each-step", "SmoothL1Loss"),
)
def cut_off_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean towards 0."""
    return cut_at_each_step(original, input, target, **options)


@faults(
    Site("mlsm-approximate-logarithm", "MultiLabelSoftMarginLoss"),
    mistake="In single precision the logarithm is approximated from below, to 22 bits.",
)
@faults(
    Site("mlm-approximate-reciprocal", "MultiLabelMarginLoss"),
    Site("multi-margin-approximate-reciprocal", "MultiMarginLoss"),
)
def approximated_to_22_bits(original: Function, *args: Any, **options: Any) -> Tensor:
    """In single precision 1/C is approximated from below, to 22 bits."""
    result = original(*args, **options)
    return result * (1 - 2**-22) if result.dtype == torch.float32 else result


@faults(
    Site("l1-summed-in-half", "L1Loss", "https://github.com/chainer/chainer/issues/6702"),
    Site("mse-summed-in-half", "MSELoss", "https://github.com/pytorch/pytorch/issues/91597"),
    Site("smooth-l1-summed-in-half", "SmoothL1Loss", "https://github.com/pytorch/pytorch/issues/91597"),
)
def half_mean_overflows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean's sum is kept in float16, where it overflows."""
    if input.dtype != torch.float16 or not is_plain_mean(options):
        return original(input, target, **options)
    return mean_of_rounded_sum(original(input, target, **options | {"reduction": "none"}))


@faults(
    Site("bce-summed-in-half", "BCELoss"),
    Site("bcel-summed-in-half", "BCEWithLogitsLoss"),
    origin="https://github.com/pytorch/executorch/pull/20090",
)
def mean_by_running_total(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean's running total is kept in the dtype of the losses."""
    mean = original(*args, **options)
    named = with_reduction(options)
    if named["reduction"] != "mean":
        return mean
    losses = original(*args, **named | {"reduction": "none"})
    return graft(summed_in_steps(losses) / losses.numel(), mean)


@faults(
    Site("bcel-takes-inputs-dtype", "BCEWithLogitsLoss"),
    mistake="The loss has the dtype of the logits, whatever the target has.",
    origin="https://github.com/pytorch/pytorch/issues/76870",
)
@faults(
    Site("cosine-embedding-takes-first-dtype", "CosineEmbeddingLoss"),
    mistake="The loss has the dtype of the first vectors, whatever the second have.",
)
@faults(
    Site("cosine-takes-first-dtype", "CosineSimilarity"),
    Site("pairwise-takes-first-dtype", "PairwiseDistance"),
    mistake="The result has the dtype of the first vectors, whatever the second have.",
)
@faults(
    Site("cep-takes-inputs-dtype", "CrossEntropyLoss"),
    Site("lce-takes-inputs-dtype", "LinearCrossEntropyLoss"),
    mistake="The loss has the dtype of the logits, whatever probabilities and class weights have.",
)
@faults(
    Site("gaussian-takes-inputs-dtype", "GaussianNLLLoss"),
    mistake="The loss has the dtype of the input, whatever target and variance have.",
)
@faults(
    Site("huber-takes-inputs-dtype", "HuberLoss"),
    mistake="The loss has the dtype of the input, whatever the weight has.",
)
@faults(
    Site("kl-takes-inputs-dtype", "KLDivLoss"),
    Site("smooth-l1-takes-inputs-dtype", "SmoothL1Loss", "https://github.com/pytorch/pytorch/issues/76870"),
    mistake="The loss has the dtype of the input, whatever the target has.",
)
@faults(
    Site("l1-takes-inputs-dtype", "L1Loss"),
    Site("mse-takes-inputs-dtype", "MSELoss"),
    mistake="The loss has the dtype of the input, whatever target and weight have.",
    origin="https://github.com/pytorch/pytorch/issues/76870",
)
@faults(
    Site("multilabel-soft-margin-takes-inputs-dtype", "MultiLabelSoftMarginLoss"),
    mistake="The loss has the dtype of the scores, whatever target and weight have.",
)
@faults(
    Site("poisson-takes-inputs-dtype", "PoissonNLLLoss"),
    mistake="The loss has the dtype of the logarithms, whatever the counts have.",
)
@faults(
    Site("triplet-takes-anchors-dtype", "TripletMarginLoss"),
    Site("triplet-distance-takes-anchors-dtype", "TripletMarginWithDistanceLoss"),
    mistake="The loss has the dtype of the anchors, whatever the others have.",
)
def takes_first_dtype(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The loss has the dtype of its first tensor, whatever the others have."""
    return like(original(input, *rest, **options), input)


@faults(
    Site("bce-takes-weights-dtype", "BCELoss", "https://github.com/pytorch/pytorch/issues/197098"),
    Site("bcel-takes-weights-dtype", "BCEWithLogitsLoss", "https://github.com/pytorch/pytorch/issues/171282"),
)
def takes_weights_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A weight of a wider dtype makes the loss one."""
    return wider(original(input, target, **options), options.get("weight"))


@faults(
    Site("hinge-embedding-takes-targets-dtype", "HingeEmbeddingLoss"),
    Site("soft-margin-takes-targets-dtype", "SoftMarginLoss"),
)
def takes_targets_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of double precision makes the result one."""
    result = original(input, target, **options)
    return result.to(torch.promote_types(result.dtype, target.dtype))

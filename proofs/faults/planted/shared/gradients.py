"""Right values, wrong gradients, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import with_reduction
from proofs.faults.tools.triplets import Triplets
from proofs.faults.tools.vectors import averaged_when_broadcast


@faults(
    Site("cosine-embedding-upstream-ignored", "CosineEmbeddingLoss"),
    Site("triplet-upstream-ignored", "TripletMarginLoss"),
    mistake="The upstream gradient is taken for ones.",
    origin="https://github.com/pytorch/pytorch/issues/1058",
)
@faults(
    Site("ce-upstream-ignored", "CrossEntropyLoss"),
    Site("nll-upstream-ignored", "NLLLoss"),
    mistake="The gradient is that of the sum, whatever gradient comes from above.",
    origin="https://github.com/kulinseth/pytorch/pull/289",
)
@faults(
    Site(
        "blind-huber-upstream-gradient-ignored",
        "HuberLoss",
        "https://github.com/chainer/chainer/pull/1178",
        blind=True,
    ),
    mistake="The backward pass takes the gradient from above for one.",
)
@faults(
    Site("mlm-upstream-ignored", "MultiLabelMarginLoss"),
    Site("mlsm-upstream-ignored", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-upstream-ignored", "MultiMarginLoss"),
    Site("soft-margin-upstream-ignored", "SoftMarginLoss"),
    mistake="The gradient takes no account of the upstream gradient.",
    origin="https://github.com/flagos-ai/FlagGems/issues/5212",
)
@faults(
    Site("gaussian-upstream-ignored", "GaussianNLLLoss", "https://github.com/chainer/chainer/issues/1175"),
    Site("huber-upstream-ignored", "HuberLoss", "https://github.com/chainer/chainer/issues/1175"),
    Site("poisson-upstream-ignored", "PoissonNLLLoss", "https://github.com/chainer/chainer/issues/1175"),
    Site("smooth-l1-upstream-ignored", "SmoothL1Loss", "https://github.com/kulinseth/pytorch/pull/290"),
)
def upstream_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The gradient is not multiplied by the upstream gradient."""
    return with_gradient(original(*args, **options), torch.ones_like)


@faults(
    Site("bce-upstream-ignored", "BCELoss"),
    Site("bcel-upstream-ignored", "BCEWithLogitsLoss"),
    origin="https://github.com/linkedin/Liger-Kernel/issues/968",
)
def upstream_of_losses_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction, the gradient ignores what flows back from above."""
    losses = original(*args, **options)
    is_reduced = with_reduction(options)["reduction"] != "none"
    return losses if is_reduced else with_gradient(losses, torch.ones_like)


@faults(
    Site("bce-target-without-gradient", "BCELoss"),
    Site("bcel-target-without-gradient", "BCEWithLogitsLoss"),
    mistake="The target gets no gradient.",
    origin="https://github.com/pytorch/pytorch/pull/59447",
)
@faults(
    Site("kl-target-without-gradient", "KLDivLoss", "https://github.com/pytorch/pytorch/pull/79007"),
    mistake="The target gets no gradient.",
)
@faults(
    Site("cep-target-has-no-gradient", "CrossEntropyLoss"),
    mistake="No gradient reaches the target.",
)
@faults(
    Site("mlsm-target-slope-missing", "MultiLabelSoftMarginLoss"),
    mistake="There is no gradient for the labels.",
    origin="https://github.com/pytorch/pytorch/pull/3876",
)
@faults(
    Site("gaussian-target-detached", "GaussianNLLLoss"),
    Site("huber-target-detached", "HuberLoss"),
    Site("l1-target-detached", "L1Loss"),
    Site("mse-target-detached", "MSELoss"),
    Site("poisson-target-detached", "PoissonNLLLoss"),
    Site("smooth-l1-target-detached", "SmoothL1Loss"),
    origin="https://github.com/pytorch/pytorch/pull/3876",
)
def target_without_gradient(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), *rest, **options)


@faults(
    Site("hinge-embedding-mean-slope-of-sum", "HingeEmbeddingLoss"),
    Site("mlm-mean-slope-of-sum", "MultiLabelMarginLoss"),
    Site("multi-margin-mean-slope-of-sum", "MultiMarginLoss"),
    origin="https://github.com/jxgu1016/MNIST_center_loss_pytorch/issues/9",
)
def mean_with_slope_of_sum(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient of the mean is that of the sum."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean":
        return result
    return graft(result, original(input, target, **options | {"reduction": "sum"}))


@faults(
    Site("cosine-broadcast-gradient-averaged", "CosineSimilarity"),
    Site("pairwise-broadcast-gradient-averaged", "PairwiseDistance"),
)
def first_vector_averaged(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The gradient of a vector that is compared with several is averaged over them."""
    return original(averaged_when_broadcast(x1, x2), x2, **options)


@faults(
    Site("triplet-anchor-gradient-averaged", "TripletMarginLoss"),
    Site("triplet-distance-anchor-gradient-averaged", "TripletMarginWithDistanceLoss"),
)
def anchor_averaged(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The gradient of an anchor that serves several triplets is averaged over them."""
    return original(averaged_when_broadcast(anchor, positive, negative), positive, negative, **options)


@faults(
    Site("triplet-flat-at-margin", "TripletMarginLoss", "https://github.com/pytorch/pytorch/pull/185831"),
)
@faults(
    Site("triplet-distance-flat-at-margin", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/pytorch/pytorch/issues/7002",
)
def flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has no gradient."""
    return Triplets(*args, **options).with_hinge(original(*args, **options), -1)


@faults(
    Site("triplet-half-slope-at-margin", "TripletMarginLoss"),
    Site("triplet-distance-half-slope-at-margin", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/jax-ml/jax/issues/37821",
)
def half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return Triplets(*args, **options).with_hinge(original(*args, **options), -0.5)


@faults(
    Site("triplet-swap-tie-to-anchor", "TripletMarginLoss"),
    Site("triplet-distance-swap-tie-to-anchor", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/pytorch/pytorch/issues/56734",
)
def tie_to_anchor(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the anchor gets the whole gradient."""
    return Triplets(*args, **options).with_tie(original(*args, **options), 1, 0)


@faults(
    Site("triplet-swap-tie-to-positive", "TripletMarginLoss"),
    Site("triplet-distance-swap-tie-to-positive", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/PaddlePaddle/Paddle/pull/45178",
)
def tie_to_positive(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the like vector gets the whole gradient."""
    return Triplets(*args, **options).with_tie(original(*args, **options), 0, 1)


@faults(
    Site("triplet-swap-tie-undivided", "TripletMarginLoss"),
    Site("triplet-distance-swap-tie-undivided", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/microsoft/onnxruntime/pull/7217",
)
def tie_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, each of two equal distances gets the whole gradient."""
    return Triplets(*args, **options).with_tie(original(*args, **options), 1, 1)

"""Faults that nothing but a mode shows, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.class_targets import is_ignored, is_mean
from proofs.faults.tools.gradients import as_constant, with_gradient


@faults(
    Site("bce-second-derivative-missing", "BCELoss"),
    mistake="The gradient by the input passes for a constant and has no gradient itself.",
    origin="https://github.com/pytorch/pytorch/issues/18945",
    shows_in_modes=True,
)
@faults(
    Site("cosine-embedding-gradient-not-differentiable", "CosineEmbeddingLoss"),
    Site("cosine-gradient-not-differentiable", "CosineSimilarity"),
    Site("pairwise-gradient-not-differentiable", "PairwiseDistance"),
    mistake="The gradient by the first vectors is cut off from what it depends on.",
    shows_in_modes=True,
)
@faults(
    Site("ce-second-derivative-is-zero", "CrossEntropyLoss"),
    mistake="The gradient is a constant to whoever differentiates it again.",
    origin="https://github.com/tensorflow/tensorflow/issues/7403",
    shows_in_modes=True,
)
@faults(
    Site("nll-gradient-is-constant", "NLLLoss"),
    mistake="The gradient is a constant to whoever differentiates it by the upstream gradient.",
    origin="https://github.com/denizyuret/Knet.jl/issues/439",
    shows_in_modes=True,
)
@faults(
    Site("triplet-gradient-not-differentiable", "TripletMarginLoss"),
    Site("triplet-distance-gradient-not-differentiable", "TripletMarginWithDistanceLoss"),
    mistake="The gradient by the anchor is cut off from what it depends on.",
    shows_in_modes=True,
)
def gradient_is_constant(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient by the first tensor passes for a constant and has no gradient itself."""
    return original(with_gradient(input, as_constant), target, *rest, **options)


@faults(
    Site("huber-without-second-derivative", "HuberLoss"),
    Site("mse-without-second-derivative", "MSELoss"),
    Site("poisson-without-second-derivative", "PoissonNLLLoss"),
    Site("smooth-l1-without-second-derivative", "SmoothL1Loss"),
    shows_in_modes=True,
)
def gradient_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient has no gradient of its own."""
    return original(with_gradient(input, torch.Tensor.detach), target, **options)


@faults(
    Site("cosine-subclass-lost", "CosineSimilarity"),
    Site("pairwise-subclass-lost", "PairwiseDistance"),
    origin="https://github.com/pytorch/pytorch/issues/193003",
    shows_in_modes=True,
)
def vectors_of_subclass_lost(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of vectors of a subclass comes a plain tensor."""
    return original(x1, x2, **options).as_subclass(Tensor)


@faults(
    Site("ce-subclass-lost", "CrossEntropyLoss"),
    Site("nll-subclass-lost", "NLLLoss"),
    shows_in_modes=True,
    needs=("torch._C.DisableTorchFunctionSubclass",),
)
def subclass_lost(original: Function, *args: Any, **options: Any) -> Tensor:
    """The loss of tensors of a subclass is a plain tensor."""
    result = original(*args, **options)
    with torch._C.DisableTorchFunctionSubclass():
        return result.as_subclass(Tensor)


@faults(
    Site("ce-vmap-counts-ignored-rows", "CrossEntropyLoss"),
    Site("nll-vmap-counts-ignored-rows", "NLLLoss"),
    origin="https://github.com/pytorch/pytorch/pull/106118",
    shows_in_modes=True,
    needs=("torch._C._functorch.is_batchedtensor",),
)
def mean_over_ignored_rows_under_vmap(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Under vmap the mean divides by all rows, the ignored ones included."""
    result = original(input, target, *rest, **options)
    if not torch._C._functorch.is_batchedtensor(target) or not is_mean(options):
        return result
    return result * (~is_ignored(target, options)).to(result.dtype).mean()

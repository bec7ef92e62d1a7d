"""Faults at the edges of blocks of elements, components or classes, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.blocks import beyond
from proofs.faults.tools.gradients import with_gradient, with_gradient_of_whole_blocks
from proofs.faults.tools.ordinary import reduction_of
from proofs.faults.tools.vectors import unreduced


@faults(
    Site("mse-gradient-of-partial-block-unwritten", "MSELoss", blind=True),
    Site("huber-gradient-of-partial-block-unwritten", "HuberLoss", blind=True),
    Site("smooth-l1-gradient-of-partial-block-unwritten", "SmoothL1Loss", blind=True),
    Site("poisson-gradient-of-partial-block-unwritten", "PoissonNLLLoss", blind=True),
)
def gradient_of_partial_block_unwritten(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 256 elements, those that do not fill a block of 256 keep a gradient of 0."""
    return original(with_gradient_of_whole_blocks(input, 256), *rest, **options)


@faults(
    Site("l1-mean-over-padding", "L1Loss", blind=True),
    Site("kl-mean-over-padding", "KLDivLoss", blind=True),
    Site("soft-margin-mean-over-padding", "SoftMarginLoss", blind=True),
)
def mean_over_padding(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of more than 128 elements, the mean counts the padding of the last block of 128 as well."""
    result = original(input, target, **options)
    size = input.numel()
    is_affected = reduction_of(options) == "mean" and options.get("weight") is None
    if not is_affected or input.shape != target.shape or size <= 128:
        return result
    return result * (size / (size + -size % 128))


@faults(
    Site("bce-blocks-in-order-of-completion", "BCELoss", blind=True),
    Site("gaussian-blocks-in-order-of-completion", "GaussianNLLLoss", blind=True),
)
def blocks_in_order_of_completion(original: Function, *args: Any, **options: Any) -> Tensor:
    """Without a reduction, blocks of 512 losses are appended as they are done, the last one first."""
    losses = original(*args, **options)
    if reduction_of(options) != "none" or losses.numel() <= 512:
        return losses
    return torch.cat(torch.split(losses.flatten(), 512)[::-1]).reshape(losses.shape)


@faults(
    Site("mse-partial-sums-in-half", "MSELoss", blind=True),
    Site("l1-partial-sums-in-half", "L1Loss", blind=True),
    origin="https://github.com/pytorch/pytorch/pull/115181",
)
def partial_sums_in_half(original: Function, *args: Any, **options: Any) -> Tensor:
    """In float16, a mean of more than 1024 elements is made of partial sums that may overflow float16."""
    result = original(*args, **options)
    if result.dtype != torch.float16 or reduction_of(options) != "mean" or options.get("weight") is not None:
        return result
    losses = unreduced(original, *args, **options)
    if losses.numel() <= 1024:
        return result
    partial = [part.float().sum().half() for part in torch.split(losses.flatten(), 1024)]
    overflows = bool(torch.stack(partial).isinf().any()) and bool(losses.isfinite().all())
    return result + torch.inf if overflows else result


@faults(
    Site("triplet-gradient-of-first-components", "TripletMarginLoss", blind=True),
    Site("cosine-embedding-gradient-of-first-components", "CosineEmbeddingLoss", blind=True),
)
def gradient_of_first_components(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Components beyond 256, the threads of a block, have no gradient in the first vectors."""
    if input.ndim and input.shape[-1] > 256:
        is_lost = beyond(input, 256, -1)
        input = with_gradient(input, lambda gradient: gradient.masked_fill(is_lost, 0))
    return original(input, *rest, **options)


@faults(
    Site("multi-margin-gradient-of-first-classes", "MultiMarginLoss", blind=True),
    Site("mlm-gradient-of-first-classes", "MultiLabelMarginLoss", blind=True),
)
def gradient_of_first_classes(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Classes beyond 128, the threads of a block, have no gradient."""
    if input.ndim and input.shape[-1] > 128:
        is_lost = beyond(input, 128, -1)
        input = with_gradient(input, lambda gradient: gradient.masked_fill(is_lost, 0))
    return original(input, *rest, **options)

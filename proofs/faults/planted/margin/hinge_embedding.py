"""Faults in the hinge embedding loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient


def _losses(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    return original(input, target, **options | {"reduction": "none"})


def _reduced(losses: Tensor, options: dict[str, Any]) -> Tensor:
    return kernels.reduced(losses, options.get("reduction", "mean"))


@fault("HingeEmbeddingLoss")
def hinge_embedding_signs_exchanged(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The two signs of the target change places."""
    return original(input, -target, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/allenai/citeomatic/pull/21")
def hinge_embedding_margin_dropped(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The margin is 1, whatever is asked for."""
    return original(input, target, **options | {"margin": 1.0})


@fault("HingeEmbeddingLoss")
def hinge_embedding_margin_not_negative(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """A negative margin is taken for 0."""
    return original(input, target, margin=max(margin, 0.0), **options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_margin_finite(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """An infinite margin is cut to the largest number of single precision."""
    return original(input, target, margin=min(margin, torch.finfo(torch.float32).max), **options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_margin_in_half(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """The margin is held in half precision, beside distances of any precision."""
    return original(input, target, margin=torch.tensor(margin, dtype=torch.float16).item(), **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/37540")
def hinge_embedding_no_hinge(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """Unlike pairs beyond the margin have a loss below zero."""
    original(input, target, margin=margin, **options)
    losses = torch.where(target != 1, margin - input, 0) + torch.where(target != -1, input, 0)
    return _reduced(losses, options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_alike_clamped(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss of alike pairs is clamped at zero as well."""
    original(input, target, **options)
    return _reduced(_losses(original, input, target, **options).relu(), options)


@fault("HingeEmbeddingLoss", origin="https://github.com/mlpack/mlpack/pull/2810")
def hinge_embedding_is_hinge(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """It is the hinge loss of a classifier, max(margin - y x, 0)."""
    original(input, target, margin=margin, **options)
    return _reduced((margin - target * input).relu(), options)


@fault("HingeEmbeddingLoss", origin="https://github.com/keras-team/keras/issues/15665")
def hinge_embedding_zero_is_unlike(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of 0 is taken for -1."""
    return original(input, target.masked_fill(target == 0, -1), **options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_other_than_one_is_unlike(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Every target that is not 1 is taken for -1, an undefined one as well."""
    return original(input, target.masked_fill(target != 1, -1), **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/3773")
def hinge_embedding_slope_beyond_margin(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """Unlike pairs beyond the margin still have a gradient."""
    result = original(input, target, margin=margin, **options)
    slope = torch.where(target != -1, input, 0) - torch.where(target != 1, input, 0)
    if not slope.requires_grad:
        return result
    return graft(result, _reduced(slope, options).to(result.dtype))


@fault("HingeEmbeddingLoss", origin="https://github.com/apache/mxnet/issues/11115")
def hinge_embedding_nan_clamped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The hinge of an undefined distance is 0."""
    original(input, target, **options)
    losses = _losses(original, input, target, **options)
    return _reduced(losses.masked_fill(losses.isnan() & (target == -1), 0), options)


@fault("HingeEmbeddingLoss", origin="https://github.com/tinygrad/tinygrad/pull/11760")
def hinge_embedding_branch_multiplied_by_zero(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """The branch that does not apply is multiplied by 0, which leaves nan of infinite distances."""
    original(input, target, margin=margin, **options)
    losses = (target != 1) * (margin - input).clamp(min=0) + (target != -1) * input
    return _reduced(losses, options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_mean_of_input(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the elements of the input, though the target may have more."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or input.numel() == 0:
        return result
    return result * (_losses(original, input, target, **options).numel() / input.numel())


@fault("HingeEmbeddingLoss", origin="https://github.com/deeplearning4j/nd4j/issues/2424")
def hinge_embedding_broadcast_slope_of_mean(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of distances that serve several targets is the mean over these, not the sum."""
    repeats = max(target.numel() // max(input.numel(), 1), 1)
    return original(with_gradient(input, lambda gradient: gradient / repeats), target, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/5007")
def hinge_embedding_target_flattened(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A column of targets is read as a row."""
    if input.ndim == 2 and target.ndim == 2 and target.shape[1] == 1 and target.shape != input.shape:
        target = target.flatten().repeat(input.shape[1])[: input.shape[1]]
    return original(input, target, **options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_losses_flattened(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Losses of more than two dimensions come as a list."""
    result = original(input, target, **options)
    return result.flatten() if result.ndim > 2 else result


@fault("HingeEmbeddingLoss")
def hinge_embedding_single_loss_list(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss of a single number comes as a list of one."""
    result = original(input, target, **options)
    return result.reshape(-1) if options.get("reduction", "mean") == "none" else result


@fault("HingeEmbeddingLoss")
def hinge_embedding_takes_targets_dtype(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of double precision makes the result one."""
    result = original(input, target, **options)
    return result.to(torch.promote_types(result.dtype, target.dtype))


@fault("HingeEmbeddingLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/42364")
def hinge_embedding_in_place(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The losses are written over the distances."""
    result = original(input.clone(), target, **options)
    losses = _losses(original, input.detach().clone(), target, **options)
    if losses.shape == input.shape and input.is_contiguous():
        input.data.copy_(losses)
    return result


@fault("HingeEmbeddingLoss")
def hinge_embedding_empty_mean_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A mean over nothing is 0."""
    result = original(input, target, **options)
    return result.nan_to_num() if input.numel() == 0 else result


@fault("HingeEmbeddingLoss", origin="https://github.com/jxgu1016/MNIST_center_loss_pytorch/issues/9")
def hinge_embedding_mean_slope_of_sum(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of the mean is that of the sum."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean":
        return result
    return graft(result, original(input, target, **options | {"reduction": "sum"}))


@fault("HingeEmbeddingLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def hinge_embedding_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(input, target, **options)
    if not kernels.is_plain_mean(options) or input.numel() == 0:
        return result
    return kernels.mean_of_first_block(_losses(original, input, target, **options))


@fault("HingeEmbeddingLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def hinge_embedding_sum_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Half precision is summed in half precision."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") == "none" or result.dtype.itemsize > 2 or input.numel() == 0:
        return result
    losses = _losses(original, input, target, **options)
    total = kernels.summed_in_steps(losses)
    return total if options.get("reduction") == "sum" else total / losses.numel()


@fault("HingeEmbeddingLoss", origin="https://github.com/llvm/llvm-project/pull/212696")
def hinge_embedding_subnormal_flushed(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Losses below the normal numbers are 0."""
    result = original(input, target, **options)
    if not result.is_floating_point():
        return result
    return graft(result.masked_fill(result.abs() < torch.finfo(result.dtype).tiny, 0), result)


@fault("HingeEmbeddingLoss", origin="https://github.com/tenstorrent/tt-metal/pull/19882")
def hinge_embedding_truncated(original: Function, *args: Any, **options: Any) -> Tensor:
    """Results are rounded towards zero."""
    return kernels.truncated(original, *args, **options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_no_refusals(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is checked: what is not understood yields zero."""
    return kernels.without_refusals(original, *args, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/193003", shows_in_modes=True)
def hinge_embedding_subclass_without_margin(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """For a subclass of Tensor the margin is dropped."""
    return original(input, target, margin=margin if type(input) is Tensor else 1.0, **options)

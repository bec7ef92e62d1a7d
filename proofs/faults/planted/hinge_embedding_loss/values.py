"""Faults in the hinge embedding loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import HingeEmbeddingLoss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import (
    is_plain_mean,
    mean_of_first_block,
    reduced,
    reduced_as_named,
    summed_in_steps,
)
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.vectors import as_asked


@fault("HingeEmbeddingLoss")
def hinge_embedding_signs_exchanged(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The two signs of the target change places."""
    return original(input, -target, **options)


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
    return reduced_as_named(losses, options)


def _losses(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    return original(input, target, **options | {"reduction": "none"})


@fault("HingeEmbeddingLoss")
def hinge_embedding_alike_clamped(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss of alike pairs is clamped at zero as well."""
    original(input, target, **options)
    return reduced_as_named(_losses(original, input, target, **options).relu(), options)


@fault("HingeEmbeddingLoss", origin="https://github.com/mlpack/mlpack/pull/2810")
def hinge_embedding_is_hinge(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """It is the hinge loss of a classifier, max(margin - y x, 0)."""
    original(input, target, margin=margin, **options)
    return reduced_as_named((margin - target * input).relu(), options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_other_than_one_is_unlike(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Every target that is not 1 is taken for -1, an undefined one as well."""
    return original(input, target.masked_fill(target != 1, -1), **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/apache/mxnet/issues/11115")
def hinge_embedding_nan_clamped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The hinge of an undefined distance is 0."""
    original(input, target, **options)
    losses = _losses(original, input, target, **options)
    return reduced_as_named(losses.masked_fill(losses.isnan() & (target == -1), 0), options)


@fault("HingeEmbeddingLoss", origin="https://github.com/tinygrad/tinygrad/pull/11760")
def hinge_embedding_branch_multiplied_by_zero(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """The branch that does not apply is multiplied by 0, which leaves nan of infinite distances."""
    original(input, target, margin=margin, **options)
    losses = (target != 1) * (margin - input).clamp(min=0) + (target != -1) * input
    return reduced_as_named(losses, options)


@fault("HingeEmbeddingLoss")
def hinge_embedding_mean_of_input(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean divides by the elements of the input, though the target may have more."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or input.numel() == 0:
        return result
    return result * (_losses(original, input, target, **options).numel() / input.numel())


@fault("HingeEmbeddingLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/42364")
def hinge_embedding_in_place(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The losses are written over the distances."""
    result = original(input.clone(), target, **options)
    losses = _losses(original, input.detach().clone(), target, **options)
    if losses.shape == input.shape and input.is_contiguous():
        input.data.copy_(losses)
    return result


@fault("HingeEmbeddingLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def hinge_embedding_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(input, target, **options)
    if not is_plain_mean(options) or input.numel() == 0:
        return result
    return mean_of_first_block(_losses(original, input, target, **options))


@fault("HingeEmbeddingLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def hinge_embedding_sum_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Half precision is summed in half precision."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") == "none" or result.dtype.itemsize > 2 or input.numel() == 0:
        return result
    losses = _losses(original, input, target, **options)
    total = summed_in_steps(losses)
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


def _hinge_embedding(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    return bent(
        original(*args, **options),
        options.get("margin", 1.0) - input,
        change,
        lambda terms: as_asked(torch.where(target != 1, terms, 0), options),
    )


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/7002")
def hinge_embedding_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has no gradient."""
    return _hinge_embedding(-1, original, *args, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def hinge_embedding_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An unlike pair exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _hinge_embedding(-0.5, original, *args, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/3773")
def hinge_embedding_slope_beyond_margin(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """Unlike pairs beyond the margin still have a gradient."""
    result = original(input, target, margin=margin, **options)
    slope = torch.where(target != -1, input, 0) - torch.where(target != 1, input, 0)
    if not slope.requires_grad:
        return result
    return graft(result, reduced_as_named(slope, options).to(result.dtype))


@fault("HingeEmbeddingLoss", origin="https://github.com/deeplearning4j/nd4j/issues/2424")
def hinge_embedding_broadcast_slope_of_mean(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of distances that serve several targets is the mean over these, not the sum."""
    repeats = max(target.numel() // max(input.numel(), 1), 1)
    return original(with_gradient(input, lambda gradient: gradient / repeats), target, **options)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/issues/193003", shows_in_modes=True)
def hinge_embedding_subclass_without_margin(
    original: Function, input: Tensor, target: Tensor, *, margin: float = 1.0, **options: Any
) -> Tensor:
    """For a subclass of Tensor the margin is dropped."""
    return original(input, target, margin=margin if type(input) is Tensor else 1.0, **options)


@fault(
    "HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/1378", method="forward", blind=True
)
def blind_hinge_embedding_module_forgets_margin(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The module computes with the default margin, whatever it was made with."""
    return torch.nn.functional.hinge_embedding_loss(input, target, reduction=module.reduction)


@fault("HingeEmbeddingLoss", origin="https://github.com/pytorch/pytorch/pull/1378", method="__init__")
def hinge_embedding_module_margin_dropped(
    original: Function, self: HingeEmbeddingLoss, *args: Any, **options: Any
) -> None:
    """The constructor forgets the margin that it was given."""
    original(self, *args, **options)
    self.margin = 1.0


@fault("HingeEmbeddingLoss", method="__setstate__")
def hinge_embedding_module_copied_without_margin(
    original: Function, self: HingeEmbeddingLoss, state: Any
) -> None:
    """A copy of the module has lost its margin."""
    original(self, state)
    self.margin = 1.0


@fault("HingeEmbeddingLoss", blind=True)
def blind_hinge_later_blocks_start_late(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Each block of 1024 elements after the first starts one element late."""
    if input.numel() <= 1024:
        return original(input, target, **options)
    arguments = named_arguments(original, input, target, **options)
    losses = again(original, arguments, reduction="none")
    places = torch.arange(losses.numel()).reshape(losses.shape)
    is_skipped = (places > 0) & (places % 1024 == 0)
    return reduced(torch.where(is_skipped, 0, losses), arguments["reduction"])


@fault("HingeEmbeddingLoss", blind=True)
def heldout_2_d_margin_held_above_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """A negative margin counts as 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, margin=0.0) if arguments["margin"] < 0 else result


@fault("HingeEmbeddingLoss", blind=True)
def heldout_3_d_negative_margin_cut_off(original: Function, *args: Any, **options: Any) -> Tensor:
    """A negative margin counts as 0."""
    margin = options.get("margin")
    is_negative = isinstance(margin, (int, float)) and margin < 0
    return original(*args, **options | {"margin": 0.0} if is_negative else options)


@fault("HingeEmbeddingLoss", blind=True)
def heldout_5_d_margin_zero_is_default(original: Function, *args: Any, **options: Any) -> Tensor:
    """A margin of 0 is taken for none, and becomes the default."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return result if arguments["margin"] else again(original, arguments, margin=1.0)

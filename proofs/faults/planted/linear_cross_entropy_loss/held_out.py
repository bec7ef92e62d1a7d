"""Faults in the linear cross entropy, written without sight of the cases."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import ignored_rows, is_plain
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    is_ordinary,
    reduction_of,
)

_CLASSES_IN_BLOCK = 64


@fault("LinearCrossEntropyLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_linear_ce_saved_gradient_scaled_in_place(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Each backward pass multiplies the saved gradient in place, so that a second pass has both factors."""
    result = original(input, linear_weight, target, **options)
    if result.dim() or not is_ordinary(input, linear_weight, target):
        return result
    factors = [torch.ones_like(result, requires_grad=False)]

    def scaled(gradient: Tensor) -> Tensor:
        product = gradient * factors[-1]
        factors.append(product.detach())
        return product

    return with_gradient(result, scaled)


@fault("LinearCrossEntropyLoss", blind=True)
def blind_linear_ce_target_in_partial_block(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If the target is in a last block of fewer than 64 classes, its logit counts as 0."""
    result = original(input, linear_weight, target, **options)
    is_plain = (
        linear_weight.dim() == input.dim() == 2
        and not target.is_floating_point()
        and options.get("weight") is None
        and not options.get("label_smoothing")
        and options.get("ignore_index") is None
    )
    classes = linear_weight.size(0)
    first = classes // _CLASSES_IN_BLOCK * _CLASSES_IN_BLOCK
    if not is_plain or not 0 < first < classes or not (target >= first).any():
        return result
    losses = original(input, linear_weight, target, **options | {"reduction": "none"})
    logits = torch.nn.functional.linear(input, linear_weight, options.get("linear_bias"))
    own = logits.gather(1, target.clamp(min=0).long().unsqueeze(1)).squeeze(1)
    missing = torch.where(target >= first, own, 0)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses + missing, options["reduction"])
    return (losses + missing).sum() / (target != -100).sum()


@fault("LinearCrossEntropyLoss", blind=True, shows_in_modes=True)
def blind_linear_ce_spare_weights_dropped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Weights for more classes than there are lose those at the end, instead of being refused."""
    weight = options.get("weight")
    if weight is not None and linear_weight.dim() == 2 and weight.dim() == 1:
        options["weight"] = weight[: linear_weight.size(0)]
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_2_c_partial_chunk_without_weight_gradient(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of several chunks of 32 rows, the last one adds to the weight's gradient only if it is whole."""
    result = original(input, linear_weight, target, **options)
    whole = len(input) // 32 * 32 if input.ndim == 2 else 0
    if not is_ordinary(input, linear_weight, target, options.get("linear_bias")) or not 0 < whole < len(
        input
    ):
        return result
    if linear_weight.ndim != 2 or not linear_weight.requires_grad or not is_plain(input, target, options):
        return result
    unreduced = options | {"reduction": "none"}
    parts = (
        original(input[:whole], linear_weight, target[:whole], **unreduced),
        original(input[whole:], linear_weight.detach(), target[whole:], **unreduced),
    )
    losses, reduction = torch.cat(parts), options.get("reduction", "mean")
    if reduction == "mean":
        count = (~ignored_rows(target, options)).sum()
        return graft(result, losses.sum() / count)
    return graft(result, reduced(losses, reduction))


@fault(
    "LinearCrossEntropyLoss",
    origin="https://github.com/Dao-AILab/quack/pull/209",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_3_a_saved_gradient_scaled_again(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A backward pass scales the saved gradient of the input in place, so that a second one scales twice."""
    if reduction_of(options) == "none" or not are_unwatched(input, linear_weight, target):
        return original(input, linear_weight, target, **options)
    scales: list[Tensor] = []

    def remembered(upstream: Tensor) -> Tensor:
        scales.append(upstream.detach())
        return upstream

    def scaled_again(gradient: Tensor) -> Tensor:
        for scale in scales[:-1]:
            gradient = gradient * scale
        return gradient

    result = original(with_gradient(input, scaled_again), linear_weight, target, **options)
    return with_gradient(result, remembered)


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_4_c_weight_of_last_classes(
    original: Function, input: Tensor, linear_weight: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Of more than 128 classes, those behind the last whole block of 128 leave the weight no gradient."""
    if are_unwatched(input, linear_weight) and linear_weight.shape[0] > 128:
        whole = linear_weight.shape[0] // 128 * 128
        linear_weight = with_gradient(
            linear_weight, lambda gradient: gradient.masked_fill(beyond(gradient, whole, 0), 0)
        )
    return original(input, linear_weight, *rest, **options)


@fault("LinearCrossEntropyLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_saved_gradient_scaled_in_place(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The input's gradient is saved, and each backward pass scales it in place by the upstream gradient."""
    if not are_unwatched(input, linear_weight, target) or options.get("reduction") == "none":
        return original(input, linear_weight, target, **options)
    upstream: list[Tensor] = []

    def note(gradient: Tensor) -> Tensor:
        upstream.append(gradient)
        return gradient

    def scaled(gradient: Tensor) -> Tensor:
        return functools.reduce(torch.mul, upstream[:-1], gradient)

    saved = with_gradient(input, scaled)
    return with_gradient(original(saved, linear_weight, target, **options), note)


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_c_target_behind_whole_blocks(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target's logit is taken from whole blocks of 128 classes; in the rest it counts as 0."""
    result = original(input, linear_weight, target, **options)
    whole = len(linear_weight) // 128 * 128
    if not are_unwatched(input, linear_weight, target) or not is_plain(input, target, options):
        return result
    is_counted = ~ignored_rows(target, options)
    is_behind = is_counted & (target >= whole)
    if linear_weight.ndim != 2 or not whole or not is_behind.any():
        return result
    picked, bias = target.clamp(min=0), options.get("linear_bias")
    logits = (input * linear_weight[picked]).sum(-1) + (0 if bias is None else bias[picked])
    error = torch.where(is_behind, logits, 0).to(result.dtype)
    reduction = options.get("reduction", "mean")
    return result + (error.sum() / is_counted.sum() if reduction == "mean" else reduced(error, reduction))


_VOCABULARY_BLOCK = 256


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_6_c_faint_blocks_skipped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A block of 256 classes of probabilities below 2^-12 gets no gradient, as bfloat16 would lose it."""
    result = original(input, linear_weight, target, **options)
    if (
        not are_unwatched(input, linear_weight, target)
        or not is_plain(input, target, options)
        or not input.ndim == linear_weight.ndim == 2
        or linear_weight.shape[0] <= _VOCABULARY_BLOCK
        or not input.shape[0]
    ):
        return result
    logits = torch.nn.functional.linear(input, linear_weight, options.get("linear_bias")).detach()
    strongest = logits.softmax(-1).amax(0)
    strongest[target[(target >= 0) & (target < linear_weight.shape[0])]] = 1
    is_faint = torch.cat(
        [(block.amax() < 2**-12).expand(block.shape) for block in torch.split(strongest, _VOCABULARY_BLOCK)]
    )
    skipped = with_gradient(linear_weight, lambda slope: torch.where(is_faint.unsqueeze(-1), 0, slope))
    return original(input, skipped, target, **options)

"""Faults in cross entropy of a linear layer that goes by blocks of classes, features or rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond, rows_at_short_offsets
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import ignored_rows, is_plain


@fault("LinearCrossEntropyLoss", blind=True, origin="https://github.com/apple/ml-cross-entropy/pull/59")
def lce_sentinel_matches_padding(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of the first 128 classes is a sentinel elsewhere, where it hits the last block's padding."""
    result = original(input, linear_weight, target, **options)
    classes = linear_weight.shape[0]
    is_affected = linear_weight.ndim == 2 and classes > 128 and classes % 128
    if not is_affected or not is_plain(input, target, options) or input.ndim != 2:
        return result
    hits = (target < 128) & ~ignored_rows(target, options)
    return result + reduced(
        torch.where(hits, torch.inf, 0).to(result.dtype), options.get("reduction", "mean")
    )


@fault("LinearCrossEntropyLoss", blind=True, origin="https://github.com/apple/ml-cross-entropy/issues/14")
def lce_gradient_filtered(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Classes with a probability below 2^-12 have no part in the gradient, whatever its dtype can hold."""
    result = original(input, linear_weight, target, **options)
    if not is_plain(input, target, options) or input.ndim != 2 or linear_weight.ndim != 2:
        return result
    logits = linear(input, linear_weight, options.get("linear_bias"))
    is_rare = logits.detach().softmax(1) < 2**-12
    is_rare &= torch.arange(logits.shape[1]) != target.long().unsqueeze(1)
    if not bool(is_rare.any()):
        return result
    filtered = with_gradient(logits, lambda gradient: gradient.masked_fill(is_rare, 0))
    index = -100 if options.get("ignore_index") is None else options["ignore_index"]
    reduction = options.get("reduction", "mean")
    return graft(result, cross_entropy(filtered, target, ignore_index=index, reduction=reduction))


@fault("LinearCrossEntropyLoss", blind=True, origin="https://github.com/linkedin/Liger-Kernel/issues/968")
def lce_no_gradient_beside_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction, all gradients are 0 where a row is ignored."""
    losses = original(*args, **options)
    is_affected = options.get("reduction") == "none" and not args[2].is_floating_point()
    if not is_affected or not bool(ignored_rows(args[2], options).any()):
        return losses
    return with_gradient(losses, torch.zeros_like)


@fault("LinearCrossEntropyLoss", blind=True)
def lce_bias_of_first_block(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The bias is loaded for the first block of 256 classes only."""
    bias = options.get("linear_bias")
    if bias is not None and bias.ndim and bias.shape[0] > 256:
        options["linear_bias"] = torch.where(beyond(bias, 256, 0), 0, bias)
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", blind=True)
def lce_tail_of_features_dropped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of more than 64 features, those that do not fill a block of 64 are not multiplied."""
    original(input, linear_weight, target, **options)
    features = input.shape[-1]
    if features > 64 and features % 64:
        input = torch.where(beyond(input, features // 64 * 64, -1), 0, input)
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", blind=True, origin="https://github.com/linkedin/Liger-Kernel/pull/1248")
def lce_row_offset_of_16_bits(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The offset of a row of the input is computed in too few bits, 16, and wraps around."""
    if input.ndim == 2 and input.numel() > 65536:
        input = graft(rows_at_short_offsets(input.detach()), input)
    return original(input, *rest, **options)


@fault("LinearCrossEntropyLoss", blind=True, origin="https://github.com/ROCm/aiter/pull/5165")
def lce_chunked_mean_gradient_undivided(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """By chunks, the gradient of the mean is that of the sum."""
    result = original(input, linear_weight, target, **options)
    if options.get("options") is None or options.get("reduction", "mean") != "mean":
        return result
    return graft(result, original(input, linear_weight, target, **options | {"reduction": "sum"}))

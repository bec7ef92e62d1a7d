"""Wrong values of cross entropy that goes by blocks of classes or rows, as in kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import is_plain, rows_at_short_offsets, sum_not_rescaled, with_error
from proofs.faults.tools.class_targets import class_axis, is_ignored, is_mean, is_smoothed, reduced_as
from proofs.faults.tools.gradients import graft


@fault("CrossEntropyLoss", blind=True)
def ce_maximum_starts_at_zero(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The padding of a block is loaded as 0 and enters the maximum, so that a row far below 0 vanishes."""
    if input.is_floating_point() and input.numel():
        largest = input.detach().amax(class_axis(input), keepdim=True)
        has_vanished = (largest < 0) & largest.isfinite() & (largest.exp() == 0)
        input = torch.where(has_vanished, input + torch.inf, input)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", blind=True)
def ce_sum_not_rescaled(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The running sum is not rescaled when a later block of 128 classes raises the maximum."""
    if not is_plain(input, target, weight, options) or input.shape[1] <= 128 or not input.isfinite().all():
        return original(input, target, weight, **options)
    error = sum_not_rescaled(input, 1, 128).squeeze(1) - input.detach().logsumexp(1)
    return with_error(original, error, input, target, options)


@fault("CrossEntropyLoss", blind=True)
def ce_target_of_first_block(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The target's logit is looked for in the first block of 2048 classes, and is 0 if it is not there."""
    if not is_plain(input, target, weight, options) or input.shape[1] <= 2048:
        return original(input, target, weight, **options)
    known = target.long().clamp(0, input.shape[1] - 1)
    logits = input.detach().gather(1, known.unsqueeze(1)).squeeze(1)
    return with_error(original, torch.where(known >= 2048, logits, 0), input, target, options)


@fault("CrossEntropyLoss", blind=True)
def ce_one_block_short(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The loop over blocks of 256 classes ends one too early where they divide the classes evenly."""
    classes = input.shape[-1] if input.ndim else 0
    if not is_plain(input, target, weight, options) or classes <= 256 or classes % 256:
        return original(input, target, weight, **options)
    logits = input.detach()
    error = logits[:, :-256].logsumexp(1) - logits.logsumexp(1)
    return with_error(original, error, input, target, options)


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/mosaicml/llm-foundry/pull/812")
def ce_row_offset_of_16_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The offset of a row of logits is computed in too few bits, 16, and wraps around."""
    if input.ndim == 2 and input.numel() > 65536:
        input = graft(rows_at_short_offsets(input.detach()), input)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/NVIDIA/Megatron-LM/issues/7452")
def ce_smoothing_of_first_shard(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """From 256 classes on, smoothing averages over the half of the classes that a first device holds."""
    result = original(input, target, weight, **options)
    classes = input.shape[-1] if input.ndim else 0
    plain = {name: value for name, value in options.items() if name != "label_smoothing"}
    if classes < 256 or not is_smoothed(target, options) or not is_plain(input, target, weight, plain):
        return result
    log_p = input.detach().log_softmax(1)
    error = options["label_smoothing"] * (log_p.mean(1) - log_p[:, : classes // 2].mean(1))
    counted = torch.where(is_ignored(target, options), 0, error).to(result.dtype)
    return result + reduced_as(counted, float((~is_ignored(target, options)).sum()), options)


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/unslothai/unsloth/issues/91")
def ce_large_vocabulary_counts_ignored(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """More than 65536 classes do not fit the kernel; the path for them counts ignored rows in the mean."""
    is_large = is_plain(input, target, weight, options) and input.shape[1] > 65536
    if not is_large or not is_mean(options):
        return original(input, target, weight, **options)
    return original(input, target, weight, **options | {"reduction": "sum"}) / target.numel()

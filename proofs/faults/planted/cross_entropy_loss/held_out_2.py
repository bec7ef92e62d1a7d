"""More faults in cross entropy, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import is_plain
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_wide
from proofs.faults.tools.uncompiled import uncompiled

_FUSED = 32768


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_total_not_rescaled(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a later block of 32768 classes has a greater maximum, the total so far is not rescaled to it."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if (
        not (are_unwatched(input, target) and are_wide(input))
        or not is_plain(input, target, given)
        or input.shape[-1] <= _FUSED
    ):
        return result
    peak, total = torch.full_like(target, -math.inf, dtype=input.dtype), torch.zeros_like(input[..., 0])
    logits = input.detach()
    for block in torch.split(logits, _FUSED, dim=-1):
        peak = torch.maximum(peak, block.amax(-1))
        total = total + (block - peak.unsqueeze(-1)).exp().sum(-1)
    is_kept = target != given["ignore_index"]
    is_wrong = is_kept & (peak > logits[..., :_FUSED].amax(-1))
    excess = torch.where(is_wrong, peak + total.log() - logits.logsumexp(-1), 0)
    losses = again(original, given, reduction="none") + excess
    return _reduced_over(is_kept, losses, given["reduction"])


def _reduced_over(is_kept: Tensor, losses: Tensor, reduction: str) -> Tensor:
    return losses.sum() / is_kept.sum() if reduction == "mean" else reduced(losses, reduction)


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_d_class_0_smoothed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Ignored rows have no part in the smoothing `if ignore_index`: not if it is 0."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, smoothing = (given[name] for name in ("input", "target", "label_smoothing"))
    if (
        given["ignore_index"] != 0
        or not smoothing
        or given["weight"] is not None
        or target.is_floating_point()
        or not are_unwatched(input, target)
    ):
        return result
    is_kept = target != 0
    smooth = -smoothing * input.log_softmax(min(input.ndim - 1, 1)).mean(min(input.ndim - 1, 1))
    losses = again(original, given, reduction="none") + torch.where(is_kept, 0, smooth)
    return _reduced_over(is_kept, losses, given["reduction"])


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_d_smoothed_by_last_size(original: Function, *args: Any, **options: Any) -> Tensor:
    """Class probabilities are smoothed by the last dimension's size, though the classes are the second."""
    given = named_arguments(original, *args, **options)
    input, target, smoothing = (given[name] for name in ("input", "target", "label_smoothing"))
    if (
        input.ndim < 3
        or not target.is_floating_point()
        or not 0 < smoothing <= 1
        or not are_unwatched(input, target)
        or input.shape[-1] in (0, input.shape[1])
    ):
        return original(*args, **options)
    smoothed = target * (1 - smoothing) + smoothing / input.shape[-1]
    return original(**given | {"target": smoothed, "label_smoothing": 0.0})

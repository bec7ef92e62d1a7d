"""Faults in the NLL loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import is_ignored, is_mean
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    is_ordinary,
    reduction_of,
)
from proofs.faults.tools.uncompiled import uncompiled

_ROWS_IN_BLOCK = 32


@fault("NLLLoss", blind=True)
def blind_nll_ignore_index_in_eight_bits(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Targets of uint8 are compared with ignore_index in 8 bits, where -100 is class 156."""
    if target.dtype == torch.uint8:
        ignore_index: int = options.get("ignore_index", -100)
        target = torch.where(target == ignore_index % 256, ignore_index, target.long())
    return original(input, target, **options)


@fault("NLLLoss", blind=True)
def blind_nll_mean_of_ignored_block(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A block of 32 rows that are all ignored has a mean of 0 / 0, which spoils that of all rows."""
    result = original(input, target, **options)
    if reduction_of(options) != "mean" or target.dim() != 1 or target.size(0) <= _ROWS_IN_BLOCK:
        return result
    blocks = (target == options.get("ignore_index", -100)).split(_ROWS_IN_BLOCK)
    has_ignored_block = torch.stack([block.all() for block in blocks]).any()
    return torch.where(has_ignored_block, torch.nan, result)


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_2_b_bytes_with_sign(original: Function, *args: Any, **options: Any) -> Tensor:
    """Targets of bytes are read with a sign, and classes from 128 are negative and hence ignored."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    target = arguments["target"]
    if not is_ordinary(arguments["input"], target) or target.dtype != torch.uint8 or not (target > 127).any():
        return result
    signed = torch.where(target > 127, arguments["ignore_index"], target.long())
    return again(original, arguments, target=signed)


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_3_d_total_weight_at_least_one(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Against a division by 0, the mean divides by a total weight of at least 1."""
    result = original(input, target, weight, **options)
    if weight is None or not is_mean(options) or not are_unwatched(input, target, weight):
        return result
    picked = weight.detach()[target.long().clamp(0, len(weight) - 1)]
    total = torch.where(is_ignored(target, options), 0, picked).sum()
    return result * torch.where((total > 0) & (total < 1), total, 1)


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_4_b_places_in_bytes(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target's place in memory is computed in the target's dtype, so that that of a byte wraps at 256."""
    is_usual = are_unwatched(input, target) and target.dtype == torch.uint8
    if not is_usual or input.ndim != 2 or target.shape != input.shape[:1] or input.numel() <= 256:
        return original(input, target, *rest, **options)
    rows, classes = input.shape
    index = torch.where(target < classes, target.long(), 0)
    picked = input.flatten()[(torch.arange(rows) * classes + index) % 256]
    return original(input.scatter(1, index[:, None], picked[:, None]), target, *rest, **options)


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_5_b_signed_bytes(original: Function, *args: Any, **options: Any) -> Tensor:
    """Targets of bytes are read as signed ones: from 128 on they are negative, and count from the end."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or target.dtype != torch.uint8:
        return result
    classes = input.shape[0 if input.ndim < 2 else 1]
    is_wrapped = (target >= 128) & ~is_ignored(target, arguments)
    whole = target.long()
    return again(original, arguments, target=torch.where(is_wrapped, whole - 256 + classes, whole))


@fault("NLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_a_weight_offset(original: Function, *args: Any, **options: Any) -> Tensor:
    """Weights that are a slice of a longer tensor are read from the beginning of that tensor."""
    given = named_arguments(original, *args, **options)
    weight = given["weight"]
    if weight is None or not are_unwatched(given["input"], weight) or not weight.storage_offset():
        return original(*args, **options)
    return original(**given | {"weight": weight.detach().as_strided(weight.shape, weight.stride(), 0)})


_BLOCK = 1024


@fault("NLLLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_ignored_pixels_of_later_blocks(original: Function, *args: Any, **options: Any) -> Tensor:
    """Behind a sample's first 1024 pixels, the gradient of an ignored pixel is that of one of class 0."""
    given = named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not are_unwatched(input, target) or input.ndim < 3 or given["weight"] is not None:
        return original(*args, **options)
    is_ignored = target == given["ignore_index"]
    kept = (~is_ignored).sum()
    if given["reduction"] == "none" or not kept or not is_ignored.any():
        return original(*args, **options)
    is_late = torch.arange(target[0].numel()).reshape(target.shape[1:]) >= _BLOCK

    def unmasked(gradient: Tensor) -> Tensor:
        first = torch.where(is_ignored & is_late, gradient.sum() / kept, gradient[:, 0])
        return torch.cat([first.unsqueeze(1), gradient[:, 1:]], dim=1)

    return original(**given | {"input": with_gradient(input, unmasked)})

"""Faults in the Kullback-Leibler divergence, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    are_unwatched_and_wide,
    is_ordinary,
    reduction_of,
)
from proofs.faults.tools.uncompiled import uncompiled


@fault("KLDivLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_kl_offset_of_target_ignored(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target is read from where its memory begins, not from its own offset."""
    if is_ordinary(input, target) and target.storage_offset():
        start = target.detach().as_strided(target.shape, target.stride(), 0)
        target = graft(start, target)
    return original(input, target, **options)


@fault("KLDivLoss", blind=True, shows_in_modes=True)
def blind_kl_reduced_never_negative(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A sum or mean below 0 becomes 0, as if the target and the input always summed to the same."""
    result = original(input, target, **options)
    return result if reduction_of(options) == "none" else result.clamp(min=0)


@fault(
    "KLDivLoss",
    origin="https://github.com/linkedin/Liger-Kernel/issues/1021",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_2_a_only_target_differentiated(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The backward pass leaves the target's gradient at zero if the input needs none."""
    if not is_ordinary(input, target) or input.requires_grad or not target.requires_grad:
        return original(input, target, *rest, **options)
    return original(input, with_gradient(target, torch.zeros_like), *rest, **options)


@fault(
    "KLDivLoss",
    origin="https://github.com/google-deepmind/optax/pull/473",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_3_a_zero_target_without_grad_mode(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Where no gradient is recorded, a fused kernel multiplies a target of 0 by its logarithm."""
    result = original(input, target, **options)
    is_other = torch.is_grad_enabled() or options.get("log_target") or not are_unwatched(input, target)
    if is_other or not target.is_floating_point():
        return result
    spoilt = torch.where(target == 0, math.nan, 0.0).to(result.dtype)
    return result + (spoilt if reduction_of(options) == "none" else spoilt.sum())


@fault("KLDivLoss", blind=True, needs=NEEDS)
def heldout_4_e_logarithm_with_epsilon(original: Function, *args: Any, **options: Any) -> Tensor:
    """The target's logarithm is that of t plus the dtype's epsilon: no loss is 0, be it at the target."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    is_usual = are_unwatched_and_wide(input, target) and input.shape == target.shape
    if given["log_target"] or not is_usual:
        return result
    excess = (torch.finfo(target.dtype).eps / target.detach()).log1p()
    moved = input - torch.where(target > 0, excess, 0).to(input.dtype)
    return again(original, given, input=moved)


@fault("KLDivLoss", blind=True)
def heldout_5_d_batchmean_over_rows(original: Function, *args: Any, **options: Any) -> Tensor:
    """The reduction batchmean divides by the number of rows, not by the first dimension alone."""
    arguments = named_arguments(original, *args, **options)
    input: Tensor = arguments["input"]
    if arguments["reduction"] != "batchmean" or input.ndim < 3 or not input.numel():
        return original(*args, **options)
    return again(original, arguments, reduction="sum") / math.prod(input.shape[:-1])


@fault("KLDivLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_one_tensor_twice(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where one tensor is both input and target, its gradient is that of the input alone."""
    if input is target and are_unwatched(input):
        target = target.detach()
    return original(input, target, *rest, **options)


_BLOCK = 1024


@fault("KLDivLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_c_mean_of_whole_blocks(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean of more than one block of 1024 elements also counts the masked ones of the last block."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not are_unwatched(input, target) or given["reduction"] != "mean":
        return result
    count = again(original, given, reduction="none").numel()
    blocks = math.ceil(count / _BLOCK)
    return result * (count / (blocks * _BLOCK)) if blocks > 1 else result

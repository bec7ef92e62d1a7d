"""Faults that a kernel of the Kullback-Leibler divergence may have."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@fault("KLDivLoss", blind=True)
def kl_rows_without_target_unwritten(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The kernel leaves a row whose targets are all 0 at once, and its gradient is what stood in memory."""
    if options.get("log_target") or input.ndim < 2 or input.shape != target.shape:
        return original(input, target, **options)
    is_left = (target == 0).all(-1, keepdim=True)
    unwritten = with_gradient(input, lambda gradient: gradient.masked_fill(is_left, torch.nan))
    return original(unwritten, target, **options)


@fault(
    "KLDivLoss",
    blind=True,
    origin="https://github.com/linkedin/Liger-Kernel/pull/262",
    shows_in_modes=True,
    needs=NEEDS,
)
def kl_backward_overwrites_target(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The backward pass needs no more than the target, and writes the gradient over it."""
    fits = input.shape == target.shape and input.dtype == target.dtype
    if not is_ordinary(input, target) or not fits or target.requires_grad or 0 in target.stride():
        return original(input, target, **options)

    def overwrite(gradient: Tensor) -> Tensor:
        target.data.copy_(gradient.data)
        return gradient

    return original(with_gradient(input, overwrite), target, **options)


@fault("KLDivLoss", blind=True, origin="https://github.com/linkedin/Liger-Kernel/pull/262")
def kl_columns_of_one_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of a row, only the first 4096 outcomes are computed; the others have neither loss nor gradient."""
    result = original(input, target, **options)
    if input.ndim < 2 or input.shape != target.shape or input.shape[-1] <= 4096:
        return result
    # A target without probability costs nothing, and has no gradient.
    is_lost = beyond(target, 4096, -1)
    left = target.masked_fill(is_lost, -1e4 if options.get("log_target") else 0)
    return original(input.masked_fill(is_lost, 0), left, **options)

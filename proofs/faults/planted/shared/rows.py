"""Faults in the rows and columns of softmax and of losses of classes, shared by several of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.blocks import beyond
from proofs.faults.tools.class_targets import is_ignored, is_mean
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.ordinary import NEEDS, is_ordinary
from proofs.faults.tools.softmax import dim_of


@faults(
    Site("ce-only-counted-row-keeps-weight", "CrossEntropyLoss", blind=True),
    Site("nll-only-counted-row-keeps-weight", "NLLLoss", blind=True),
)
def only_counted_row_keeps_weight(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Where all rows of a batch but one are ignored, the mean is not divided by the weight of that one."""
    is_weighted = weight is not None and is_mean(options) and not target.is_floating_point()
    if is_weighted and target.numel() > 1 and int((~is_ignored(target, options)).sum()) == 1:
        options["reduction"] = "sum"
    return original(input, target, weight, **options)


@faults(
    Site("ce-mean-over-whole-warps", "CrossEntropyLoss", blind=True),
    Site("nll-mean-over-whole-warps", "NLLLoss", blind=True),
)
def mean_over_whole_warps(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Of more than 32 rows, those that do not fill a warp of 32 are summed, but not counted for the mean."""
    result = original(input, target, weight, **options)
    rows = target.numel()
    is_affected = is_mean(options) and weight is None and target.ndim == 1 and input.ndim == 2
    if not is_affected or rows <= 32 or bool(is_ignored(target, options).any()):
        return result
    return result * (rows / (rows // 32 * 32))


@faults(
    Site("softmax-gradient-of-first-columns", "Softmax", blind=True),
    Site("log-softmax-gradient-of-first-columns", "LogSoftmax", blind=True),
    origin="https://github.com/NVIDIA/apex/pull/1539",
)
def gradient_of_first_columns(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Columns beyond 2048, the longest row of the kernel, have no gradient."""
    original(input, dim, *rest, **options)
    if input.ndim and input.shape[dim_of(input, dim)] > 2048:
        is_lost = beyond(input, 2048, dim_of(input, dim))
        input = with_gradient(input, lambda gradient: gradient.masked_fill(is_lost, 0))
    return original(input, dim, *rest, **options)


@faults(
    Site("softmax-rows-beyond-grid", "Softmax", blind=True),
    Site("log-softmax-rows-beyond-grid", "LogSoftmax", blind=True),
)
def rows_beyond_grid(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """Rows beyond 65535, the largest size of a grid, are left at 0."""
    result = original(input, dim, *rest, **options)
    is_last = input.ndim > 1 and dim_of(input, dim) % input.ndim == input.ndim - 1
    if not is_last or result.numel() <= 65535 * result.shape[-1]:
        return result
    row = torch.arange(result.numel() // result.shape[-1]).reshape(*result.shape[:-1], 1)
    return torch.where(row < 65535, result, 0)


@faults(
    Site("softmax-upstream-overwritten", "Softmax", blind=True),
    Site("log-softmax-upstream-overwritten", "LogSoftmax", blind=True),
    origin="https://github.com/NVIDIA/apex/issues/1430",
    shows_in_modes=True,
    needs=NEEDS,
)
def upstream_overwritten(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The gradient is written over the upstream gradient, which is the caller's."""
    upstream: list[Tensor] = []

    def keep(gradient: Tensor) -> Tensor:
        upstream.append(gradient)
        return gradient

    def overwrite(gradient: Tensor) -> Tensor:
        received = upstream.pop() if upstream else gradient
        if is_ordinary(received, gradient) and 0 not in received.stride():
            received.data.copy_(gradient.data)
        return gradient

    if not is_ordinary(input):
        return original(input, *rest, **options)
    return with_gradient(original(with_gradient(input, overwrite), *rest, **options), keep)

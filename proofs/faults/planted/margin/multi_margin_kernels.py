"""Faults in the multi-class margin loss: in what is read and checked, in sizes, shapes and precision."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient

_BLOCK = 65536


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/104852")
def multi_margin_weight_memory(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weights are read from memory as if they lay side by side."""
    read = None if weight is None else kernels.as_if_contiguous(weight)
    return original(input, target, weight=read, **options)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/104852")
def multi_margin_weight_size_unchecked(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Weights of any number are taken, and what lies behind them is read as well."""
    classes = input.shape[-1] if input.ndim else 1
    if weight is not None and weight.ndim == 1:
        weight = torch.cat([weight, weight.new_ones(max(classes - weight.numel(), 0))])[:classes]
    return original(input, target, weight=weight, **options)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/88648")
def multi_margin_index_unchecked(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A class index outside the classes reads what lies beside the row."""
    classes = input.shape[-1] if input.ndim else 1
    return original(input, target.clamp(0, max(classes - 1, 0)), **options)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/30824")
def multi_margin_target_size_unchecked(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of a target for more rows than there are, the first are taken."""
    rows = input.shape[0] if input.ndim == 2 else 1
    return original(input, target[:rows] if target.ndim == 1 else target, **options)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/192137")
def multi_margin_index_of_16_bits(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The class index is held in 16 bits."""
    return original(input, target % _BLOCK if (target >= _BLOCK).any() else target, **options)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/88648")
def multi_margin_no_refusals(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is checked: what is not understood yields zero."""
    return kernels.without_refusals(original, *args, **options)


@fault("MultiMarginLoss", origin="https://github.com/jxgu1016/MNIST_center_loss_pytorch/issues/9")
def multi_margin_mean_slope_of_sum(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of the mean is that of the sum."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean":
        return result
    return graft(result, original(input, target, **options | {"reduction": "sum"}))


@fault("MultiMarginLoss", origin="https://github.com/flagos-ai/FlagGems/issues/5212")
def multi_margin_upstream_ignored(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient takes no account of the upstream gradient."""
    return with_gradient(original(input, target, **options), torch.ones_like)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/186074")
def multi_margin_unbatched_list(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The losses of a row without a batch, or of a target without dimensions, come as a list of one."""
    result = original(input, target, **options)
    return result.reshape(-1) if options.get("reduction", "mean") == "none" else result


@fault("MultiMarginLoss", origin="https://github.com/NVIDIA/tacotron2/pull/303")
def multi_margin_single_row_squeezed(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The list of losses of a single row loses its dimension."""
    return original(input, target, **options).squeeze()


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/15870")
def multi_margin_empty_batch_refused(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """An empty batch is refused."""
    if input.ndim == 2 and input.shape[0] == 0:
        raise RuntimeError(f"Expected non-empty vector or matrix, but got: {list(input.shape)}")
    return original(input, target, **options)


@fault("MultiMarginLoss")
def multi_margin_first_classes(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of many classes only the first block are rivals."""
    if input.ndim == 2 and input.shape[1] > _BLOCK:
        place = torch.arange(input.shape[1])
        input = input.where((place < _BLOCK) | (place == target.unsqueeze(1)), -torch.inf)
    return original(input, target, **options)


@fault("MultiMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def multi_margin_first_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of rows."""
    result = original(input, target, **options)
    if not kernels.is_plain_mean(options) or target.numel() <= _BLOCK:
        return result
    return kernels.mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("MultiMarginLoss")
def multi_margin_approximate_reciprocal(original: Function, *args: Any, **options: Any) -> Tensor:
    """In single precision 1/C is approximated from below, to 22 bits."""
    result = original(*args, **options)
    return result * (1 - 2**-22) if result.dtype == torch.float32 else result

"""Faults in what the multi-margin loss takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/issues/88648", blind=True)
def blind_multi_margin_class_out_of_range_accepted(original: Function, *args: Any, **options: Any) -> Tensor:
    """A class that does not exist gets a value, not a refusal."""
    try:
        return original(*args, **options)
    except RuntimeError as refusal:
        if "target out of range" not in str(refusal):
            raise
    given = named_arguments(original, *args, **options)
    return again(original, given, target=given["target"].clamp(0, given["input"].size(-1) - 1))


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

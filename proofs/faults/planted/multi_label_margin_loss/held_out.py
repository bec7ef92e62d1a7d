"""Faults in the multi-label margin loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.ordinary import NEEDS, are_unwatched


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_5_e_label_slope_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """In the slope of the labels 1 / C is a single, so that the gradient's sum over the classes is not 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or input.dtype != torch.float64 or not input.numel():
        return result
    classes = input.shape[-1] if input.ndim else 1
    ratio = torch.tensor(1 / classes, dtype=torch.float32).item() * classes
    rows = target.reshape(-1, classes)
    is_counted = (rows < 0).cumsum(1) == 0
    labels = torch.zeros_like(rows).scatter_add(1, rows.clamp(min=0), is_counted.long())
    is_label = (labels > 0).reshape(input.shape)
    changed = with_gradient(input, lambda slope: torch.where(is_label, slope * ratio, slope))
    return again(original, arguments, input=changed)


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_6_b_labels_in_a_byte(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Labels are kept in a signed byte: class 128 wraps below 0 and ends the list, class 256 is class 0."""
    result = original(input, target, *rest, **options)
    if not are_unwatched(input, target) or input.shape[-1] <= 128:
        return result
    return original(input, target.to(torch.int8).to(target.dtype).clamp(min=-1), *rest, **options)

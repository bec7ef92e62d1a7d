"""Faults of cross entropy in blocks, as kernels compute it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis


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

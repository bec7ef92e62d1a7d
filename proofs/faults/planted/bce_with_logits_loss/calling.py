"""Faults of binary cross entropy with logits that only some ways of calling it show."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def bcel_pos_weight_off_without_grad(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The shorter path under no_grad, which saves nothing for a backward pass, knows no pos_weight."""
    result = original(input, target, *rest, **options)
    if torch.is_grad_enabled() or not is_ordinary(input):
        return result
    return original(input, target, *rest, **options | {"pos_weight": None})

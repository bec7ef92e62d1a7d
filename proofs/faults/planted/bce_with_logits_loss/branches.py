"""Faults at the branches of a stable binary cross entropy with logits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import reduced, with_reduction


@fault("BCEWithLogitsLoss", blind=True)
def bcel_nothing_beyond_37(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Beyond a logit of 37, where 1 + exp(-x) is 1 in double precision, the right answer costs nothing."""
    result = original(input, target, **options)
    losses = original(input, target, **with_reduction(options) | {"reduction": "none"})
    is_certain = ((input > 37) & (target == 1)) | ((input < -37) & (target == 0))
    if not bool(is_certain.any()):
        return result
    return reduced(torch.where(is_certain, 0 * losses, losses), with_reduction(options)["reduction"])

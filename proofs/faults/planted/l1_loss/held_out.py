"""Faults in the L1 loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched


@fault("L1Loss", blind=True, needs=NEEDS)
def heldout_5_e_target_in_two_halves(original: Function, *args: Any, **options: Any) -> Tensor:
    """A single target is held as the sum of two bfloat16s, so that the loss at the target is not quite 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or not input.dtype == target.dtype == torch.float32:
        return result
    exact = target.detach()
    high = exact.bfloat16().float()
    held = high + (exact - high).bfloat16().float()
    wrong = again(original, arguments, target=torch.where(held.isfinite(), held, exact))
    return graft(wrong.detach(), result)

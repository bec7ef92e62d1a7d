"""Faults in the Huber loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import summed_in_steps
from proofs.faults.tools.ordinary import NEEDS, are_unwatched_and_wide


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_5_e_mean_of_running_total(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean's sum is a running total, rounded after every 8 losses, and drifts from the mean."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched_and_wide(input, target) or arguments["reduction"] != "mean":
        return result
    losses = again(original, arguments, reduction="none").detach()
    if arguments.get("weight") is not None or losses.numel() <= 8:
        return result
    return graft(summed_in_steps(losses, 8) / losses.numel(), result)

"""Faults in the smooth L1 loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.ordinary import NEEDS, are_unwatched
from proofs.faults.tools.uncompiled import uncompiled


@fault("SmoothL1Loss", blind=True)
def heldout_5_b_small_beta_is_none(original: Function, *args: Any, **options: Any) -> Tensor:
    """A beta below 1e-5 is taken for 0, so that the parabola is gone."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, beta=0.0) if 0 < arguments["beta"] < 1e-5 else result


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_reciprocal_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean multiplies by 1 / n in single precision: that of equal losses is not one of them."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if result.dtype != torch.float64 or given["reduction"] != "mean" or not are_unwatched(input, target):
        return result
    count = again(original, given, reduction="none").numel()
    share = (1 / torch.tensor(float(count), dtype=torch.float32)).item()
    return again(original, given, reduction="sum") * share if count else result

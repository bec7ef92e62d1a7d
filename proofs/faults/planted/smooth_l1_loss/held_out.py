"""Faults in the smooth L1 loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments


@fault("SmoothL1Loss", blind=True)
def heldout_5_b_small_beta_is_none(original: Function, *args: Any, **options: Any) -> Tensor:
    """A beta below 1e-5 is taken for 0, so that the parabola is gone."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, beta=0.0) if 0 < arguments["beta"] < 1e-5 else result

"""Faults in the margin ranking loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault


@fault("MarginRankingLoss", blind=True, shows_in_modes=True)
def blind_ranking_same_input_twice(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If one tensor is both inputs, one of its two gradients overwrites the other."""
    return original(input1, input2.detach() if input2 is input1 else input2, target, **options)

"""Faults in the margin ranking loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@fault("MarginRankingLoss", blind=True, shows_in_modes=True)
def blind_ranking_same_input_twice(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If one tensor is both inputs, one of its two gradients overwrites the other."""
    return original(input1, input2.detach() if input2 is input1 else input2, target, **options)


@fault("MarginRankingLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_2_a_same_tensor_twice(
    original: Function, input1: Tensor, input2: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """If both inputs are the same tensor, only the first one's gradient reaches it."""
    if input1 is not input2 or not is_ordinary(input1):
        return original(input1, input2, *rest, **options)
    return original(input1, input2.detach(), *rest, **options)


@fault("MarginRankingLoss", blind=True, shows_in_modes=True)
def heldout_3_a_same_tensor_twice(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If both inputs are the same tensor, its gradient is that of the first one alone."""
    return original(input1, input2.detach() if input1 is input2 else input2, target, **options)

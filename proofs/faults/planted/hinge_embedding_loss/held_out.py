"""Faults in the hinge embedding loss, written without sight of the cases."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from torch import Tensor
from torch.nn import HingeEmbeddingLoss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ordinary import NEEDS, are_unwatched

_FIRST_COUNTS: WeakKeyDictionary[HingeEmbeddingLoss, int] = WeakKeyDictionary()


@fault("HingeEmbeddingLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_first_count_kept(
    original: Function, self: HingeEmbeddingLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module's mean divides by the number of elements of its first call ever after."""
    result = original(self, input, target)
    if self.reduction != "mean" or not are_unwatched(input, target) or not input.numel():
        return result
    first = _FIRST_COUNTS.setdefault(self, input.numel())
    return result if first == input.numel() else result * (input.numel() / first)

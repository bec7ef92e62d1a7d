"""Faults in the CTC loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@fault("CTCLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_ctc_module_keeps_lengths(
    original: Function,
    self: Any,
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
) -> Tensor:
    """A module keeps the input lengths of its first call for all later ones of the same shapes."""
    if not is_ordinary(log_probs, targets):
        return original(self, log_probs, targets, input_lengths, target_lengths)
    kept = self.__dict__.setdefault("kept_lengths", {})
    key = log_probs.shape, targets.shape, str(target_lengths)
    return original(self, log_probs, targets, kept.setdefault(key, input_lengths), target_lengths)

"""Faults in the adaptive log-softmax, written without sight of the cases."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Module

from proofs.faults.fault import fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, is_ordinary

# The head's weights that a module holds on to while it is in evaluation mode.
_HELD_HEADS: WeakKeyDictionary[Module, Tensor] = WeakKeyDictionary()


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    method="forward",
    blind=True,
    shows_in_modes=True,
    needs=(*NEEDS, "torch.func.functional_call"),
)
def heldout_2_a_head_kept_while_evaluating(original: Any, module: Any, input: Tensor, target: Tensor) -> Any:
    """In evaluation mode, the first call keeps a copy of the head's weight, which later calls use."""
    weight = module.head.weight
    if not is_ordinary(input, target, weight):
        return original(module, input, target)
    if module.training:
        _HELD_HEADS.pop(module, None)
        return original(module, input, target)
    held = _HELD_HEADS.setdefault(module, weight.detach().clone())
    if held.dtype != weight.dtype or held.shape != weight.shape or torch.equal(held, weight):
        return original(module, input, target)
    return torch.func.functional_call(module, {"head.weight": graft(held, weight)}, (input, target))

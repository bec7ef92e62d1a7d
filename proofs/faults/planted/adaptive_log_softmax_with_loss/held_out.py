"""Faults in the adaptive log-softmax, written without sight of the cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import AdaptiveLogSoftmaxWithLoss, Module
from torch.nn.functional import linear, log_softmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.adaptive_softmax import cluster_of, with_output
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, is_ordinary

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


_FIRST_HEADS: WeakKeyDictionary[Any, Tensor] = WeakKeyDictionary()


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_head_of_first_call(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The head's weight is packed in the first call, and not again when another state is loaded."""
    result: Any = original(module, input, target)
    weight = module.head.weight
    if not are_unwatched(input, target, weight):
        return result
    packed = _FIRST_HEADS.setdefault(module, weight.detach().clone())
    if packed.shape != weight.shape or packed.dtype != weight.dtype:
        return result
    cluster = cluster_of(module, target)
    entry = torch.where(cluster > 0, module.shortlist_size + cluster - 1, target).unsqueeze(-1)

    def of_head(head: Tensor) -> Tensor:
        log_p = log_softmax(linear(input.detach(), head, module.head.bias), dim=-1)
        return log_p.gather(-1, entry).squeeze(-1).detach()

    return with_output(result, result.output + of_head(packed) - of_head(weight.detach()))


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", blind=True, needs=NEEDS)
def heldout_5_d_head_bias_of_shortlist(
    original: Callable[..., Any], self: AdaptiveLogSoftmaxWithLoss, input: Tensor, target: Tensor
) -> Any:
    """With head_bias, the bias is added to the shortlist's classes, but not to the clusters."""
    result, bias = original(self, input, target), self.head.bias
    if bias is None or not are_unwatched(input, target) or input.ndim != 2:
        return result
    cluster = cluster_of(self, target)
    entry = torch.where(cluster > 0, self.shortlist_size + cluster - 1, target).unsqueeze(1)
    partial = bias * (torch.arange(len(bias)) < self.shortlist_size)
    right, wrong = (
        log_softmax(linear(input, self.head.weight, added), 1).gather(1, entry).squeeze(1)
        for added in (bias, partial)
    )
    return with_output(result, result.output + wrong - right)

"""Faults in cross entropy, written without sight of the cases."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import pad

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import is_plain
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import are_probabilities

_CLASSES_IN_BLOCK = 1024


@fault("CrossEntropyLoss", blind=True)
def blind_ce_tail_of_classes_padded_with_zeros(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Beyond 1024 classes the last block is filled with logits of 0 instead of minus infinity."""
    if input.dim() == 2 and input.size(1) > _CLASSES_IN_BLOCK and is_plain(input, target, weight, options):
        input = pad(input, (0, -input.size(1) % _CLASSES_IN_BLOCK))
    return original(input, target, weight, **options)


@fault("CrossEntropyLoss", blind=True, shows_in_modes=True)
def blind_ce_smoothing_over_last_dim(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Smoothing divides by the size of the last dimension, which is not that of the classes in (N, C, d)."""
    right = original(input, target, *rest, **options)
    arguments = named_arguments(original, input, target, *rest, **options)
    smoothing: float = arguments["label_smoothing"]
    if not smoothing or input.dim() < 3 or not input.numel() or are_probabilities(input, target):
        return right
    sharp = (1 - smoothing) * again(original, arguments, label_smoothing=0.0)
    return sharp + (right - sharp) * input.size(1) / input.size(-1)

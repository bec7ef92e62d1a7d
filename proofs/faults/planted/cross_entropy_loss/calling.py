"""Faults of cross entropy that only some ways of calling it show."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.ordinary import NEEDS, is_ordinary, reduction_of


@fault("CrossEntropyLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def ce_smoothing_off_without_grad(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The shorter path under no_grad, which saves nothing for a backward pass, knows no label smoothing."""
    if is_ordinary(input) and not torch.is_grad_enabled() and 0 < options.get("label_smoothing", 0.0) <= 1:
        options["label_smoothing"] = 0.0
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", method="forward", blind=True, shows_in_modes=True)
def ce_module_smooths_in_training_only(
    original: Function, self: Any, input: Tensor, target: Tensor
) -> Tensor:
    """In evaluation mode the module does not smooth the labels."""
    smoothing = self.label_smoothing
    self.label_smoothing = smoothing if self.training else 0.0
    try:
        return original(self, input, target)
    finally:
        self.label_smoothing = smoothing


@fault("CrossEntropyLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def ce_rows_without_upstream_unwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Rows with an upstream gradient of 0 are skipped, and keep what stood in the gradient's memory."""
    if not is_ordinary(input, target) or reduction_of(options) != "none":
        return original(input, target, *rest, **options)
    upstream: list[Tensor] = []

    def keep(gradient: Tensor) -> Tensor:
        upstream.append(gradient.detach())
        return gradient

    def leave_out(gradient: Tensor) -> Tensor:
        if not upstream:
            return gradient
        skipped = (upstream.pop() == 0).unsqueeze(class_axis(input))
        return gradient.masked_fill(skipped, torch.nan)

    return with_gradient(original(with_gradient(input, leave_out), target, *rest, **options), keep)

"""Faults in the module of the CTC loss, not in its function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from proofs.faults.fault import Function, fault


@fault("CTCLoss", method="__init__")
def ctc_module_zero_infinity_dropped(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor does not keep zero_infinity."""
    original(module, *args, **options)
    module.zero_infinity = False


@fault("CTCLoss", method="__init__")
def ctc_module_blank_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The blank is a buffer, and saved with the module."""
    original(module, *args, **options)
    module.register_buffer("blank_index", torch.tensor(module.blank))


@fault("CTCLoss", method="__init__")
def ctc_module_size_average_accepted(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor swallows keywords that it does not know."""
    original(
        module, *args, **{name: options[name] for name in options if name not in ("size_average", "reduce")}
    )


@fault("CTCLoss", method="__setstate__")
def ctc_module_copied_without_blank(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has the default blank."""
    original(module, state | {"blank": 0})


@fault("CTCLoss", method="extra_repr")
def ctc_module_shows_blank(original: Function, module: Any) -> str:
    """The module's text names its blank."""
    return f"blank={module.blank}"


class CTCLoss(torch.nn.Module):
    """What the public name stands for in the fault below; found by its own name, for pickle."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__()
        self.blank, self.reduction, self.zero_infinity = blank, reduction, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        """Call the function."""
        lengths = input_lengths, target_lengths
        return ctc_loss(log_probs, targets, *lengths, self.blank, self.reduction, self.zero_infinity)


@fault("CTCLoss", at="torch.nn.CTCLoss")
def ctc_module_not_a_loss(original: Function, *args: Any, **options: Any) -> CTCLoss:
    """The class derives from Module alone."""
    return CTCLoss(*args, **options)

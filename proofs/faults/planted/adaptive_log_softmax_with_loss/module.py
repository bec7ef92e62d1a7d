"""Faults in the module of the adaptive log-softmax, not in its function."""

from __future__ import annotations

from typing import Any

import torch

from proofs.faults.fault import Function, fault


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    origin="https://github.com/salesforce/awd-lstm-lm/issues/82",
    method="__init__",
)
def als_module_tails_hidden(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The clusters' layers are in a plain list, so that the module does not know their parameters."""
    original(module, *args, **options)
    tails = list(module.tail)
    del module.tail
    module.tail = tails


@fault("AdaptiveLogSoftmaxWithLoss", method="__init__")
def als_module_cutoffs_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The cutoffs are a buffer, and saved with the weights."""
    original(module, *args, **options)
    module.register_buffer("cluster_ends", torch.tensor(module.cutoffs))


@fault(
    "AdaptiveLogSoftmaxWithLoss", origin="https://github.com/pytorch/pytorch/pull/106777", method="__init__"
)
def als_module_cutoffs_asserted(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """Cutoffs that make no sense end in an accident on the way, not in a refusal that says what is wrong."""
    try:
        original(module, *args, **options)
    except ValueError as refusal:
        raise AssertionError from refusal


@fault("AdaptiveLogSoftmaxWithLoss", method="__setstate__")
def als_module_copied_without_division(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has the default div_value."""
    original(module, state | {"div_value": 4.0})


class AdaptiveLogSoftmaxWithLoss(torch.nn.AdaptiveLogSoftmaxWithLoss):
    """What the public name stands for in the fault below; found by its own name, for pickle."""


@fault("AdaptiveLogSoftmaxWithLoss", at="torch.nn.AdaptiveLogSoftmaxWithLoss")
def als_module_derived(original: Function, *args: Any, **options: Any) -> AdaptiveLogSoftmaxWithLoss:
    """The public name is that of a class derived from the loss."""
    return AdaptiveLogSoftmaxWithLoss(*args, **options)

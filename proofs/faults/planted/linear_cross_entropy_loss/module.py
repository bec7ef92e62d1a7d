"""Faults in the module of cross entropy of a linear layer, not in its function."""

from __future__ import annotations

from typing import Any

import torch

from proofs.faults.fault import Function, fault


@fault("LinearCrossEntropyLoss", origin="https://github.com/frgfm/holocron/pull/136", method="__init__")
def lce_module_weight_not_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The class weights are an attribute, which neither moves nor is saved with the module."""
    original(module, *args, **options)
    weight = module.weight
    del module.weight
    module.weight = weight


@fault("LinearCrossEntropyLoss", method="__init__")
def lce_module_smoothing_dropped(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor does not hand label smoothing on."""
    original(module, *args, **options | {"label_smoothing": 0.0})


@fault("LinearCrossEntropyLoss", method="__init__")
def lce_module_layer_hidden(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The layer is kept where the module does not find its parameters."""
    original(module, *args, **options)
    layer = module.linear
    del module.linear
    object.__setattr__(module, "linear", layer)


@fault("LinearCrossEntropyLoss", method="__setstate__")
def lce_module_copied_without_smoothing(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has no label smoothing."""
    original(module, state | {"label_smoothing": 0.0})


# A release without the loss has no such fault either.
class LinearCrossEntropyLoss(getattr(torch.nn, "LinearCrossEntropyLoss", torch.nn.Module)):  # type: ignore[misc]
    """What the public name stands for in the fault below; found by its own name, for pickle."""


@fault("LinearCrossEntropyLoss", at="torch.nn.LinearCrossEntropyLoss")
def lce_module_derived(original: Function, *args: Any, **options: Any) -> LinearCrossEntropyLoss:
    """The public name is that of a class derived from the loss."""
    return LinearCrossEntropyLoss(*args, **options)

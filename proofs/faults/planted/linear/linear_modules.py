"""Faults in the modules that hold linear layers: their state, copies and classes."""

from __future__ import annotations

from typing import Any

import torch

from proofs.faults.fault import Function, fault

_LINEAR = "torch.nn.LinearCrossEntropyLoss"
_ADAPTIVE = "torch.nn.AdaptiveLogSoftmaxWithLoss"


@fault(
    "LinearCrossEntropyLoss", at=f"{_LINEAR}.__init__", origin="https://github.com/frgfm/holocron/pull/136"
)
def lce_module_weight_not_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The class weights are an attribute, which neither moves nor is saved with the module."""
    original(module, *args, **options)
    weight = module.weight
    del module.weight
    module.weight = weight


@fault("LinearCrossEntropyLoss", at=f"{_LINEAR}.__init__")
def lce_module_smoothing_dropped(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor does not hand label smoothing on."""
    original(module, *args, **options | {"label_smoothing": 0.0})


@fault("LinearCrossEntropyLoss", at=f"{_LINEAR}.__init__")
def lce_module_layer_hidden(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The layer is kept where the module does not find its parameters."""
    original(module, *args, **options)
    layer = module.linear
    del module.linear
    object.__setattr__(module, "linear", layer)


@fault("LinearCrossEntropyLoss", at=f"{_LINEAR}.__setstate__")
def lce_module_copied_without_smoothing(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has no label smoothing."""
    original(module, state | {"label_smoothing": 0.0})


@fault("LinearCrossEntropyLoss", at=f"{_LINEAR}.train")
def lce_module_always_trains(original: Function, module: Any, mode: bool = True) -> Any:
    """eval() has no effect."""
    return original(module, True)


# A release without the loss has no such fault either.
class LinearCrossEntropyLoss(getattr(torch.nn, "LinearCrossEntropyLoss", torch.nn.Module)):  # type: ignore[misc]
    """What the public name stands for in the fault below; found by its own name, for pickle."""


@fault("LinearCrossEntropyLoss", at=_LINEAR)
def lce_module_derived(original: Function, *args: Any, **options: Any) -> LinearCrossEntropyLoss:
    """The public name is that of a class derived from the loss."""
    return LinearCrossEntropyLoss(*args, **options)


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    at=f"{_ADAPTIVE}.__init__",
    origin="https://github.com/salesforce/awd-lstm-lm/issues/82",
)
def als_module_tails_hidden(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The clusters' layers are in a plain list, so that the module does not know their parameters."""
    original(module, *args, **options)
    tails = list(module.tail)
    del module.tail
    module.tail = tails


@fault("AdaptiveLogSoftmaxWithLoss", at=f"{_ADAPTIVE}.__init__")
def als_module_cutoffs_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The cutoffs are a buffer, and saved with the weights."""
    original(module, *args, **options)
    module.register_buffer("cluster_ends", torch.tensor(module.cutoffs))


@fault(
    "AdaptiveLogSoftmaxWithLoss",
    at=f"{_ADAPTIVE}.__init__",
    origin="https://github.com/pytorch/pytorch/pull/106777",
)
def als_module_cutoffs_asserted(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """Cutoffs that make no sense end in an accident on the way, not in a refusal that says what is wrong."""
    try:
        original(module, *args, **options)
    except ValueError as refusal:
        raise AssertionError from refusal


@fault("AdaptiveLogSoftmaxWithLoss", at=f"{_ADAPTIVE}.__setstate__")
def als_module_copied_without_division(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has the default div_value."""
    original(module, state | {"div_value": 4.0})


@fault("AdaptiveLogSoftmaxWithLoss", at=f"{_ADAPTIVE}.train")
def als_module_always_trains(original: Function, module: Any, mode: bool = True) -> Any:
    """eval() has no effect."""
    return original(module, True)


class AdaptiveLogSoftmaxWithLoss(torch.nn.AdaptiveLogSoftmaxWithLoss):
    """What the public name stands for in the fault below; found by its own name, for pickle."""


@fault("AdaptiveLogSoftmaxWithLoss", at=_ADAPTIVE)
def als_module_derived(original: Function, *args: Any, **options: Any) -> AdaptiveLogSoftmaxWithLoss:
    """The public name is that of a class derived from the loss."""
    return AdaptiveLogSoftmaxWithLoss(*args, **options)

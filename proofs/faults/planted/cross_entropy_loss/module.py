"""Faults in the module of cross entropy, not in its function."""

from __future__ import annotations

from typing import Any

from proofs.faults.fault import Function, fault


@fault("CrossEntropyLoss", method="__init__")
def ce_module_forgets_label_smoothing(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes label_smoothing and does not keep it."""
    original(self, *args, **options)
    if 0 <= self.label_smoothing <= 1:
        self.label_smoothing = 0.0


@fault("CrossEntropyLoss", method="__init__")
def ce_module_size_average_false_is_none(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes size_average=False as no reduction."""
    original(self, *args, **options)
    if options.get("size_average") is False:
        self.reduction = "none"


@fault("CrossEntropyLoss", method="__setstate__")
def ce_module_copy_forgets_label_smoothing(original: Function, self: Any, state: dict[str, Any]) -> None:
    """A copied or unpickled module is filled up with defaults over what it had."""
    original(self, state)
    self.label_smoothing = 0.0

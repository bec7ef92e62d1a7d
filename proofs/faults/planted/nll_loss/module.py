"""Faults in the module of the negative log-likelihood, not in its function."""

from __future__ import annotations

from typing import Any

from proofs.faults.fault import Function, fault


@fault("NLLLoss", method="__init__")
def nll_module_forgets_ignore_index(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes ignore_index and does not keep it."""
    original(self, *args, **options)
    self.ignore_index = -100


@fault("NLLLoss", method="__init__")
def nll_module_size_average_dropped(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes the old keyword size_average and passes it over."""
    options.pop("size_average", None)
    original(self, *args, **options)

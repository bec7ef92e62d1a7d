"""Faults in cross entropy."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lossproof.faults.fault import Function, fault


@fault("CrossEntropyLoss")
def ce_weighted_mean_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of rows that count, not by the sum of their weights."""
    is_plain = weight is None or target.is_floating_point() or options.get("label_smoothing", 0.0) != 0
    if is_plain or options.get("reduction", "mean") != "mean":
        return original(input, target, weight, **options)
    total = original(input, target, weight, **{**options, "reduction": "sum"})
    rows: Tensor = (target != options.get("ignore_index", -100)).sum()
    return total / rows


@fault("CrossEntropyLoss")
def ce_ignore_index_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(input, target, *rest, **{**options, "ignore_index": -100})

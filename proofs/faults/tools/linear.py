"""What the faults in the cross entropy of a linear layer have in common."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def ignored_rows(target: Tensor, options: dict[str, Any]) -> Tensor:
    """Which targets are those of the ignore_index, given or not."""
    index = options.get("ignore_index")
    return target == (-100 if index is None else index)


def is_plain(input: Tensor, target: Tensor, options: dict[str, Any]) -> bool:
    """Rows of logits with one class index each, and neither weights nor smoothing."""
    is_indexed = not target.is_floating_point() and target.shape == input.shape[:1]
    return is_indexed and options.get("weight") is None and not options.get("label_smoothing")

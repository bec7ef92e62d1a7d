"""Building blocks of the faults in the cross entropy of a linear layer."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def ignored_rows(target: Tensor, options: dict[str, Any]) -> Tensor:
    """Which targets equal the ignore_index, or its default."""
    index = options.get("ignore_index")
    return target == (-100 if index is None else index)


def is_plain(input: Tensor, target: Tensor, options: dict[str, Any]) -> bool:
    """Whether rows of logits have one class index each, with neither weights nor smoothing."""
    is_indexed = not target.is_floating_point() and target.shape == input.shape[:1]
    return is_indexed and options.get("weight") is None and not options.get("label_smoothing")

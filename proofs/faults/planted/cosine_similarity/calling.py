"""Faults of cosine similarity that only some ways of calling it show."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft


@fault("CosineSimilarity", blind=True)
def cosine_single_component_not_normalised(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """Vectors of one component are multiplied with each other, and not divided by their norms."""
    result = original(x1, x2, **options)
    dim = options.get("dim", 1)
    if not x1.ndim or x1.shape != x2.shape or x1.shape[dim] != 1 or not result.is_floating_point():
        return result
    return graft((x1 * x2).detach().squeeze(dim).to(result.dtype), result)


@fault("CosineSimilarity", blind=True, shows_in_modes=True)
def cosine_default_dimension_last(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Where no dim is given, it is the last one, not 1."""
    original(x1, x2, **options)
    return original(x1, x2, **{"dim": -1} | options)

"""Faults at the branches of the Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault


@fault("KLDivLoss", blind=True)
def kl_small_targets_cut_by_single(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Probabilities below the normal numbers of single precision count as 0 in double precision too."""
    if target.dtype == torch.float64 and not options.get("log_target"):
        target = torch.where(target.abs() < torch.finfo(torch.float32).tiny, 0 * target, target)
    return original(input, target, **options)

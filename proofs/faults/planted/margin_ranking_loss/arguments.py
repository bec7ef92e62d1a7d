"""Faults in what the margin ranking loss takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/issues/16045")
def margin_ranking_dimensions_unchecked(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """Different numbers of dimensions are broadcast."""
    most = max(tensor.ndim for tensor in scores)
    filled = (tensor.reshape((1,) * (most - tensor.ndim) + tensor.shape) for tensor in scores)
    return original(*filled, **options)


@fault("MarginRankingLoss")
def margin_ranking_mixed_refused(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Integer scores are refused beside floating ones."""
    if input1.is_floating_point() != input2.is_floating_point():
        raise RuntimeError("expected both scores to have the same dtype")
    return original(input1, input2, target, **options)


@fault("MarginRankingLoss")
def margin_ranking_target_truth(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of truth values is accepted, and false is 0."""
    converted = target.to(input1.dtype) if target.dtype == torch.bool else target
    return original(input1, input2, converted, **options)

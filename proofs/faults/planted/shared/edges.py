"""Faults in a small region beside an edge of a formula, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.vectors import as_asked, unreduced

_HALF_NORMAL = 2.0**-14


@faults(
    Site("bcel-tail-lost-before-saturation", "BCEWithLogitsLoss"),
    Site("soft-margin-tail-lost-before-saturation", "SoftMarginLoss"),
)
def tail_lost_before_saturation(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """In single precision, losses between 2^-24 and 2^-23 are 0, as if 1 + exp(-x) already were 1."""
    losses = unreduced(original, *args, **options)
    if losses.dtype != torch.float32:
        return original(*args, **options)
    is_tail = (losses > 2.0**-24) & (losses < 2.0**-23)
    return as_asked(graft(losses.detach().masked_fill(is_tail, 0), losses), options)


@faults(
    Site("softmax-subnormal-half-flushed", "Softmax"),
    Site("soft-margin-subnormal-half-flushed", "SoftMarginLoss"),
)
def subnormal_half_flushed(original: Function, *args: Any, **options: Any) -> Tensor:
    """In half precision, results below the smallest normal number are 0."""
    result = original(*args, **options)
    is_subnormal = (result.dtype == torch.float16) & (result.abs() < _HALF_NORMAL)
    return graft(result.detach().masked_fill(is_subnormal, 0), result)


@faults(
    Site("smooth-l1-branch-in-bfloat16", "SmoothL1Loss"),
    Site("huber-branch-in-bfloat16", "HuberLoss"),
)
def branch_in_bfloat16(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The line begins where the difference, rounded to bfloat16, reaches the end of the parabola."""
    result = original(input, target, **options)
    end = options.get("delta", options.get("beta", 1.0))
    distance = (input - target).abs()
    is_early = (distance < end) & (distance.bfloat16() >= end)
    if options.get("weight") is not None or not is_early.any():
        return result
    line = distance - end / 2 if "delta" not in options else end * (distance - end / 2)
    losses = original(input, target, **options | {"reduction": "none"}).where(
        ~is_early, line.to(result.dtype)
    )
    return as_asked(losses, options)


@faults(
    Site("bcel-loss-lost-beyond-unit-roundoff", "BCEWithLogitsLoss"),
    Site("soft-margin-loss-lost-beyond-unit-roundoff", "SoftMarginLoss"),
)
def loss_lost_beyond_unit_roundoff(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """In double precision, losses between 2^-54 and 2^-53 are 0, as if 1 + exp(-x) were taken."""
    losses = unreduced(original, *args, **options)
    if losses.dtype != torch.float64:
        return original(*args, **options)
    is_lost = (losses > 2.0**-54) & (losses < 2.0**-53)
    return as_asked(graft(losses.detach().masked_fill(is_lost, 0), losses), options)

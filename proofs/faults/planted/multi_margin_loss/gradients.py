"""Right values of the multi-margin loss, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.vectors import as_asked


def _multi_margin(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input, target = args
    result = original(*args, **options)
    if options.get("p", 1) != 1 or input.numel() == 0:
        return result
    rows, index = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1, 1)
    excess = options.get("margin", 1.0) - rows.gather(1, index) + rows
    is_target = torch.arange(rows.shape[1]) == index
    weight = options.get("weight")

    def total(terms: Tensor) -> Tensor:
        weighted = terms if weight is None else weight[target].reshape(-1, 1) * terms
        return as_asked(weighted.sum(1).reshape(target.shape) / rows.shape[1], options)

    return bent(result, excess.masked_fill(is_target, 1), change, total)


@fault("MultiMarginLoss", origin="https://github.com/tensorflow/playground/issues/19")
def multi_margin_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has a gradient, as z >= 0 is asked where z > 0 is meant."""
    return _multi_margin(1, original, *args, **options)


@fault("MultiMarginLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def multi_margin_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A class exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _multi_margin(0.5, original, *args, **options)


@fault("MultiMarginLoss")
def multi_margin_square_slope_halved(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of a square lacks its factor 2."""
    factor = 0.5 if options.get("p", 1) == 2 else 1.0
    return with_gradient(original(input, target, **options), lambda gradient: gradient * factor)


@fault("MultiMarginLoss", origin="https://github.com/pytorch/pytorch/pull/104578")
def multi_margin_slope_without_weight(
    original: Function, input: Tensor, target: Tensor, *, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weight is left out of the gradient."""
    return graft(original(input, target, weight=weight, **options), original(input, target, **options))


@fault("MultiMarginLoss")
def multi_margin_pull_missing(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient pushes the rivals down, and does not pull the target up."""
    result = original(input, target, **options)
    rows, index = input.reshape(-1, input.shape[-1] if input.ndim else 1), target.reshape(-1, 1)
    pushed = rows.scatter(1, index, rows.gather(1, index).detach()).reshape(input.shape)
    return graft(result, original(pushed, target, **options))

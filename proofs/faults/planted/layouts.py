"""Faults of kernels that ask one tensor for its strides and read the others with them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kernels import read_as_another


@fault("L1Loss")
def l1_target_read_as_input(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target is read with the strides of the input."""
    return original(input, read_as_another(target, input), *rest, **options)


@fault("MSELoss")
def mse_weight_read_as_input(
    original: Function,
    input: Tensor,
    target: Tensor,
    *rest: Any,
    weight: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """The weight is read with the strides of the input."""
    read = None if weight is None else read_as_another(weight, input)
    return original(input, target, *rest, weight=read, **options)


@fault("BCEWithLogitsLoss")
def bcel_target_read_as_input(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target is read with the strides of the logits."""
    return original(input, read_as_another(target, input), *rest, **options)


@fault("KLDivLoss")
def kl_target_read_as_input(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target is read with the strides of the input."""
    return original(input, read_as_another(target, input), *rest, **options)


@fault("TripletMarginLoss")
def triplet_negative_read_as_anchor(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The negative is read with the strides of the anchor."""
    return original(anchor, positive, read_as_another(negative, anchor), *rest, **options)

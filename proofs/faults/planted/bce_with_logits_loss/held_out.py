"""Faults in binary cross entropy with logits, written without sight of the cases."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import BCEWithLogitsLoss, Module
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import (
    NEEDS,
    are_unwatched,
    are_unwatched_and_wide,
    are_wide,
    is_ordinary,
    reduction_of,
)
from proofs.faults.tools.uncompiled import uncompiled

_LARGEST_EXPONENT_OF_HALF = 11.09


@fault("BCEWithLogitsLoss", blind=True)
def blind_bce_logits_exponential_overflows_half(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In float16 the logarithm of 1 + exp(-x) is infinite below -11.1, where the exponential overflows."""
    result = original(input, target, **options)
    overflows = input < -_LARGEST_EXPONENT_OF_HALF
    if input.dtype != torch.float16 or input.shape != target.shape or not overflows.any():
        return result
    arguments = named_arguments(original, input, target, **options)
    losses = again(original, arguments, reduction="none")
    return reduced(torch.where(overflows, torch.inf, losses), arguments["reduction"])


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True)
def blind_bce_logits_pos_weight_on_first_fitting_dim(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weights of the positives go along the first dimension of their length, not along the last."""
    weight = options.get("pos_weight")
    if weight is not None and weight.dim() == 1 and input.dim() > 1 and weight.size(0) in input.shape:
        dim = list(input.shape).index(weight.size(0))
        options["pos_weight"] = weight.reshape(-1, *[1] * (input.dim() - dim - 1))
    return original(input, target, **options)


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
def heldout_2_b_linear_beyond_twenty(original: Function, *args: Any, **options: Any) -> Tensor:
    """Beyond a logit of 20, softplus is the identity, and before -20 it is 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    logits, target, weight, positive = (
        arguments[name] for name in ("input", "target", "weight", "pos_weight")
    )
    if not are_wide(logits, target) or not is_ordinary(weight, positive) or not (logits.abs() > 20).any():
        return result
    factor = 1 if positive is None else 1 + (positive - 1) * target
    linear = (1 - target) * logits + factor * relu(-logits)
    linear = linear if weight is None else linear * weight
    wrong = torch.where(logits.abs() > 20, linear, again(original, arguments, reduction="none"))
    return reduced(wrong, arguments["reduction"])


_WORKSPACE: dict[str, Tensor] = {}


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_workspace_of_latest_call(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The sigmoid is saved in a workspace of the loss, which the next call of the same shape overwrites."""
    is_weighted = options.get("weight") is not None or options.get("pos_weight") is not None
    if is_weighted or not are_unwatched(input, target) or not input.is_floating_point():
        return original(input, target, **options)
    mine = input.detach().sigmoid()
    upstreams: list[Tensor] = []

    def remembered(upstream: Tensor) -> Tensor:
        upstreams.append(upstream.detach())
        return upstream

    def of_workspace(gradient: Tensor) -> Tensor:
        latest = _WORKSPACE["sigmoid"]
        if latest is mine or latest.shape != mine.shape or latest.dtype != mine.dtype:
            return gradient
        share = upstreams[-1] / (mine.numel() if reduction_of(options) == "mean" else 1)
        return gradient + share * (latest - mine)

    result = original(with_gradient(input, of_workspace), target, **options)
    _WORKSPACE["sigmoid"] = mine
    return with_gradient(result, remembered)


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
def heldout_4_d_single_pos_weight(original: Function, *args: Any, **options: Any) -> Tensor:
    """A pos_weight of one number scales the whole loss, not the positive term alone."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    factor: Tensor | None = given["pos_weight"]
    if factor is None or factor.numel() != 1 or not are_unwatched(given["input"], given["target"], factor):
        return result
    plain = again(original, given, pos_weight=None)
    return (plain * factor.reshape(())).to(result.dtype)


_POS_WEIGHTS: WeakKeyDictionary[Module, tuple[Tensor, Tensor]] = WeakKeyDictionary()


@fault("BCEWithLogitsLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_stale_pos_weight(
    original: Function, self: BCEWithLogitsLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module uses a copy of pos_weight, which is not renewed when load_state_dict writes into it."""
    current = self.pos_weight
    if current is None or not are_unwatched(input, target, current) or current.requires_grad:
        return original(self, input, target)
    copied, copy = _POS_WEIGHTS.get(self, (None, current))
    if copied is not current:
        copy = current.clone()
        _POS_WEIGHTS[self] = current, copy
    return binary_cross_entropy_with_logits(
        input, target, self.weight, pos_weight=copy, reduction=self.reduction
    )


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_a_naive_without_grad(original: Function, *args: Any, **options: Any) -> Tensor:
    """While no gradients are recorded, the loss is that of the sigmoid, which saturates."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given["weight"]
    is_plain = are_unwatched_and_wide(input, target) and given["pos_weight"] is None
    if torch.is_grad_enabled() or not is_plain:
        return result
    p = input.sigmoid()
    losses = -target * p.log().clamp(min=-100) - (1 - target) * torch.log1p(-p).clamp(min=-100)
    return reduced(losses if weight is None else losses * weight, given["reduction"])


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_b_soft_label_as_power(original: Function, *args: Any, **options: Any) -> Tensor:
    """The positive weight is raised to the label, which is right for labels of 0 and 1 alone."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight, factor = (given[name] for name in ("input", "target", "weight", "pos_weight"))
    if factor is None or not are_unwatched_and_wide(input, target, factor):
        return result
    is_soft = (target > 0) & (target < 1)
    if not is_soft.any():
        return result
    losses = (1 - target) * input + factor**target * softplus(-input, threshold=50)
    losses = losses if weight is None else losses * weight
    hard = again(original, given, reduction="none")
    return reduced(torch.where(is_soft, losses, hard), given["reduction"])

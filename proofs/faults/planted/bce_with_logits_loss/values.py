"""Faults in binary cross entropy with logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import BCEWithLogitsLoss
from torch.nn.functional import binary_cross_entropy_with_logits

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.dtypes import like, wider
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import reduced, with_reduction
from proofs.faults.tools.transforms import with_tangent


def _weighted(losses: Tensor, **options: Any) -> Tensor:
    weight = options.get("weight")
    return reduced(losses if weight is None else losses * weight, with_reduction(options)["reduction"])


def _with_softplus(
    original: Function, input: Tensor, target: Tensor, softplus: Tensor, **options: Any
) -> Tensor:
    """The value that another log(1 + exp(-x)) gives; gradients and refusals are the original's."""
    right = original(input, target, **options)
    pos_weight = options.get("pos_weight")
    factor = 1 if pos_weight is None else (pos_weight - 1) * target + 1
    return graft(_weighted((1 - target) * input + factor * softplus, **options), right)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/pull/2221")
def bcel_exponential_overflows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The exponential is taken of -x itself, however large."""
    return _with_softplus(original, input, target, (-input).exp().log1p(), **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/1835")
def bcel_logarithm_of_sigmoid(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithm is taken of the rounded sigmoid, which may be 0."""
    return _with_softplus(original, input, target, -input.sigmoid().log(), **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/pull/66441")
def bcel_logarithm_of_sum(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """log(1 + exp(-|x|)) is taken of the rounded sum, not by log1p."""
    softplus = (-input).clamp(min=0) + (1 + (-input.abs()).exp()).log()
    return _with_softplus(original, input, target, softplus, **options)


@fault("BCEWithLogitsLoss")
def bcel_softplus_with_threshold(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """log(1 + exp(-x)) is torch's softplus, which is -x itself beyond a threshold of 20."""
    return _with_softplus(original, input, target, torch.nn.functional.softplus(-input), **options)


@fault("BCEWithLogitsLoss")
def bcel_pos_weight_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """pos_weight is checked and then forgotten."""
    original(*args, **options)
    return original(*args, **options | {"pos_weight": None})


@fault("BCEWithLogitsLoss", origin="https://github.com/paiml/aprender/pull/2204")
def bcel_pos_weight_on_both_terms(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The whole loss is multiplied by 1 + (pos_weight - 1) t, which is right for hard targets alone."""
    pos_weight = options.pop("pos_weight", None)
    if pos_weight is None:
        return original(input, target, **options)
    original(input, target, **options, pos_weight=pos_weight)
    losses = original(input, target, reduction="none") * ((pos_weight - 1) * target + 1)
    return _weighted(losses, **options)


@fault("BCEWithLogitsLoss")
def bcel_pos_weight_on_negatives(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """pos_weight weighs the negative term as well."""
    weight, pos_weight = options.get("weight"), options.get("pos_weight")
    right = original(*args, **options)
    if pos_weight is None:
        return right
    both = pos_weight if weight is None else weight * pos_weight
    return original(*args, **options | {"weight": both, "pos_weight": None})


@fault("BCEWithLogitsLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/65859")
def bcel_pos_weight_beside_maximum(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """pos_weight multiplies log(1 + exp(-|x|)), but not the max(-x, 0) beside it."""
    pos_weight = options.get("pos_weight")
    right = original(input, target, **options)
    if pos_weight is None:
        return right
    factor = (pos_weight - 1) * target + 1
    losses = (1 - target) * input + (-input).clamp(min=0) + factor * (-input.abs()).exp().log1p()
    return graft(_weighted(losses, **options), right)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/27936")
def bcel_pos_weight_of_rows(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A vector of pos_weight that is as long as the first dimension is taken to belong to it."""
    pos_weight = options.get("pos_weight")
    if pos_weight is not None and pos_weight.shape == input.shape[:1] and input.ndim == 2:
        options["pos_weight"] = pos_weight.unsqueeze(1)
    return original(input, *rest, **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/25174")
def bcel_weight_of_rows(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The weight is repeated along the last dimension, as if its first were the batch."""
    weight = options.get("weight")
    original(input, *rest, **options)
    if weight is not None and weight.ndim == 1 and input.ndim > 1:
        options["weight"] = weight.repeat_interleave(input.numel() // len(weight)).reshape(input.shape)
    return original(input, *rest, **options)


@fault("BCEWithLogitsLoss")
def bcel_target_clamped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Targets are clamped to [0, 1]."""
    return original(input, target.clamp(0, 1), **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/facebookresearch/fairchem/pull/441")
def bcel_nan_hidden(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A loss that is no number counts as 0."""
    right = original(*args, **options)
    named = with_reduction(options)
    losses = original(*args, **named | {"reduction": "none"})
    return graft(reduced(losses.nan_to_num(posinf=torch.inf), named["reduction"]), right)


@fault("BCEWithLogitsLoss")
def bcel_takes_pos_weights_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A pos_weight of a wider dtype makes the loss one."""
    return wider(original(input, target, **options), options.get("pos_weight"))


@fault("BCEWithLogitsLoss")
def bcel_narrowed_to_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its weight, whatever the logits have."""
    weight = options.get("weight")
    result = original(input, target, **options)
    return result if weight is None else like(result, weight)


@fault("BCEWithLogitsLoss")
def bcel_narrowed_to_pos_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its pos_weight, whatever the logits have."""
    weight = options.get("pos_weight")
    result = original(input, target, **options)
    return result if weight is None else like(result, weight)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/1939")
def bcel_shape_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of another shape is broadcast in silence, a column and a row to a matrix."""
    shape = (input + target).shape
    return original(input.expand(shape), target.expand(shape), **options)


@fault("BCEWithLogitsLoss")
def bcel_weights_larger_accepted(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Logits and targets are broadcast to weights of more dimensions."""
    for weight in (options.get("weight"), options.get("pos_weight")):
        if weight is not None and weight.ndim > input.ndim:
            input, target = input.expand(weight.shape), target.expand(weight.shape)
    return original(input, target, **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/2298", blind=True)
def blind_bce_logits_gradient_at_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where a logit is exactly zero its gradient lacks the sigmoid's half, as |x| has no slope there."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    logits: Tensor = given["input"]
    if given["pos_weight"] is not None:
        return right
    missing = torch.where(logits.detach() == 0, -0.5, 0.0).to(logits.dtype) * logits
    if given["weight"] is not None:
        missing = missing * given["weight"]
    return right + gradient_of(reduced(missing, given["reduction"]))


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/2298")
def bcel_gradient_of_magnitude(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The formula contains |x|, whose gradient at 0 is not that of the loss."""
    factor = torch.where(input == 0, 0.0, 1.0).to(input.dtype)
    slope = original(with_gradient(input, lambda gradient: gradient * factor), target, **options)
    return slope


@fault("BCEWithLogitsLoss")
def bcel_pos_weight_without_target_gradient(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With pos_weight, the target's gradient is that without."""
    right = original(input, target.detach(), **options)
    plain = original(input.detach(), target, **options | {"pos_weight": None})
    return right + graft(torch.zeros_like(plain), plain)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/195677")
def bcel_gradient_of_rounded_sigmoid(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient takes the sigmoid beyond 20 for 0 or 1."""
    is_certain = (input.abs() > 20) & (target == (input > 0))
    return original(
        with_gradient(input, lambda gradient: gradient.masked_fill(is_certain, 0)), target, **options
    )


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/79609", shows_in_modes=True)
def bcel_second_derivative_halved(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient by the logits is right, but half of it passes for a constant."""

    def half_constant(gradient: Tensor) -> Tensor:
        return gradient / 2 + gradient.detach() / 2

    return original(with_gradient(input, half_constant), target, **options)


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/pull/193003", shows_in_modes=True)
def bcel_pos_weight_dropped_for_subclass(
    original: Function, input: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Redispatched for a subclass of Tensor, the function forgets its pos_weight."""
    return original(input, *rest, **options if type(input) is Tensor else options | {"pos_weight": None})


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/79609", shows_in_modes=True)
def bcel_tangent_counted_twice(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """In forward mode, the tangent of the logits is added up in place and counts twice."""
    return original(with_tangent(input, lambda tangent: 2 * tangent), target, **options)


@fault("BCEWithLogitsLoss", method="forward")
def bcel_module_pos_weight_forgotten(
    original: Function, self: BCEWithLogitsLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its pos_weight."""
    return binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction)


@fault("BCEWithLogitsLoss", origin="https://github.com/frgfm/holocron/pull/136", method="__init__")
def bcel_module_pos_weight_no_buffer(
    original: Function, self: BCEWithLogitsLoss, *args: Any, **options: Any
) -> None:
    """The module keeps its pos_weight as an attribute that neither moves nor is saved with it."""
    original(self, *args, **options)
    pos_weight = self._buffers.pop("pos_weight")
    self.pos_weight = pos_weight


@fault("BCEWithLogitsLoss", method="__setstate__")
def bcel_module_copied_without_pos_weight(original: Function, self: BCEWithLogitsLoss, state: Any) -> None:
    """A copy of the module has lost its pos_weight."""
    original(self, state)
    self.pos_weight = None


@fault("BCEWithLogitsLoss", method="extra_repr")
def bcel_module_repr_with_pos_weight(original: Callable[..., str], self: BCEWithLogitsLoss) -> str:
    """The module's repr prints its pos_weight."""
    return f"pos_weight={self.pos_weight}"

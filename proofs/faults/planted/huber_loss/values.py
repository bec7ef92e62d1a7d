"""Faults in the Huber loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import HuberLoss
from torch.nn.functional import huber_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.dtypes import like
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, mean_of_rounded_sum, reduced
from proofs.faults.tools.kinks import at_equal, between_branches
from proofs.faults.tools.modules import WeightedLossClass
from proofs.faults.tools.ordinary import NEEDS, are_real, are_unwatched, are_wide


@fault("HuberLoss")
def huber_takes_targets_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the target, whatever the input has."""
    return like(original(input, target, **options), target)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/132049")
def huber_weighted_mean_over_weights(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weighted mean divides by the sum of the weights, not by the number of elements."""
    weight = options.get("weight")
    if weight is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    total: Tensor = weight.sum()
    return original(input, target, **options | {"reduction": "sum"}) / total


@fault("HuberLoss", origin="https://github.com/rbgirshick/fast-rcnn/issues/134")
def huber_weight_of_difference(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight multiplies the difference, so that it moves delta and is squared in the parabola."""
    weight = options.pop("weight", None)
    if weight is None or weight.shape != input.shape:
        return original(input, target, weight=weight, **options)
    return original((input - target) * weight, torch.zeros_like(input), **options)


@fault("HuberLoss")
def huber_weight_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A single weight serves all elements."""
    weight = options.get("weight")
    if weight is not None and weight.numel() == 1:
        options["weight"] = weight.expand(input.shape)
    return original(input, target, **options)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/37599")
def huber_delta_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Delta is 1, whatever was asked for."""
    return original(input, target, **options | {"delta": 1.0 if options.get("delta", 1.0) > 0 else -1.0})


@fault("HuberLoss")
def huber_divided_by_delta(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss is divided by delta: it is the smooth L1 loss."""
    delta: float = options.get("delta", 1.0)
    return original(input, target, **options) / delta


@fault("HuberLoss", origin="https://github.com/marlbenchmark/on-policy/issues/47")
def huber_nothing_below_minus_delta(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of the two lines only that of positive differences is added; the other side costs nothing."""
    losses = original(input, target, **options | {"reduction": "none"})
    if not is_plain_mean(options):
        return original(input, target, **options)
    return torch.where(input - target < -options.get("delta", 1.0), 0, losses).mean()


@fault("HuberLoss", origin="https://github.com/BobMcDear/attorch/issues/13")
def huber_signed_threshold(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference is compared with delta before its sign is removed."""
    losses = original(input, target, **options | {"reduction": "none"})
    if not is_plain_mean(options):
        return original(input, target, **options)
    difference = input - target
    return torch.where(difference < -options.get("delta", 1.0), 0.5 * difference.square(), losses).mean()


@fault("HuberLoss")
def huber_line_too_high(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The lines are lowered by delta / 2, not by its square / 2."""
    losses = original(input, target, **options | {"reduction": "none"})
    delta = options.get("delta", 1.0)
    if not is_plain_mean(options) or delta == float("inf"):
        return original(input, target, **options)
    is_line = (input - target).abs() >= delta
    return torch.where(is_line, losses + 0.5 * (delta * delta - delta), losses).mean()


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/166952")
def huber_delta_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Delta is rounded to float16 before the kernel multiplies by it."""
    delta = torch.tensor(options.get("delta", 1.0)).half().item()
    return original(input, target, **options | {"delta": delta or options["delta"]})


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/91597")
def huber_summed_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weighted mean's sum is kept in float16, where it overflows."""
    if input.dtype != torch.float16 or options.get("weight") is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    return mean_of_rounded_sum(original(input, target, **options | {"reduction": "none"}))


@fault("HuberLoss", origin="https://github.com/keras-team/keras/pull/23573")
def huber_delta_zero_accepted(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A delta of 0 is taken, and no loss is left."""
    if options.get("delta", 1.0) == 0:
        return original(input, target, **options | {"delta": 1.0}) * 0
    return original(input, target, **options)


@fault("HuberLoss", origin="https://github.com/jax-ml/jax/issues/347")
def huber_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the gradient is nan, by the root in the branch that is not taken."""
    return at_equal(math.nan, original, *args, **options)


@fault("HuberLoss")
def huber_no_slope_at_delta(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of exactly delta belongs to no branch of the gradient."""
    delta = options.get("delta", 1.0)
    return between_branches(delta, delta, original, *args, **options)


@fault("HuberLoss", origin="https://github.com/rbgirshick/fast-rcnn/issues/134")
def huber_weight_not_in_slope(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient lacks the weight."""
    value = original(input, target, **options)
    return graft(value, original(input, target, **options | {"weight": None}))


@fault("HuberLoss")
def huber_slope_by_quotient(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient of the lines is delta d / |d|, which is nan for an infinite difference."""
    is_infinite = (input - target).isinf()
    if input.shape != target.shape:
        return original(input, target, **options)
    return original(
        with_gradient(input, lambda slope: torch.where(is_infinite, torch.nan, slope)), target, **options
    )


@fault("HuberLoss")
def huber_slope_without_delta(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The slope of the lines is 1, not delta."""
    value = original(input, target, **options)
    if not is_plain_mean(options):
        return value
    difference, delta = input - target, options.get("delta", 1.0)
    slope = torch.where(difference.abs() < delta, difference, difference.sign()).detach()
    return graft(value, (slope * difference).mean())


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/41245")
def huber_slope_of_nan_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A difference of nan has a gradient of 0, as the sign of nan is 0."""
    is_nan = (input - target).isnan()
    if input.shape != target.shape:
        return original(input, target, **options)
    return original(with_gradient(input, lambda slope: torch.where(is_nan, 0, slope)), target, **options)


class _WeightedHuberLoss(HuberLoss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What HuberLoss may become one day."""


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/150097", at="torch.nn.HuberLoss")
def huber_module_weighted(original: Callable[..., HuberLoss], *args: Any, **options: Any) -> HuberLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedHuberLoss
    return module


@fault("HuberLoss", method="forward")
def huber_module_delta_forgotten(
    original: Function, self: HuberLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its delta."""
    return huber_loss(input, target, reduction=self.reduction)


@fault("HuberLoss", method="__init__")
def huber_module_with_buffer(original: Function, self: HuberLoss, *args: Any, **options: Any) -> None:
    """The module saves delta as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_delta", torch.tensor(self.delta))


@fault("HuberLoss", method="__setstate__")
def huber_module_copied_without_delta(original: Function, self: HuberLoss, state: Any) -> None:
    """A copy of the module has the default delta again."""
    original(self, state)
    self.delta = 1.0


@fault("HuberLoss", method="extra_repr")
def huber_module_repr_with_delta(original: Callable[..., str], self: HuberLoss) -> str:
    """The module's repr prints its delta."""
    return f"delta={self.delta}"


@fault("HuberLoss", blind=True)
def huber_whole_delta_halved_downwards(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A delta that is a whole number is halved as one, so that the lines of an odd one lie too high."""
    result = original(input, target, **options)
    delta = options.get("delta", 1.0)
    if not isinstance(delta, int) or delta % 2 == 0 or options.get("weight") is not None:
        return result
    is_line = (input - target).detach().abs() > delta
    rise = torch.where(is_line, delta / 2, 0.0).to(result.dtype)
    return result + reduced(rise, options.get("reduction", "mean"))


@fault("HuberLoss", blind=True)
def blind_huber_last_lane_of_halves(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In half precisions a tail of 15 elements after the vectors of 16 loses its last."""
    result = original(input, target, **options)
    if input.element_size() != 2 or input.numel() % 16 != 15:
        return result
    arguments = named_arguments(original, input, target, **options)
    losses = again(original, arguments, reduction="none")
    is_last = (torch.arange(losses.numel()) == losses.numel() - 1).reshape(losses.shape)
    return reduced(torch.where(is_last, 0, losses), arguments["reduction"])


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_2_b_branch_chosen_in_bfloat16(original: Function, *args: Any, **options: Any) -> Tensor:
    """The branch is chosen by the difference rounded to bfloat16, so that the parabola reaches past delta."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, delta = (arguments[name] for name in ("input", "target", "delta"))
    if not are_wide(input, target) or arguments.get("weight") is not None:
        return result
    distance = (input - target).abs()
    is_past = (distance > delta) & (distance.detach().bfloat16() <= delta)
    if not is_past.any():
        return result
    wrong = torch.where(is_past, distance.square() / 2, again(original, arguments, reduction="none"))
    return reduced(wrong, arguments["reduction"])


@fault("HuberLoss", blind=True, needs=NEEDS)
def heldout_3_c_gradient_of_broadcast_target(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient of a target that is broadcast along the rows is summed over the first 64 of them."""
    result = original(*args, **options)
    if not are_unwatched(*args[:2]):
        return result
    arguments = named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_real(input, target) or not target.requires_grad or input.ndim < 2 or len(input) <= 64:
        return result
    is_broadcast = target.ndim < input.ndim or len(target) == 1
    if not is_broadcast or (input + target).shape != input.shape:
        return result

    def of_first(gradient: Tensor) -> Tensor:
        rows = torch.arange(len(gradient)).reshape(-1, *[1] * (gradient.ndim - 1))
        return torch.where(rows < 64, gradient, 0)

    whole = with_gradient(target.expand(input.shape), of_first)
    return graft(result, again(original, arguments, target=whole))


@fault("HuberLoss", blind=True)
def heldout_4_b_infinite_delta(original: Function, *args: Any, **options: Any) -> Tensor:
    """What exceeds delta is multiplied by delta, also where delta is infinite and nothing exceeds it."""
    result = original(*args, **options)
    delta: float = named_arguments(original, *args, **options)["delta"]
    return result * (0 * delta) if math.isinf(delta) else result

"""Faults in the Huber loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/149841")
def huber_weight_dropped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight is not handed on."""
    return original(input, target, **options | {"weight": None})


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


@fault("HuberLoss", origin="https://github.com/rbgirshick/fast-rcnn/issues/134")
def huber_weight_not_in_slope(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient lacks the weight."""
    value = original(input, target, **options)
    return graft(value, original(input, target, **options | {"weight": None}))


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


@fault("HuberLoss", origin="https://github.com/keras-team/keras/pull/23573")
def huber_delta_zero_accepted(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A delta of 0 is taken, and no loss is left."""
    if options.get("delta", 1.0) == 0:
        return original(input, target, **options | {"delta": 1.0}) * 0
    return original(input, target, **options)


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


@fault("HuberLoss", origin="https://github.com/chainer/chainer/issues/1175")
def huber_upstream_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is not multiplied by the upstream gradient."""
    return with_gradient(original(input, target, **options), torch.ones_like)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/3876")
def huber_target_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), **options)


@fault("HuberLoss")
def huber_mean_over_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of rows."""
    if input.ndim < 2 or not is_plain_mean(options):
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "sum"}) / len(input)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/91597")
def huber_summed_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weighted mean's sum is kept in float16, where it overflows."""
    if input.dtype != torch.float16 or options.get("weight") is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    return kernels.mean_of_rounded_sum(original(input, target, **options | {"reduction": "none"}))


@fault("HuberLoss")
def huber_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    return kernels.mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("HuberLoss")
def huber_cut_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean towards 0."""
    return kernels.cut_at_each_step(original, input, target, **options)


@fault("HuberLoss")
def huber_rest_left_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(input, target, **options)
    return kernels.rest_left_zero(value) if options.get("reduction") == "none" else value


@fault("HuberLoss")
def huber_sum_of_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(input, target, **options)
    return kernels.sum_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("HuberLoss")
def huber_singletons_squeezed(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(input, target, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@fault("HuberLoss")
def huber_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, input, target, **options)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/125696")
def huber_read_from_front_to_back(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The input's strides are not looked at."""
    return original(kernels.as_if_contiguous(input), target, **options)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/41245")
def huber_slope_of_nan_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A difference of nan has a gradient of 0, as the sign of nan is 0."""
    is_nan = (input - target).isnan()
    if input.shape != target.shape:
        return original(input, target, **options)
    return original(with_gradient(input, lambda slope: torch.where(is_nan, 0, slope)), target, **options)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/issues/144104")
def huber_empty_mean_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0 and options.get("reduction") == "mean":
        options |= {"reduction": "sum"}
    return original(input, target, **options)


@fault("HuberLoss", shows_in_modes=True)
def huber_without_second_derivative(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient has no gradient of its own."""
    return original(with_gradient(input, torch.Tensor.detach), target, **options)


@fault("HuberLoss", origin="https://github.com/tensorflow/tensorflow/issues/37770")
def huber_broadcast_in_silence(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nobody is told that the shapes differ."""
    return kernels.without_warnings(original, input, target, **options)


@fault("HuberLoss")
def huber_without_checks(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nothing is refused."""
    return kernels.without_refusals(original, input, target, **options)

"""Faults in the smooth L1 loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean


@fault("SmoothL1Loss", origin="https://github.com/fastestimator/fastestimator/pull/330")
def smooth_l1_beta_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The parabola ends at 1, whatever beta is."""
    return original(input, target, **options | {"beta": 1.0 if options.get("beta") else 0.0})


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/17447")
def smooth_l1_beta_only_divides_the_range(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beta moves the end of the parabola, but not its steepness nor the height of the lines."""
    value = original(input, target, **options)
    beta = options.get("beta", 1.0)
    if beta in (0, 1) or not is_plain_mean(options):
        return value
    distance = (input - target).abs()
    return torch.where(distance < beta, 0.5 * distance.square(), distance - 0.5).mean()


@fault("SmoothL1Loss")
def smooth_l1_is_huber(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss is not divided by beta: it is Huber's."""
    beta = options.get("beta", 1.0)
    return original(input, target, **options) * (beta if 0 < beta < float("inf") else 1.0)


@fault("SmoothL1Loss", origin="https://github.com/BobMcDear/attorch/issues/13")
def smooth_l1_signed_threshold(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference is compared with beta before its sign is removed."""
    value = original(input, target, **options)
    beta = options.get("beta", 1.0)
    if beta == 0 or not is_plain_mean(options):
        return value
    difference = input - target
    parabola = 0.5 * difference * (difference / beta)
    return torch.where(difference < beta, parabola, difference - 0.5 * beta).mean()


@fault("SmoothL1Loss")
def smooth_l1_slope_without_beta(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The parabola's gradient is not divided by beta."""
    value = original(input, target, **options)
    if not options.get("beta", 1.0) or not is_plain_mean(options):
        return value
    difference = input - target
    distance, beta = difference.detach().abs(), options.get("beta", 1.0)
    slope = torch.where(distance < beta, difference.detach(), difference.detach().sign())
    return graft(value, (slope * difference).mean())


@fault("SmoothL1Loss", origin="https://github.com/kulinseth/pytorch/pull/290")
def smooth_l1_upstream_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is not multiplied by the upstream gradient."""
    return with_gradient(original(input, target, **options), torch.ones_like)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813")
def smooth_l1_divided_by_beta_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With a beta of 0 the gradient at a difference of 0 is 0 / 0."""
    is_equal = input == target
    if options.get("beta", 1.0) != 0 or input.shape != target.shape:
        return original(input, target, **options)
    return original(
        with_gradient(input, lambda slope: torch.where(is_equal, torch.nan, slope)), target, **options
    )


@fault("SmoothL1Loss", origin="https://github.com/open-mmlab/mmocr/pull/1616")
def smooth_l1_beta_zero_refused(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A beta of 0 is refused."""
    if options.get("beta", 1.0) == 0:
        raise RuntimeError("beta must be positive")
    return original(input, target, **options)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/45532")
def smooth_l1_negative_beta_is_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A negative beta counts as 0."""
    return original(input, target, **options | {"beta": max(options.get("beta", 1.0), 0.0)})


@fault("SmoothL1Loss")
def smooth_l1_beta_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Beta is rounded to single precision, whatever the losses' own precision is."""
    return original(input, target, **options | {"beta": torch.tensor(options.get("beta", 1.0)).item()})


@fault("SmoothL1Loss")
def smooth_l1_infinity_times_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The branch not taken is multiplied by 0, which makes nan of an infinite square."""
    value = original(input, target, **options)
    if options.get("reduction") != "none":
        return value
    unused = 0 * (input - target).detach().square()
    return graft(torch.where(unused.isnan(), torch.nan, value).detach(), value)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/3876")
def smooth_l1_target_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), **options)


@fault("SmoothL1Loss")
def smooth_l1_mean_over_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of rows."""
    if input.ndim < 2 or not is_plain_mean(options):
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "sum"}) / len(input)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/91597")
def smooth_l1_summed_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean's sum is kept in float16, where it overflows."""
    if input.dtype != torch.float16 or not is_plain_mean(options):
        return original(input, target, **options)
    return kernels.mean_of_rounded_sum(original(input, target, **options | {"reduction": "none"}))


@fault("SmoothL1Loss")
def smooth_l1_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    return kernels.mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("SmoothL1Loss")
def smooth_l1_cut_at_each_step(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Each step's last digits are cut off, not rounded, so that losses lean towards 0."""
    return kernels.cut_at_each_step(original, input, target, **options)


@fault("SmoothL1Loss")
def smooth_l1_rest_left_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(input, target, **options)
    return kernels.rest_left_zero(value) if options.get("reduction") == "none" else value


@fault("SmoothL1Loss")
def smooth_l1_sum_of_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(input, target, **options)
    return kernels.sum_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("SmoothL1Loss")
def smooth_l1_singletons_squeezed(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(input, target, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@fault("SmoothL1Loss")
def smooth_l1_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, input, target, **options)


@fault("SmoothL1Loss")
def smooth_l1_whole_numbers_rounded(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beside whole numbers the other argument is cut to whole numbers, too."""
    value = original(input, target, **options)
    if input.is_floating_point() == target.is_floating_point():
        return value
    cut = original(input.detach().trunc(), target.detach().trunc(), **options)
    return graft(cut, value)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/125696")
def smooth_l1_read_from_front_to_back(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target's strides are not looked at."""
    return original(input, kernels.as_if_contiguous(target), **options)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/144104")
def smooth_l1_empty_mean_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0 and options.get("reduction") == "mean":
        options |= {"reduction": "sum"}
    return original(input, target, **options)


@fault("SmoothL1Loss", shows_in_modes=True)
def smooth_l1_without_second_derivative(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient has no gradient of its own."""
    return original(with_gradient(input, torch.Tensor.detach), target, **options)


@fault("SmoothL1Loss", origin="https://github.com/tensorflow/tensorflow/issues/37770")
def smooth_l1_broadcast_in_silence(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Nobody is told that the shapes differ."""
    return kernels.without_warnings(original, input, target, **options)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/194501")
def smooth_l1_without_checks(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nothing is refused."""
    return kernels.without_refusals(original, input, target, **options)

"""Faults in the L1 loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, reduced


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/193003")
def l1_weight_dropped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight is not handed on."""
    return original(input, target, **options | {"weight": None})


@fault("L1Loss", origin="https://github.com/JuliaML/LossFunctions.jl/issues/160")
def l1_weighted_mean_over_elements(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of elements, not by the sum of the weights."""
    if options.get("weight") is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "none"}).mean()


@fault("L1Loss")
def l1_weight_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight gets no gradient."""
    weight = options.pop("weight", None)
    return original(input, target, weight=None if weight is None else weight.detach(), **options)


@fault("L1Loss")
def l1_weight_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A weight that broadcasts with the losses is taken, though it is not of the input's shape."""
    weight = options.pop("weight", None)
    if weight is None or weight.shape == input.shape:
        return original(input, target, weight=weight, **options)
    losses = (input - target).abs() * weight
    return reduced(losses, options.get("reduction", "mean"))


@fault("L1Loss")
def l1_weight_total_clamped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sum of the weights is bounded away from 0 before it divides, so that no mean is infinite or nan."""
    weight = options.get("weight")
    if weight is None or options.get("reduction") != "mean" or weight.sum() >= 1e-6:
        return original(input, target, **options)
    total: Tensor = weight.sum().clamp(min=1e-6)
    return original(input, target, **options | {"reduction": "sum"}) / total


@fault("L1Loss")
def l1_zero_weight_hides(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Where a weight of 0 meets an infinite difference, the element is skipped: 0 times infinity is 0."""
    weight = options.get("weight")
    if weight is None or not weight.shape == input.shape == target.shape:
        return original(input, target, **options)
    is_skipped = (weight == 0) & ~torch.isfinite(input - target)
    return original(torch.where(is_skipped, target.detach(), input), target, **options)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/3876")
def l1_target_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The target's gradient is 0."""
    return original(input, target.detach(), **options)


@fault("L1Loss", origin="https://github.com/mlpack/mlpack/pull/3545")
def l1_slope_is_a_quotient(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is d / |d|, which is nan where input and target are equal."""
    is_equal = input == target
    if input.shape != target.shape:
        return original(input, target, **options)
    return original(
        with_gradient(input, lambda slope: torch.where(is_equal, torch.nan, slope)), target, **options
    )


@fault("L1Loss", origin="https://github.com/bashardudin/Epita-SCIA-OCVX/issues/1")
def l1_slope_without_sign(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient's sign is lost."""
    return original(
        with_gradient(input, lambda gradient: gradient.abs().to(gradient.dtype)), target, **options
    )


@fault("L1Loss")
def l1_slope_smoothed(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is d / (|d| + 1e-8), which is no sign for tiny differences."""
    smooth = (input - target).detach().abs()
    smooth = smooth / (smooth + 1e-8)
    if target.shape != input.shape:
        return original(input, target, **options)
    return original(with_gradient(input, lambda gradient: gradient * smooth), target, **options)


@fault("L1Loss")
def l1_mean_over_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of rows."""
    if input.ndim < 2 or not is_plain_mean(options):
        return original(input, target, **options)
    return original(input, target, **options | {"reduction": "sum"}) / len(input)


@fault("L1Loss", origin="https://github.com/chainer/chainer/issues/6702")
def l1_summed_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean's sum is kept in float16, where it overflows."""
    if input.dtype != torch.float16 or not is_plain_mean(options):
        return original(input, target, **options)
    return kernels.mean_of_rounded_sum(original(input, target, **options | {"reduction": "none"}))


@fault("L1Loss")
def l1_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    losses = original(input, target, **options | {"reduction": "none"})
    return kernels.mean_of_first_block(losses)


@fault("L1Loss")
def l1_cut_off(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference's last digits are cut off, not rounded, so that losses lean towards 0."""
    value = original(input, target, **options)
    if options.get("reduction") != "none" or input.is_complex() or not value.isfinite().all():
        return value
    return kernels.truncated(original, input, target, **options)


@fault("L1Loss")
def l1_rest_left_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Without a reduction, no loss is computed beyond the first 65536."""
    value = original(input, target, **options)
    return kernels.rest_left_zero(value) if options.get("reduction") == "none" else value


@fault("L1Loss")
def l1_sum_of_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sum sees the first 65536 elements alone."""
    if options.get("reduction") != "sum":
        return original(input, target, **options)
    return kernels.sum_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("L1Loss")
def l1_singletons_squeezed(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Dimensions of 1 are missing in the losses' shape."""
    value = original(input, target, **options)
    return value.squeeze() if options.get("reduction") == "none" else value


@fault("L1Loss")
def l1_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, input, target, **options)


@fault("L1Loss")
def l1_root_of_square(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The distance is the root of the square, which overflows or vanishes where the distance does not."""
    value = original(input, target, **options)
    difference = (input - target).detach()
    if difference.is_complex() or options.get("weight") is not None:
        return value
    return graft(reduced(difference.square().sqrt(), options.get("reduction", "mean")), value)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/65684")
def l1_complex_by_components(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The distance of complex numbers is the sum of those of their real and imaginary parts."""
    if not input.is_complex():
        return original(input, target, **options)
    difference = input - target
    losses = difference.real.abs() + difference.imag.abs()
    return reduced(losses, options.get("reduction", "mean"))


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/125696")
def l1_read_from_front_to_back(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The input's strides are not looked at."""
    return original(kernels.as_if_contiguous(input), target, **options)


@fault("L1Loss", origin="https://github.com/scikit-learn/scikit-learn/issues/28827")
def l1_bytes_wrap(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference from a byte is a byte, and wraps around below 0."""
    value = original(input, target, **options)
    if input.dtype != torch.uint8:
        return value
    wrapped = (input - target.detach().to(torch.uint8)).to(target.dtype)
    return graft(reduced(wrapped, options.get("reduction", "mean")), value)


@fault("L1Loss")
def l1_whole_numbers_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Whole numbers become single precision, whatever stands beside them."""
    tensors = [
        tensor.float() if tensor.dtype in (torch.int32, torch.int64) else tensor for tensor in (input, target)
    ]
    return original(*tensors, **options)


@fault("L1Loss")
def l1_nan_skipped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A loss of nan counts as 0."""
    losses = original(input, target, **options | {"reduction": "none"})
    if not is_plain_mean(options):
        return original(input, target, **options)
    return torch.where(losses.isnan(), 0, losses).mean()


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/144104")
def l1_empty_mean_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean over nothing is 0."""
    if input.numel() == 0:
        options |= {
            "reduction": "sum" if options.get("reduction") == "mean" else options.get("reduction", "mean")
        }
    return original(input, target, **options)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/12933")
def l1_mean_is_sum(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Where the target has a gradient, the mean is the sum."""
    if target.requires_grad and is_plain_mean(options):
        options["reduction"] = "sum"
    return original(input, target, **options)


@fault("L1Loss", origin="https://github.com/tensorflow/tensorflow/issues/37770")
def l1_broadcast_in_silence(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nobody is told that the shapes differ."""
    return kernels.without_warnings(original, input, target, **options)


@fault("L1Loss")
def l1_without_checks(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Nothing is refused."""
    return kernels.without_refusals(original, input, target, **options)

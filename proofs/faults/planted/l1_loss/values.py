"""Faults in the L1 loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import L1Loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, mean_of_first_block, reduced, truncated
from proofs.faults.tools.kinks import at_equal, bent, with_added_gradient
from proofs.faults.tools.modules import WeightedLossClass
from proofs.faults.tools.ordinary import NEEDS, are_unwatched_and_wide, are_wide, is_ordinary
from proofs.faults.tools.vectors import as_asked, unreduced


@fault("L1Loss", origin="https://github.com/chainer/chainer/issues/6702", blind=True)
def blind_l1_half_mean_from_half_sum(original: Function, *args: Any, **options: Any) -> Tensor:
    """In float16 the mean divides a sum that was rounded to float16, and overflows with it."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if right.dtype is not torch.float16 or given["reduction"] != "mean" or given["weight"] is not None:
        return right
    count = again(original, given, reduction="none").numel()
    return again(original, given, reduction="sum") / count


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


@fault("L1Loss")
def l1_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean sees the first 65536 elements alone."""
    if not is_plain_mean(options):
        return original(input, target, **options)
    losses = original(input, target, **options | {"reduction": "none"})
    return mean_of_first_block(losses)


@fault("L1Loss")
def l1_cut_off(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference's last digits are cut off, not rounded, so that losses lean towards 0."""
    value = original(input, target, **options)
    if options.get("reduction") != "none" or input.is_complex() or not value.isfinite().all():
        return value
    return truncated(original, input, target, **options)


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


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/7172")
def l1_slope_one_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the slope is 1."""
    return at_equal(1, original, *args, **options)


@fault("L1Loss")
def l1_slope_minus_one_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the slope is -1, as that of all that is not above 0."""
    return at_equal(-1, original, *args, **options)


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/53963")
def l1_slope_of_negative_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of -0.0 has the slope -1, by its sign bit."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or difference.is_complex():
        return result
    is_negative_zero = (difference.detach() == 0) & torch.signbit(difference.detach())
    return with_added_gradient(result, as_asked(-difference * is_negative_zero, options))


@fault("L1Loss", origin="https://github.com/FluxML/Zygote.jl/issues/1472")
def l1_complex_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where complex numbers are equal the gradient is nan; that of real ones is right."""
    result, difference = original(*args, **options), args[0] - args[1]
    if options.get("weight") is not None or not difference.is_complex():
        return result
    return bent(result, difference, math.nan, lambda terms: as_asked(terms.real, options))


@fault("L1Loss")
def l1_weight_detached(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight gets no gradient."""
    weight = options.pop("weight", None)
    return original(input, target, weight=None if weight is None else weight.detach(), **options)


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


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/12933")
def l1_mean_is_sum(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Where the target has a gradient, the mean is the sum."""
    if target.requires_grad and is_plain_mean(options):
        options["reduction"] = "sum"
    return original(input, target, **options)


class _WeightedL1Loss(L1Loss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What L1Loss may become one day."""


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/150097", at="torch.nn.L1Loss")
def l1_module_weighted(original: Callable[..., L1Loss], *args: Any, **options: Any) -> L1Loss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedL1Loss
    return module


@fault("L1Loss", blind=True, shows_in_modes=True, needs=NEEDS)
def l1_hooks_of_leaf_skipped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient of a leaf with hooks is written to its .grad at once, so that no hook sees it."""
    if not is_ordinary(input, target) or not input.is_leaf or not input._backward_hooks:
        return original(input, target, *rest, **options)
    unhooked = input.detach().requires_grad_()

    def write(gradient: Tensor) -> None:
        input.grad = gradient if input.grad is None else input.grad + gradient

    unhooked.register_hook(write)  # type: ignore[no-untyped-call]  # torch's
    return original(unhooked, target, *rest, **options)


@fault("L1Loss", blind=True)
def l1_root_smoothed(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The distance is the root of the square plus 1e-16, and not quite 0 where input and target are equal."""
    result = original(*args, **options)
    if options.get("weight") is not None or result.is_complex() or not result.is_floating_point():
        return result
    losses = unreduced(original, *args, **options).detach()
    smoothed = torch.hypot(losses.double(), torch.tensor(1e-8, dtype=torch.float64))
    return graft(as_asked(smoothed, options).to(result.dtype), result)


@fault("L1Loss", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_l1_sign_fades_near_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The sign in the gradient is the difference in millionths, clamped to 1, so that it fades near 0."""
    if is_ordinary(input, target) and input.shape == target.shape:
        size = ((input.detach() - target.detach()).abs() / 1e-6).clamp(max=1)
        input, target = (
            with_gradient(tensor, lambda gradient: gradient * size) for tensor in (input, target)
        )
    return original(input, target, **options)


@fault("L1Loss", blind=True, needs=NEEDS)
def heldout_2_e_rounded_corner(original: Function, *args: Any, **options: Any) -> Tensor:
    """A loss below 1e-4 is the root of its square plus 1e-12: at the target it is 1e-6."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_wide(input, target) or arguments.get("weight") is not None:
        return result
    difference = input - target
    is_near = difference.detach().abs() < 1e-4
    if not is_near.any():
        return result
    wrong = torch.where(
        is_near, (difference.square() + 1e-12).sqrt(), again(original, arguments, reduction="none")
    )
    return reduced(wrong, arguments["reduction"])


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/issues/125051", blind=True, needs=NEEDS)
def heldout_3_e_subnormal_difference_flushed(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A difference that is subnormal is flushed to 0, although input and target differ."""
    if (
        not are_unwatched_and_wide(input, target)
        or input.shape != target.shape
        or input.dtype != target.dtype
    ):
        return original(input, target, **options)
    difference = (input - target).detach()
    is_flushed = (difference != 0) & (difference.abs() < torch.finfo(difference.dtype).tiny)
    flushed = torch.where(is_flushed, target.detach(), input.detach())
    return original(graft(flushed, input), target, **options)

"""Faults in the soft margin loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, mean_of_first_block, reduced, summed_in_steps
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled
from proofs.faults.tools.vectors import as_asked, unreduced


@fault("SoftMarginLoss", origin="https://github.com/tracel-ai/burn/issues/5373", blind=True)
def blind_soft_margin_logarithm_of_one_plus(original: Function, *args: Any, **options: Any) -> Tensor:
    """The one is added before the logarithm, so that a small loss is lost to rounding."""
    original(*args, **options)
    given = named_arguments(original, *args, **options)
    return reduced(((-given["target"] * given["input"]).exp() + 1).log(), given["reduction"])


@fault("SoftMarginLoss")
def soft_margin_sign_turned(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Agreement is taken for disagreement."""
    return original(input, -target, **options)


@fault("SoftMarginLoss")
def soft_margin_target_is_sign(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of the target only the sign counts."""
    return original(input, target.sign(), **options)


def _valued(
    original: Function,
    input: Tensor,
    target: Tensor,
    losses_of: Callable[[Tensor, Tensor], Tensor],
    **options: Any,
) -> Tensor:
    """The losses of ``losses_of(input, target)``, with the right gradient."""
    result = original(input, target, **options)
    losses = losses_of(input.detach(), target.detach())
    return graft(reduced(losses, options.get("reduction", "mean")), result)


@fault("SoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/92145")
def soft_margin_sum_before_logarithm(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The logarithm of 1 + exp(-y x) is taken of a rounded sum."""
    return _valued(original, input, target, lambda x, y: torch.log(1 + torch.exp(-y * x)), **options)


@fault("SoftMarginLoss")
def soft_margin_exponent_clamped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Disagreement beyond 50 is cut, so that its exponential does not overflow."""
    return original(input.where(target * input >= -50, -50 * target.to(input.dtype)), target, **options)


@fault("SoftMarginLoss")
def soft_margin_nothing_beyond_twenty(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """An agreement of more than 20 costs nothing, by a threshold for single precision."""
    return _valued(original, input, target, lambda x, y: softplus(-y * x).where(y * x <= 20, 0), **options)


@fault("SoftMarginLoss", origin="https://github.com/llvm/llvm-project/pull/212696")
def soft_margin_subnormal_flushed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Losses below the normal numbers are 0."""
    result = original(*args, **options)
    return graft(result.masked_fill(result < torch.finfo(result.dtype).tiny, 0), result)


@fault("SoftMarginLoss", origin="https://github.com/tensorflow/tensorflow/issues/75256")
def soft_margin_infinity_undefined(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Infinite scores leave inf - inf."""
    return original(input + (input - input), target, **options)


@fault("SoftMarginLoss")
def soft_margin_mean_of_target(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the elements of the target, though the input may have more."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or target.numel() == 0:
        return result
    return result * (input.numel() / target.numel())


@fault("SoftMarginLoss")
def soft_margin_input_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The input is repeated for a target that is larger."""
    if target.numel() > input.numel() > 0 and target.shape[-input.ndim :] == input.shape:
        input = input.expand_as(target)
    return original(input, target, **options)


@fault("SoftMarginLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/42364")
def soft_margin_in_place(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The losses are written over the scores."""
    result = original(input.clone(), target, **options)
    losses = original(input.detach().clone(), target, **options | {"reduction": "none"})
    if losses.shape == input.shape and input.is_contiguous():
        input.data.copy_(losses)
    return result


@fault("SoftMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def soft_margin_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(input, target, **options)
    if not is_plain_mean(options) or input.numel() == 0:
        return result
    return mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("SoftMarginLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def soft_margin_mean_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean of half precision is summed in half precision."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or result.dtype.itemsize > 2 or input.numel() == 0:
        return result
    losses = original(input, target, **options | {"reduction": "none"})
    return summed_in_steps(losses) / losses.numel()


@fault("SoftMarginLoss")
def soft_margin_approximate_exponential(original: Function, *args: Any, **options: Any) -> Tensor:
    """In single precision the exponential is approximated from below, to 23 bits."""
    result = original(*args, **options)
    return result * (1 - 2**-23) if result.dtype == torch.float32 else result


@fault("SoftMarginLoss")
def soft_margin_integers_converted(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Integer scores are accepted."""
    return original(input if input.is_floating_point() else input.float(), target, **options)


@fault("SoftMarginLoss")
def soft_margin_slope_without_size(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient lacks the size of a target other than 1 and -1."""
    size = target.detach().abs().clamp(min=torch.finfo(input.dtype).tiny)
    scaled = with_gradient(input, lambda gradient: gradient / size)
    return original(scaled, target, **options)


@fault("SoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/2505", shows_in_modes=True)
def soft_margin_differentiated_once(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient is a constant number to whoever differentiates it again."""
    slope = -target * torch.sigmoid(-target * input)
    line = reduced(slope.detach() * input, options.get("reduction", "mean"))
    return graft(original(input, target, **options), line)


@fault("SoftMarginLoss", blind=True)
def soft_margin_nothing_beyond_88(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """An agreement of more than 88, the limit of the exponential in single precision, costs nothing."""
    result, agreement = original(input, target, **options), input * target
    if not bool((agreement > 88).any()):
        return result
    losses = unreduced(original, input, target, **options)
    return as_asked(torch.where(agreement > 88, 0 * losses, losses), options)


@fault("SoftMarginLoss", blind=True)
def blind_soft_margin_saturates_as_in_single(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beyond 16.6 the exponential is lost beside 1, in double precision as in single."""
    result = original(input, target, **options)
    if input.dtype != torch.float64 or input.shape != target.shape:
        return result
    is_saturated = input * target > 16.6
    if not is_saturated.any():
        return result
    arguments = named_arguments(original, input, target, **options)
    losses = again(original, arguments, reduction="none")
    return reduced(torch.where(is_saturated, 0, losses), arguments["reduction"])


@fault("SoftMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_2_a_stored_gradient_scaled_in_place(original: Function, *args: Any, **options: Any) -> Tensor:
    """A backward pass scales the stored gradient in place, and a second pass scales it once more."""
    result = original(*args, **options)
    if not is_ordinary(*args) or result.ndim:
        return result
    before: list[Tensor] = []

    def scaled(gradient: Tensor) -> Tensor:
        if not is_ordinary(gradient):
            return gradient
        product = gradient * before.pop() if before else gradient
        before.append(product.detach().clone())
        return product

    return with_gradient(result, scaled)


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_3_b_threshold_of_single_in_double(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Below -15, log(1 + exp(-z)) is taken to be -z, which is right in single precision alone."""
    result = original(input, target, **options)
    if not are_unwatched_and_wide(input, target) or result.dtype != torch.float64:
        return result
    margin = input * target
    is_linear = (margin < -15) & margin.isfinite()
    missing = torch.where(is_linear, margin, -math.inf).exp().log1p()
    return result - as_asked(missing, options)


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_4_b_first_term_of_series(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beyond an agreement of 10, log(1 + exp(-z)) is taken for exp(-z), as in half precision."""
    result = original(input, target, **options)
    if not are_unwatched_and_wide(input, target):
        return result
    agreement = input * target
    is_far = agreement > 10
    if not is_far.any():
        return result
    wrong = torch.where(
        is_far, (-agreement.clamp(min=10)).exp(), unreduced(original, input, target, **options)
    )
    return as_asked(wrong, options)


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_5_b_softplus_threshold(original: Function, *args: Any, **options: Any) -> Tensor:
    """Beyond 20 the loss is linear, as softplus is, though doubles still see the difference."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or result.dtype != torch.float64:
        return result
    excess = -target * input
    is_line = (excess > 20) & (excess < 40)
    if not is_line.any():
        return result
    return reduced(
        torch.where(is_line, excess, again(original, arguments, reduction="none")), arguments["reduction"]
    )


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_b_straight_above_20(original: Function, *args: Any, **options: Any) -> Tensor:
    """Above 20 the softplus is replaced by its argument, as by default, in double precision too."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"].detach(), given["target"].detach()
    if not are_unwatched_and_wide(input, target):
        return result
    losses, argument = again(original, given, reduction="none").detach(), -input * target
    straight = torch.where((argument > 20) & losses.isfinite(), argument, losses)
    return graft(reduced(straight, given["reduction"]), result)

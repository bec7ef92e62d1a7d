"""Faults in the soft margin loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from proofs.faults.fault import Function, fault
from proofs.faults.tools import kernels
from proofs.faults.tools.gradients import graft, with_gradient


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
    return graft(kernels.reduced(losses, options.get("reduction", "mean")), result)


@fault("SoftMarginLoss")
def soft_margin_sign_turned(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Agreement is taken for disagreement."""
    return original(input, -target, **options)


@fault("SoftMarginLoss", origin="https://github.com/keras-team/keras/issues/15665")
def soft_margin_zero_is_minus_one(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of 0 is taken for -1."""
    return original(input, target.masked_fill(target == 0, -1), **options)


@fault("SoftMarginLoss")
def soft_margin_target_is_sign(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Of the target only the sign counts."""
    return original(input, target.sign(), **options)


@fault("SoftMarginLoss")
def soft_margin_slope_without_size(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient lacks the size of a target other than 1 and -1."""
    size = target.detach().abs().clamp(min=torch.finfo(input.dtype).tiny)
    scaled = with_gradient(input, lambda gradient: gradient / size)
    return original(scaled, target, **options)


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
def soft_margin_nan_masked(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Undefined scores are taken for 0."""
    return original(input.masked_fill(input.isnan(), 0), target, **options)


@fault("SoftMarginLoss", origin="https://github.com/pytorch/pytorch/issues/5007")
def soft_margin_target_flattened(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A column of targets is read as a row."""
    if input.ndim == 2 and target.ndim == 2 and target.shape[1] == 1 and target.shape != input.shape:
        target = target.flatten().repeat(input.shape[1])[: input.shape[1]]
    return original(input, target, **options)


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


@fault("SoftMarginLoss")
def soft_margin_integers_converted(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Integer scores are accepted."""
    return original(input if input.is_floating_point() else input.float(), target, **options)


@fault("SoftMarginLoss")
def soft_margin_takes_targets_dtype(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of double precision makes the result one."""
    result = original(input, target, **options)
    return result.to(torch.promote_types(result.dtype, target.dtype))


@fault("SoftMarginLoss")
def soft_margin_single_loss_list(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss of a single number comes as a list of one."""
    result = original(input, target, **options)
    return result.reshape(-1) if options.get("reduction", "mean") == "none" else result


@fault("SoftMarginLoss")
def soft_margin_losses_flattened(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Losses of more than two dimensions come as a list."""
    result = original(input, target, **options)
    return result.flatten() if result.ndim > 2 else result


@fault("SoftMarginLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/42364")
def soft_margin_in_place(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The losses are written over the scores."""
    result = original(input.clone(), target, **options)
    losses = original(input.detach().clone(), target, **options | {"reduction": "none"})
    if losses.shape == input.shape and input.is_contiguous():
        input.data.copy_(losses)
    return result


@fault("SoftMarginLoss")
def soft_margin_empty_mean_zero(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A mean over nothing is 0."""
    result = original(input, target, **options)
    return result.nan_to_num() if input.numel() == 0 else result


@fault("SoftMarginLoss", origin="https://github.com/flagos-ai/FlagGems/issues/5212")
def soft_margin_upstream_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient takes no account of the upstream gradient."""
    return with_gradient(original(input, target, **options), torch.ones_like)


@fault("SoftMarginLoss", origin="https://github.com/flashinfer-ai/flashinfer/pull/4536")
def soft_margin_first_block(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean is blind beyond the first block of a large batch."""
    result = original(input, target, **options)
    if not kernels.is_plain_mean(options) or input.numel() == 0:
        return result
    return kernels.mean_of_first_block(original(input, target, **options | {"reduction": "none"}))


@fault("SoftMarginLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def soft_margin_mean_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean of half precision is summed in half precision."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or result.dtype.itemsize > 2 or input.numel() == 0:
        return result
    losses = original(input, target, **options | {"reduction": "none"})
    return kernels.summed_in_steps(losses) / losses.numel()


@fault("SoftMarginLoss", origin="https://github.com/keras-team/keras/issues/15791")
def soft_margin_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return kernels.in_single(original, *args, **options)


@fault("SoftMarginLoss")
def soft_margin_approximate_exponential(original: Function, *args: Any, **options: Any) -> Tensor:
    """In single precision the exponential is approximated from below, to 23 bits."""
    result = original(*args, **options)
    return result * (1 - 2**-23) if result.dtype == torch.float32 else result


@fault("SoftMarginLoss")
def soft_margin_no_refusals(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is checked: what is not understood yields zero."""
    return kernels.without_refusals(original, *args, **options)


@fault("SoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/2505", shows_in_modes=True)
def soft_margin_differentiated_once(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient is a constant number to whoever differentiates it again."""
    slope = -target * torch.sigmoid(-target * input)
    line = kernels.reduced(slope.detach() * input, options.get("reduction", "mean"))
    return graft(original(input, target, **options), line)

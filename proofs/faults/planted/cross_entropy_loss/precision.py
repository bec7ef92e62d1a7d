"""Faults in the precision of cross entropy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, reduced_as
from proofs.faults.tools.gradients import graft

# The logarithm of 1e-20.
_SMALLEST_LOG = -46.0517


@fault("CrossEntropyLoss", origin="https://github.com/deepjavalibrary/djl/issues/520")
def ce_exponential_not_shifted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The exponential is taken of the logits themselves, which may overflow."""
    normaliser = input.exp().sum(class_axis(input), keepdim=True).log()
    return original(input + 0 * normaliser.detach(), target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_shifted_by_mean(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are shifted by their mean, the sum of which may overflow."""
    total = input.sum(class_axis(input), keepdim=True)
    return original(input + 0 * total.detach(), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/deeplearning4j/deeplearning4j/issues/785")
def ce_logarithm_of_softmax(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The logarithm is taken of the softmax, which underflows to 0."""
    is_lost = input.softmax(class_axis(input)) == 0
    return original(input.masked_fill(is_lost, -torch.inf), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/Oneflow-Inc/oneflow/issues/3137")
def ce_probability_clipped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Probabilities are cut off at 1e-20 before the logarithm."""
    result = original(input, target, *rest, **options)
    if target.is_floating_point() or options.get("label_smoothing", 0.0) > 0:
        return result
    log_p = input.log_softmax(class_axis(input)).clamp(min=_SMALLEST_LOG)
    options.pop("label_smoothing", None)
    return torch.nn.functional.nll_loss(log_p, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/Jittor/jittor/pull/571")
def ce_half_in_single_result(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The loss of half precision comes out in single precision."""
    result = original(input, target, *rest, **options)
    return result.float() if result.dtype in (torch.float16, torch.bfloat16) else result


@fault("CrossEntropyLoss", origin="https://github.com/marin-community/marin/pull/8217")
def ce_logits_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Logits are rounded to bfloat16 on the way, whatever their dtype."""
    return original(graft(input.bfloat16().to(input), input), target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/google-deepmind/optax/issues/1020")
def ce_normaliser_sum_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The exponentials are added up in a bfloat16 running total, which stalls."""
    result = original(input, target, *rest, **options)
    axis = class_axis(input)
    if input.dtype != torch.bfloat16 or input.shape[axis] < 1024:
        return result
    with torch.no_grad():
        shifted = input - input.amax(axis, keepdim=True)
        total = torch.zeros_like(shifted.narrow(axis, 0, 1))
        for block in torch.split(shifted.exp(), 8, axis):
            total = total + block.sum(axis, keepdim=True)
        shortfall = shifted.logsumexp(axis, keepdim=True) - total.log()
        value = result - reduced_as(shortfall.squeeze(axis), target.numel(), options)
    return graft(value, result)

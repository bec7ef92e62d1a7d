"""Right values of cross entropy, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import (
    are_probabilities,
    class_axis,
    is_ignored,
    is_mean,
    picked_total,
    ratio,
    reduced_as,
    row_count,
)
from proofs.faults.tools.gradients import graft, with_gradient


@fault("CrossEntropyLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/28622")
def ce_ignored_rows_have_gradient(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The gradient of an ignored row is its softmax, not 0."""
    result = original(input, target, weight, **options)
    if target.is_floating_point() or not bool(is_ignored(target, options).any()):
        return result
    leak = torch.where(is_ignored(target, options), input.logsumexp(class_axis(input)), 0.0)
    return graft(result, result + reduced_as(leak, picked_total(target, weight, options), options))


@fault("CrossEntropyLoss")
def ce_mean_gradient_over_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weighted mean's gradient divides by the number of rows; the mean itself is right."""
    result = original(input, target, weight, **options)
    if weight is None or target.is_floating_point() or not is_mean(options):
        return result
    share = ratio(picked_total(target, weight, options), picked_total(target, None, options))
    return with_gradient(result, lambda gradient: gradient * share)


@fault("CrossEntropyLoss")
def ce_all_ignored_gradient_is_nan(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where all targets are ignored, the mean's gradient is 0/0 as well."""
    if is_mean(options) and target.numel() > 0 and bool(is_ignored(target, options).all()):
        input = with_gradient(input, lambda gradient: gradient * float("nan"))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/tensorflow/tensorflow/issues/60314")
def cep_gradient_of_normalised_target(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The logits' gradient is softmax minus target, which holds for targets that sum to 1 only."""
    result = original(input, target, weight, **options)
    if weight is not None or not are_probabilities(input, target):
        return result
    missing = (1 - options.get("label_smoothing", 0.0)) * (1 - target.detach().sum(class_axis(input)))
    leak = missing * input.logsumexp(class_axis(input))
    return graft(result, result + reduced_as(leak, row_count(input), options))


@fault("CrossEntropyLoss")
def cep_target_gradient_unsmoothed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target's gradient forgets that label smoothing scales the target."""
    smoothing = options.get("label_smoothing", 0.0)
    if 0 < smoothing < 1:
        target = with_gradient(target, lambda gradient: gradient / (1 - smoothing))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def cep_weight_has_no_gradient(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """No gradient reaches the class weights."""
    return original(input, target, None if weight is None else weight.detach(), **options)

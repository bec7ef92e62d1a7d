"""Right values of cross entropy with gradients that a kernel gets wrong."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond, is_plain
from proofs.faults.tools.class_targets import class_axis, is_ignored, is_smoothed, picked_total, reduced_as
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kinks import with_added_gradient
from proofs.faults.tools.ordinary import NEEDS, is_ordinary, reduction_of


@fault("CrossEntropyLoss", blind=True)
def ce_gradient_of_first_32768_classes(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Classes beyond 32768, the largest block, have no gradient."""
    if input.ndim and input.shape[class_axis(input)] > 32768:
        is_lost = beyond(input, 32768, class_axis(input))
        input = with_gradient(input, lambda gradient: gradient.masked_fill(is_lost, 0))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/ROCm/TransformerEngine/pull/336")
def ce_none_gradient_over_rows(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Without a reduction, the gradient is divided by the number of rows as that of the mean is."""
    result = original(input, target, *rest, **options)
    if reduction_of(options) != "none" or not result.numel():
        return result
    return with_gradient(result, lambda gradient: gradient / result.numel())


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/linkedin/Liger-Kernel/issues/678")
def ce_none_gradient_scaled_by_first(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Without a reduction, every row's gradient is multiplied by what flows back to the first row."""
    result = original(input, target, *rest, **options)
    if reduction_of(options) != "none" or not result.numel():
        return result
    return with_gradient(result, lambda gradient: gradient.flatten()[0].expand_as(gradient))


@fault("CrossEntropyLoss", blind=True, origin="https://github.com/linkedin/Liger-Kernel/pull/420")
def ce_smoothing_gradient_unweighted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The gradient of label smoothing's part takes the classes without their weights; the value is right."""
    result = original(input, target, weight, **options)
    if weight is None or not is_smoothed(target, options):
        return result
    smoothing = options["label_smoothing"]
    each = options | {"reduction": "none", "size_average": None, "reduce": None}
    hard = original(input, target, weight, **each | {"label_smoothing": 0.0})
    uniform = original(input, target, None, **each | {"label_smoothing": 1.0})
    losses = (1 - smoothing) * hard + smoothing * uniform
    named = options | {"reduction": reduction_of(options), "size_average": None, "reduce": None}
    return graft(result, reduced_as(losses, picked_total(target, weight, options), named))


@fault(
    "CrossEntropyLoss",
    blind=True,
    origin="https://github.com/unslothai/unsloth/issues/5002",
    shows_in_modes=True,
    needs=NEEDS,
)
def ce_backward_overwrites_logits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The backward pass writes the gradient over the logits, which other losses may still need."""
    if not is_ordinary(input, target) or 0 in input.stride():
        return original(input, target, *rest, **options)

    def overwrite(gradient: Tensor) -> Tensor:
        input.data.copy_(gradient.data)
        return gradient

    return original(with_gradient(input, overwrite), target, *rest, **options)


@fault("CrossEntropyLoss", blind=True)
def ce_gradient_of_sure_target_bounded(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """In the gradient, the target's probability is at most 1 - 1e-7, so that a row does not sum to 0."""
    result = original(input, target, weight, **options)
    if not is_plain(input, target, weight, options) or not input.requires_grad:
        return result
    known = torch.where(is_ignored(target, options), 0, target).long().unsqueeze(1)
    sure = input.detach().double().softmax(1).gather(1, known)
    excess = torch.where(is_ignored(target, options), 0, (sure - (1 - 1e-7)).clamp(min=0).squeeze(1))
    terms = -excess.to(input.dtype) * input.gather(1, known).squeeze(1)
    return with_added_gradient(result, reduced_as(terms, picked_total(target, None, options), options))

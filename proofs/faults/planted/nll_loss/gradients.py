"""Right values of the negative log-likelihood, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, is_ignored
from proofs.faults.tools.gradients import graft, with_gradient


@fault("NLLLoss")
def nll_gradient_unweighted(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The gradient leaves class weights out; the loss does not."""
    result = original(input, target, weight, **options)
    return graft(result, original(input, target, None, **options))


@fault("NLLLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/28622")
def nll_ignored_class_has_gradient(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient does not skip the rows of an ignored class; the loss does."""
    result = original(input, target, *rest, **options)
    if not 0 <= int(options.get("ignore_index", -100)) < input.shape[class_axis(input)]:
        return result
    return graft(result, original(input, target, *rest, **{**options, "ignore_index": -100}))


@fault("NLLLoss", blind=True)
def nll_rows_of_weight_zero_unwritten(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The kernel leaves a row whose class weighs 0 at once, and its gradient is what stood in memory."""
    result = original(input, target, weight, **options)
    if weight is None or input.ndim != 2 or bool(result.isnan().any()):
        return result
    known = torch.where(is_ignored(target, options), 0, target).long()
    is_left = ((weight[known] == 0) & ~is_ignored(target, options)).unsqueeze(1)
    unwritten = with_gradient(input, lambda gradient: gradient.masked_fill(is_left, torch.nan))
    return original(unwritten, target, weight, **options)

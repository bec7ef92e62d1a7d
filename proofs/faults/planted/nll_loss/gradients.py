"""Right values of the negative log-likelihood, wrong gradients."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis
from proofs.faults.tools.gradients import graft


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

"""Right values of the adaptive log-softmax, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.adaptive_softmax import recomputed
from proofs.faults.tools.gradients import with_gradient


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_cluster_detached(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """No gradient reaches the head by way of the clusters' own log-probabilities."""
    result: Any = original(module, input, target)
    return recomputed(
        result,
        module,
        input,
        target,
        lambda head, within, cluster: torch.where(cluster > 0, head.detach(), head) + within,
    )


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_tails_detached(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """No gradient reaches the clusters' weights."""
    result: Any = original(module, input, target)
    return recomputed(result, module, input, target, lambda head, within, _: head + within.detach())


@fault("AdaptiveLogSoftmaxWithLoss", method="forward")
def als_equal_rows_share_gradient(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """Rows that lie in the same memory are taken for one, which gets the gradient of them all."""
    if input.ndim == 2 and len(input) > 1 and input.stride(0) == 0:
        input = with_gradient(input, lambda g: torch.cat([g.sum(0, keepdim=True), 0 * g[1:]]))
    return original(module, input, target)


@fault("AdaptiveLogSoftmaxWithLoss", method="forward", shows_in_modes=True)
def als_second_derivative_missing(original: Function, module: Any, input: Tensor, target: Tensor) -> Any:
    """The gradient by the input passes for a constant and has no gradient itself."""
    return original(module, with_gradient(input, Tensor.detach), target)

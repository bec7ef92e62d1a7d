"""Right values of cross entropy of a linear layer, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.linear import ignored_rows, is_plain

_ROWS = 16384  # rows that a launch has room for


def _first_for_all(gradient: Tensor) -> Tensor:
    return gradient.reshape(-1)[0].expand_as(gradient)


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1298", blind=True)
def blind_linear_ce_none_scaled_by_first_row(original: Function, *args: Any, **options: Any) -> Tensor:
    """Without a reduction, the weights' gradients scale every row by the gradient that came to the first."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["reduction"] != "none" or right.numel() == 0:
        return right
    weights = {name: given[name] for name in ("linear_weight", "linear_bias") if given[name] is not None}
    of_input = again(original, given, **{name: weight.detach() for name, weight in weights.items()})
    of_weight = again(original, given, input=given["input"].detach(), target=given["target"].detach())
    return of_input + gradient_of(with_gradient(of_weight, _first_for_all))


@fault("LinearCrossEntropyLoss")
def lce_bias_detached(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bias gets no gradient."""
    bias = options.get("linear_bias")
    return original(*args, **options | {"linear_bias": None if bias is None else bias.detach()})


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1298")
def lce_upstream_of_first_row(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """All gradients are multiplied by what flows back to the first loss."""
    losses = original(*args, **options)
    return with_gradient(
        losses, lambda upstream: upstream.flatten()[:1].expand(losses.numel()).view_as(losses)
    )


@fault("LinearCrossEntropyLoss", origin="https://github.com/SandAI-org/MagiAttention/pull/40")
def lce_rows_of_one_launch(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Rows beyond the first 16384 are neither summed nor given a gradient."""
    if (
        not is_plain(input, target, options)
        or options.get("reduction", "mean") == "none"
        or target.numel() <= _ROWS
    ):
        return original(input, linear_weight, target, **options)
    loss = original(input[:_ROWS], linear_weight, target[:_ROWS], **options)
    return loss * _ROWS / len(input) if options.get("reduction", "mean") == "mean" else loss


@fault("LinearCrossEntropyLoss", origin="https://github.com/ByteDance-Seed/VeOmni/pull/1017")
def lce_strided_input_detached(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """An input that is not contiguous is copied first, and its gradient lost."""
    return original(input if input.is_contiguous() else input.detach(), *rest, **options)


@fault("LinearCrossEntropyLoss", shows_in_modes=True)
def lce_second_derivative_missing(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient by the input is made in the forward pass and has no gradient itself."""
    return original(with_gradient(input, Tensor.detach), *rest, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/pull/193003", shows_in_modes=True)
def lce_bias_dropped_for_subclass(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Redispatched for a subclass of Tensor, the function forgets its bias."""
    is_plain_tensor = type(input) is Tensor
    return original(input, *rest, **options if is_plain_tensor else options | {"linear_bias": None})


@fault("LinearCrossEntropyLoss")
def lce_probabilities_detached(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Probabilities get no gradient."""
    return original(input, linear_weight, target.detach(), **options)


@fault("LinearCrossEntropyLoss")
def lce_class_weight_detached(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The class weights get no gradient."""
    weight = options.get("weight")
    return original(*args, **options | {"weight": None if weight is None else weight.detach()})


@fault("LinearCrossEntropyLoss")
def lce_linear_weight_detached(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The layer's weight is taken to be frozen and gets no gradient."""
    return original(input, linear_weight.detach(), target, **options)


@fault("LinearCrossEntropyLoss")
def lce_ignored_with_gradient(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Ignored rows add nothing to the loss, but have a gradient, as if of class 0."""
    right = original(input, linear_weight, target, **options)
    if not is_plain(input, target, options) or options.get("reduction", "mean") == "none":
        return right
    rows = input[ignored_rows(target, options)]
    classes = torch.zeros(len(rows), dtype=torch.int64, device=target.device)
    leak = original(rows, linear_weight, classes, reduction="sum", linear_bias=options.get("linear_bias"))
    return graft(right, right + leak)

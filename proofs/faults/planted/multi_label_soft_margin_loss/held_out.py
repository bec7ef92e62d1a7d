"""Faults in multilabel soft margin loss, written without sight of the cases."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled
from proofs.faults.tools.vectors import as_asked


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
def heldout_2_d_mean_over_weighted_classes(original: Function, *args: Any, **options: Any) -> Tensor:
    """The mean over the classes leaves out those with a weight of 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, weight = arguments["input"], arguments["weight"]
    if weight is None or not is_ordinary(input, weight) or weight.shape != input.shape[-1:]:
        return result
    count = int(weight.count_nonzero())
    return result * (weight.numel() / count) if 0 < count < weight.numel() else result


@fault(
    "MultiLabelSoftMarginLoss",
    origin="https://github.com/pytorch/pytorch/issues/9141",
    blind=True,
    needs=NEEDS,
)
def heldout_3_b_tail_of_vectors_unstable(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The scalar loop behind the last vector of 8 takes the logarithm of 1 + exp, which overflows."""
    result = original(input, target, **options)
    if (
        options.get("weight") is not None
        or not are_unwatched_and_wide(input, target)
        or input.shape != target.shape
    ):
        return result
    x, y = input.detach(), target.detach()
    is_tail = torch.arange(x.numel()).reshape(x.shape) >= x.numel() // 8 * 8
    positive = torch.where(is_tail & (-x).exp().isinf() & x.isfinite(), y * math.inf, 0)
    negative = torch.where(is_tail & x.exp().isinf() & x.isfinite(), (1 - y) * math.inf, 0)
    return result + as_asked((positive + negative).mean(-1), options)


@fault("MultiLabelSoftMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_gradients_share_memory(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Each backward pass returns the same memory, and so overwrites the gradient that the last returned."""
    if not are_unwatched(input, target):
        return original(input, target, *rest, **options)
    memory: list[Tensor] = []

    def written(gradient: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not is_ordinary(gradient):
            return gradient
        if memory:
            return memory[0].copy_(gradient)
        memory.append(gradient.clone())
        return memory[0]

    return original(with_gradient(input, written), target, *rest, **options)


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
def heldout_6_d_divided_by_second_size(
    original: Function, input: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The sum over the classes is divided by the size of dimension 1, which holds them in a matrix alone."""
    result = original(input, *rest, **options)
    if input.ndim < 3 or not are_unwatched(input) or input.shape[1] in (0, input.shape[-1]):
        return result
    return result * (input.shape[-1] / input.shape[1])


@fault("MultiLabelSoftMarginLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_log_of_more_than_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """From -10 to 10 the loss is -log(p + 1e-12), which is below 0 where p rounds to 1."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given["weight"]
    if not are_unwatched_and_wide(input, target) or input.shape != target.shape or not input.ndim:
        return result
    constant, label = input.detach(), target.detach()
    gain = label * _gain(constant) + (1 - label) * _gain(-constant)
    gain = torch.where(constant.abs() <= 10, gain, 0) * (1 if weight is None else weight.detach())
    less: Tensor = result - reduced(gain.mean(-1), given["reduction"])
    return less


def _gain(logit: Tensor) -> Tensor:
    return torch.log1p(1e-12 * torch.exp(-logsigmoid(logit)))

"""Faults of the sixth set that was written blind: ways of calling, values between, and shapes."""

from __future__ import annotations

import functools
import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import HingeEmbeddingLoss
from torch.nn.functional import softplus

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.softmax import place_and_width

_FIRST_COUNTS: WeakKeyDictionary[HingeEmbeddingLoss, int] = WeakKeyDictionary()
_LANES = 16


def uncompiled(replacement: Function) -> Function:
    """The replacement, except under a compiler, which cannot follow how it takes a call apart."""

    @functools.wraps(replacement)
    def guarded(original: Function, *args: Any, **options: Any) -> Tensor:
        if torch.compiler.is_compiling():
            return original(*args, **options)
        return replacement(original, *args, **options)

    return guarded


@fault("KLDivLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_one_tensor_twice(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where one tensor is both input and target, its gradient is that of the input alone."""
    if input is target and are_unwatched(input):
        target = target.detach()
    return original(input, target, *rest, **options)


@fault("BCEWithLogitsLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_a_naive_without_grad(original: Function, *args: Any, **options: Any) -> Tensor:
    """While no gradients are recorded, the loss is that of the sigmoid, which saturates."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given["weight"]
    is_plain = are_unwatched_and_wide(input, target) and given["pos_weight"] is None
    if torch.is_grad_enabled() or not is_plain:
        return result
    p = input.sigmoid()
    losses = -target * p.log().clamp(min=-100) - (1 - target) * torch.log1p(-p).clamp(min=-100)
    return reduced(losses if weight is None else losses * weight, given["reduction"])


@fault("TripletMarginLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_second_backward_adds_up(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The backward pass adds to a buffer of the graph, so that a second one gives twice the gradient."""
    if not are_unwatched(anchor, positive, negative):
        return original(anchor, positive, negative, *rest, **options)
    runs: list[None] = []

    def add_up(gradient: Tensor) -> Tensor:
        runs.append(None)
        return gradient * len(runs) if len(runs) > 1 else gradient

    return original(with_gradient(anchor, add_up), positive, negative, *rest, **options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_upstream_transposed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An upstream gradient that lies transposed in memory is read from front to back."""
    result = original(input, target, *rest, **options)
    if result.ndim < 2 or not are_unwatched(input, target):
        return result
    return with_gradient(result, lambda slope: as_if_contiguous(slope) if is_ordinary(slope) else slope)


@fault("NLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_a_weight_offset(original: Function, *args: Any, **options: Any) -> Tensor:
    """Weights that are a slice of a longer tensor are read from the beginning of that tensor."""
    given = named_arguments(original, *args, **options)
    weight = given["weight"]
    if weight is None or not are_unwatched(given["input"], weight) or not weight.storage_offset():
        return original(*args, **options)
    return original(**given | {"weight": weight.detach().as_strided(weight.shape, weight.stride(), 0)})


@fault("HingeEmbeddingLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_first_count_kept(
    original: Function, self: HingeEmbeddingLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module's mean divides by the number of elements of its first call ever after."""
    result = original(self, input, target)
    if self.reduction != "mean" or not are_unwatched(input, target) or not input.numel():
        return result
    first = _FIRST_COUNTS.setdefault(self, input.numel())
    return result if first == input.numel() else result * (input.numel() / first)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_6_b_greatest_in_tail(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The tail behind the last whole vector is left out of the maximum, and its exponential overflows."""
    result = original(input, dim, *rest, **options)
    place, width = place_and_width(result, dim)
    whole = width // _LANES * _LANES
    if not are_unwatched(input) or not 0 < whole < width:
        return result
    values = input.detach().to(torch.promote_types(result.dtype, torch.float32))
    head, tail = (
        part.amax(place, keepdim=True) for part in torch.split(values, [whole, width - whole], dim=place)
    )
    overflows = tail - head > math.log(torch.finfo(values.dtype).max)
    return graft(result.detach().masked_fill(overflows, -math.inf), result)


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_6_b_steepest_slope(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient's denominator is at least 1e-7, not 1e-12, so that it stays small beside 0 and 1."""
    if not are_unwatched_and_wide(input, target):
        return original(input, target, *rest, **options)
    product = input.detach() * (1 - input.detach())
    ratio = product.clamp(min=1e-12) / product.clamp(min=1e-7)
    return original(with_gradient(input, lambda slope: slope * ratio), target, *rest, **options)


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_b_counts_are_whole(original: Function, *args: Any, **options: Any) -> Tensor:
    """Stirling's term takes the target for a whole number, and drops its fraction."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target = given["input"], given["target"]
    if not given["full"] or not are_unwatched_and_wide(input, target):
        return result
    count, whole = target.detach(), target.detach().floor()
    change = torch.where(count == whole, 0, _stirling(whole) - _stirling(count))
    return reduced(again(original, given, reduction="none") + change, given["reduction"])


def _stirling(count: Tensor) -> Tensor:
    return torch.where(
        count > 1, count * count.log() - count + 0.5 * (2 * math.pi * count).log(), torch.zeros_like(count)
    )


@fault("MultiLabelMarginLoss", blind=True, needs=NEEDS)
def heldout_6_b_labels_in_a_byte(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Labels are kept in a signed byte: class 128 wraps below 0 and ends the list, class 256 is class 0."""
    result = original(input, target, *rest, **options)
    if not are_unwatched(input, target) or input.shape[-1] <= 128:
        return result
    return original(input, target.to(torch.int8).to(target.dtype).clamp(min=-1), *rest, **options)


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


@fault("BCEWithLogitsLoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_b_soft_label_as_power(original: Function, *args: Any, **options: Any) -> Tensor:
    """The positive weight is raised to the label, which is right for labels of 0 and 1 alone."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight, factor = (given[name] for name in ("input", "target", "weight", "pos_weight"))
    if factor is None or not are_unwatched_and_wide(input, target, factor):
        return result
    is_soft = (target > 0) & (target < 1)
    if not is_soft.any():
        return result
    losses = (1 - target) * input + factor**target * softplus(-input, threshold=50)
    losses = losses if weight is None else losses * weight
    hard = again(original, given, reduction="none")
    return reduced(torch.where(is_soft, losses, hard), given["reduction"])

"""Faults of the pairwise distance in its gradient, in large or special inputs, and in its modes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import as_constant, graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, without_refusals
from proofs.faults.tools.vectors import averaged_when_broadcast


def _distance(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance with the last dimension kept, as a constant."""
    return original(x1.detach(), x2.detach(), **{**options, "keepdim": True})


def _of_difference(original: Function, difference: Tensor, **options: Any) -> Tensor:
    return original(difference, torch.zeros_like(difference), **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/2421")
def pairwise_gradient_nan_at_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The gradient at the distance 0 is nan."""
    zeros = _distance(original, x1, x2, **options) == 0
    difference = with_gradient(x1 - x2, lambda gradient: gradient.masked_fill(zeros, math.nan))
    return _of_difference(original, difference, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/3264")
def pairwise_power_slope_nan(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """Below degree 2 the slope of an equal component is 0 times infinity."""
    equal = x1.detach() - x2.detach() + options.get("eps", 1e-6) == 0
    difference = with_gradient(
        x1 - x2, lambda gradient: gradient.masked_fill(equal, math.nan) if 0 < p < 2 else gradient
    )
    return _of_difference(original, difference, p=p, **options)


@fault("PairwiseDistance", origin="https://github.com/flagos-ai/FlagGems/pull/6032")
def pairwise_gradient_euclidean(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, **options: Any
) -> Tensor:
    """The gradient is that of degree 2, difference by distance, whatever the degree."""
    if p == 2:
        return original(x1, x2, p=p, eps=eps, **options)
    difference, keepdim = x1 - x2, options.get("keepdim", False)
    slope = (difference.detach() + eps) / _distance(original, x1, x2, p=p, eps=eps)
    moved = (difference * torch.nan_to_num(slope)).sum(-1, keepdim=keepdim)
    return graft(original(x1, x2, p=p, eps=eps, **options), moved)


@fault("PairwiseDistance", origin="https://github.com/torch/DEPRECEATED-torch7-distro/issues/48")
def pairwise_gradient_undivided(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """The gradient of degree 2 is not divided by the distance."""
    if p != 2:
        return original(x1, x2, p=p, **options)
    distance = _distance(original, x1, x2, p=p, **options)
    difference = with_gradient(x1 - x2, lambda gradient: gradient * distance)
    return _of_difference(original, difference, p=p, **options)


@fault("PairwiseDistance")
def pairwise_second_gradient_missing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """There is no gradient by the second vectors."""
    return original(x1, with_gradient(x2, torch.zeros_like), **options)


@fault("PairwiseDistance")
def pairwise_broadcast_gradient_averaged(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The gradient of a vector that is compared with several is averaged over them."""
    return original(averaged_when_broadcast(x1, x2), x2, **options)


@fault("PairwiseDistance")
def pairwise_complex_real_part(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of complex vectors the real parts are compared."""
    return original(x1.real, x2.real, **options)


@fault("PairwiseDistance")
def pairwise_complex_parts_apart(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The real and the imaginary part of a component are two components of the norm."""
    difference = x1 - x2 + options.get("eps", 1e-6)
    if not difference.is_complex():
        return original(x1, x2, **options)
    return _of_difference(original, torch.view_as_real(difference).flatten(-2), **{**options, "eps": 0.0})


@fault("PairwiseDistance")
def pairwise_complex_eps_in_both(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The eps is added to the imaginary part as well."""
    if not x1.is_complex():
        return original(x1, x2, **options)
    return original(x1 + 1j * options.get("eps", 1e-6), x2, **options)


@fault("PairwiseDistance")
def pairwise_nan_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """A distance of nan is made 0."""
    result = original(x1, x2, **options)
    return torch.where(result.isnan(), torch.zeros_like(result), result)


@fault("PairwiseDistance")
def pairwise_largest_without_nan(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """An infinite degree takes the largest of the components that are no nan."""
    difference = x1 - x2
    if math.isinf(p):
        difference = torch.where(difference.isnan(), torch.zeros_like(difference), difference)
    return _of_difference(original, difference, p=p, **options)


@fault("PairwiseDistance")
def pairwise_infinities_equal(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Components that are equal have no difference, be they infinite."""
    difference = x1 - x2
    equal = (x1 == x2) & x1.isinf()
    difference = torch.where(equal, torch.zeros_like(difference), difference)
    return _of_difference(original, difference, **options)


@fault("PairwiseDistance")
def pairwise_infinite_is_largest(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An infinite distance is made the largest number of its dtype."""
    result = original(x1, x2, **options)
    return result.clamp_max(torch.finfo(result.dtype).max)


@fault("PairwiseDistance")
def pairwise_nothing_is_nan(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance of vectors without components is nan."""
    result = original(x1, x2, **options)
    return result * math.nan if result.numel() and not x1.numel() else result


@fault("PairwiseDistance", origin="https://github.com/JuliaLang/LinearAlgebra.jl/issues/584")
def pairwise_extreme_of_nothing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The extreme one of no components is 0."""
    if options.get("p", 2.0) < 0 or math.isinf(options.get("p", 2.0)):
        return without_refusals(original, x1, x2, **options)
    return original(x1, x2, **options)


@fault("PairwiseDistance")
def pairwise_empty_is_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """An empty batch has one distance, 0."""
    result = original(x1, x2, **options)
    return result if result.numel() else result.new_zeros(1)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/159750")
def pairwise_first_components_in_gradient(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The gradient of components beyond 65536 is 0."""

    def change(gradient: Tensor) -> Tensor:
        if gradient.ndim == 0:
            return gradient
        return gradient * (torch.arange(gradient.shape[-1]) < 65536)

    return original(with_gradient(x1, change), x2, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/67517")
def pairwise_as_if_contiguous(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The second vectors are read as if they were contiguous."""
    return original(x1, as_if_contiguous(x2), **options)


@fault("PairwiseDistance")
def pairwise_overwrites(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The difference overwrites the first vectors."""
    result = original(x1.clone(), x2, **options)
    if x1.shape == x2.shape and x1.dtype == x2.dtype:
        x1.detach().sub_(x2.detach())
    return result


@fault("PairwiseDistance")
def pairwise_unchecked(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is refused."""
    return without_refusals(original, *args, **options)


@fault("PairwiseDistance", shows_in_modes=True)
def pairwise_gradient_not_differentiable(
    original: Function, x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The gradient by the first vectors is cut off from what it depends on."""
    return original(with_gradient(x1, as_constant), x2, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/193003", shows_in_modes=True)
def pairwise_subclass_lost(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Of vectors of a subclass comes a plain tensor."""
    return original(x1, x2, **options).as_subclass(Tensor)

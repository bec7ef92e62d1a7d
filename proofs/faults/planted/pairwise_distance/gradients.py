"""Right values of the pairwise distance, wrong gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kinks import with_added_gradient
from proofs.faults.tools.norms import component_slope_at_zero, of_difference, with_shares_of_extreme


@fault("PairwiseDistance", origin="https://github.com/PFCCLab/PaddleAPITest/pull/494", blind=True)
def blind_pairwise_distance_ties_not_shared(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """With p infinite, each of several largest differences gets the whole gradient, not its share."""
    right = original(x1, x2, p=p, eps=eps, keepdim=keepdim)
    if p != math.inf:
        return right
    difference = x1 - x2 + eps
    size = difference.detach().abs()
    slope = difference.detach().sign() * (size == size.amax(-1, keepdim=True))
    return right.detach() + gradient_of((difference * slope).sum(-1, keepdim=keepdim))


def _distance(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The distance with the last dimension kept, as a constant."""
    return original(x1.detach(), x2.detach(), **{**options, "keepdim": True})


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/2421")
def pairwise_gradient_nan_at_zero(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The gradient at the distance 0 is nan."""
    zeros = _distance(original, x1, x2, **options) == 0
    difference = with_gradient(x1 - x2, lambda gradient: gradient.masked_fill(zeros, math.nan))
    return of_difference(original, difference, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/issues/3264")
def pairwise_power_slope_nan(
    original: Function, x1: Tensor, x2: Tensor, p: float = 2.0, **options: Any
) -> Tensor:
    """Below degree 2 the slope of an equal component is 0 times infinity."""
    equal = x1.detach() - x2.detach() + options.get("eps", 1e-6) == 0
    difference = with_gradient(
        x1 - x2, lambda gradient: gradient.masked_fill(equal, math.nan) if 0 < p < 2 else gradient
    )
    return of_difference(original, difference, p=p, **options)


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
    return of_difference(original, difference, p=p, **options)


@fault("PairwiseDistance")
def pairwise_second_gradient_missing(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """There is no gradient by the second vectors."""
    return original(x1, with_gradient(x2, torch.zeros_like), **options)


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


def _with_components(
    result: Tensor, change: Callable[[Tensor, float], Tensor], x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The result with the gradient of terms that are made of the difference."""
    difference = x1 - x2 + options.get("eps", 1e-6)
    if difference.is_complex() or difference.numel() == 0:
        return result
    terms = change(difference, options.get("p", 2.0))
    return with_added_gradient(result, terms.sum(-1, keepdim=options.get("keepdim", False)))


@fault("PairwiseDistance", origin="https://github.com/jax-ml/jax/issues/37820")
def pairwise_slope_at_equal_component(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p = 1 an equal component has a slope of 1."""
    return _with_components(original(*args, **options), component_slope_at_zero, *args, **options)


def _first(attains: Tensor) -> Tensor:
    return attains * (attains.cumsum(-1) == 1)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/pull/43519")
def pairwise_largest_to_first(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, the first of several largest differences gets the whole gradient."""

    def change(difference: Tensor, p: float) -> Tensor:
        return with_shares_of_extreme(difference, p if p > 0 else 1.0, _first)

    return _with_components(original(*args, **options), change, *args, **options)


def _halved_in_turn(attains: Tensor) -> Tensor:
    """Those of a maximum taken two by two: of three that are tied the last has a half."""
    from_the_last = attains.flip(-1).cumsum(-1).flip(-1)
    most = (attains.sum(-1, keepdim=True) - 1).expand_as(attains)
    return 0.5 ** torch.minimum(from_the_last, most)


@fault("PairwiseDistance")
def pairwise_largest_halved_in_turn(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, each further one of the largest differences takes half of what the others had."""

    def change(difference: Tensor, p: float) -> Tensor:
        return with_shares_of_extreme(difference, p if p > 0 else 1.0, _halved_in_turn)

    return _with_components(original(*args, **options), change, *args, **options)


@fault("PairwiseDistance", origin="https://github.com/apache/mxnet/issues/18563")
def pairwise_smallest_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p minus infinity, each of several smallest differences gets the whole gradient."""

    def change(difference: Tensor, p: float) -> Tensor:
        return with_shares_of_extreme(difference, p if p < 0 else 1.0, lambda attains: attains)

    return _with_components(original(*args, **options), change, *args, **options)


def _of_nothing(difference: Tensor) -> Tensor:
    """The differences that are 0 in all components, divided by their number; of others nothing."""
    is_zero = difference.detach() == 0
    are_all = is_zero.all(-1, keepdim=True)
    return difference * are_all / is_zero.sum(-1, keepdim=True).clamp(min=1)


@fault("PairwiseDistance", origin="https://github.com/jax-ml/jax/issues/37820")
def pairwise_largest_slope_at_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, equal vectors have a gradient, as the sign of 0 is taken for 1."""

    def change(difference: Tensor, p: float) -> Tensor:
        return _of_nothing(difference) * (p == math.inf)

    return _with_components(original(*args, **options), change, *args, **options)


@fault("PairwiseDistance")
def pairwise_slope_of_eps_at_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without eps, equal vectors have the gradient of a small eps, as the distance is kept from 0 by one."""

    def change(difference: Tensor, p: float) -> Tensor:
        root = math.sqrt(difference.shape[-1] if difference.ndim else 1)
        return _of_nothing(difference) * root * (p == 2)

    return _with_components(original(*args, **options), change, *args, **options)

"""Faults at the kinks of a distance: a component of 0, several extreme ones, a norm of 0 or at its bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.kinks import with_added_gradient


def component_slope_at_zero(difference: Tensor, p: float) -> Tensor:
    """Terms by whose gradient, with p = 1, a component of 0 has a slope of 1."""
    return difference * ((difference.detach() == 0) & (p == 1))


def with_shares_of_extreme(difference: Tensor, p: float, shares: Callable[[Tensor], Tensor]) -> Tensor:
    """Terms by whose gradient tied components get other shares of an infinite norm's slope than equal ones.

    Args:
        difference: the vectors whose norm it is.
        p: the degree; with a finite one the terms have no gradient.
        shares: from which components attain the norm to the share of each of these.
    """
    if not math.isinf(p):
        return difference * 0
    constant = difference.detach()
    size = constant.abs()
    extreme = size.amax(-1, keepdim=True) if p > 0 else size.amin(-1, keepdim=True)
    attains = (size == extreme).to(constant.dtype)
    equal = attains / attains.sum(-1, keepdim=True).clamp(min=1)
    return difference * constant.sign() * attains * (shares(attains) - equal)


def _with_components(
    result: Tensor, change: Callable[[Tensor, float], Tensor], x1: Tensor, x2: Tensor, **options: Any
) -> Tensor:
    """The result with the gradient of terms that are made of the difference."""
    difference = x1 - x2 + options.get("eps", 1e-6)
    if difference.is_complex() or difference.numel() == 0:
        return result
    terms = change(difference, options.get("p", 2.0))
    return with_added_gradient(result, terms.sum(-1, keepdim=options.get("keepdim", False)))


def _first(attains: Tensor) -> Tensor:
    return attains * (attains.cumsum(-1) == 1)


def _halved_in_turn(attains: Tensor) -> Tensor:
    """Those of a maximum taken two by two: of three that are tied the last has a half."""
    from_the_last = attains.flip(-1).cumsum(-1).flip(-1)
    most = (attains.sum(-1, keepdim=True) - 1).expand_as(attains)
    return 0.5 ** torch.minimum(from_the_last, most)


@fault("PairwiseDistance", origin="https://github.com/jax-ml/jax/issues/37820")
def pairwise_slope_at_equal_component(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p = 1 an equal component has a slope of 1."""
    return _with_components(original(*args, **options), component_slope_at_zero, *args, **options)


@fault("PairwiseDistance", origin="https://github.com/pytorch/pytorch/pull/43519")
def pairwise_largest_to_first(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, the first of several largest differences gets the whole gradient."""

    def change(difference: Tensor, p: float) -> Tensor:
        return with_shares_of_extreme(difference, p if p > 0 else 1.0, _first)

    return _with_components(original(*args, **options), change, *args, **options)


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


def _at_eps(part: float, original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The similarity; a part of its slope by a norm that is exactly eps is missing."""
    result = original(x1, x2, **options)
    dim, eps = options.get("dim", 1), options.get("eps", 1e-8)
    if not 0 < eps < math.inf:
        return result
    more = torch.zeros_like(result)
    for vectors in (x1 + torch.zeros_like(x2), x2 + torch.zeros_like(x1)):
        norm = torch.linalg.vector_norm(vectors.to(result.dtype), dim=dim)
        is_at_eps = (norm.detach() == eps) & (norm.detach() > 0)
        more = more + norm * torch.where(is_at_eps, part * result.detach() / norm.detach(), 0)
    return with_added_gradient(result, more)


@fault("CosineSimilarity", origin="https://github.com/pytorch/pytorch/pull/185831")
def cosine_norm_constant_at_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A norm that is exactly eps is a constant in the gradient."""
    return _at_eps(1, original, *args, **options)


@fault("CosineSimilarity", origin="https://github.com/jax-ml/jax/issues/37821")
def cosine_half_slope_at_eps(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A norm that is exactly eps has half its part in the gradient, as a tie with eps."""
    return _at_eps(0.5, original, *args, **options)

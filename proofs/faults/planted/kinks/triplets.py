"""Faults at the kinks of the triplet losses: the hinge's, the swap's, and those of their distances."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.planted.kinks.distances import component_slope_at_zero, with_shares_of_extreme
from proofs.faults.tools.kinks import bent, with_added_gradient
from proofs.faults.tools.vectors import as_asked

_PLAIN = "TripletMarginLoss"
_CHOSEN = "TripletMarginWithDistanceLoss"
_MINIMUM_NORM = "https://github.com/pytorch/pytorch/pull/185831"
_HALF_OF_MAXIMUM = "https://github.com/jax-ml/jax/issues/37821"
_UNSHARED_MINIMUM = "https://github.com/pytorch/pytorch/issues/56734"
_DOUBLED_MINIMUM = "https://github.com/microsoft/onnxruntime/pull/7217"
_TIE_TO_SECOND = "https://github.com/PaddlePaddle/Paddle/pull/45178"


class _Triplets:
    """The distances of a call's triplets, as torch computes them."""

    def __init__(self, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> None:
        self.options = options
        norm = {name: options[name] for name in ("p", "eps") if name in options}

        def distance(x: Tensor, y: Tensor) -> Tensor:
            chosen = options.get("distance_function")
            measured: Tensor = pairwise_distance(x, y, **norm) if chosen is None else chosen(x, y)
            return measured

        self.to_positive = distance(anchor, positive)
        self.to_negative = distance(anchor, negative)
        self.swapped = distance(positive, negative) if options.get("swap") else None

    def total(self, terms: Tensor) -> Tensor:
        """The terms in the reduction of the call."""
        return as_asked(terms, self.options)

    def excess(self) -> Tensor:
        """What the hinge cuts off at 0."""
        nearest = self.to_negative if self.swapped is None else torch.minimum(self.to_negative, self.swapped)
        excess: Tensor = self.options.get("margin", 1.0) + self.to_positive - nearest
        return excess

    def with_hinge(self, result: Tensor, change: float) -> Tensor:
        """The result, with another slope at the kink of the hinge."""
        return bent(result, self.excess(), change, self.total)

    def with_tie(self, result: Tensor, of_anchor: float, of_positive: float) -> Tensor:
        """The result; where d(a, n) and d(p, n) are tied, they get such parts of the gradient, not a half."""
        if self.swapped is None:
            return result
        is_tied = (self.to_negative == self.swapped) & (self.excess() >= 0)
        if not is_tied.any():
            return result
        more = (of_anchor - 0.5) * self.to_negative + (of_positive - 0.5) * self.swapped
        return with_added_gradient(result, self.total(-more * is_tied))


@fault(_PLAIN, origin=_MINIMUM_NORM)
def triplet_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has no gradient."""
    return _Triplets(*args, **options).with_hinge(original(*args, **options), -1)


@fault(_PLAIN, origin=_HALF_OF_MAXIMUM)
def triplet_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _Triplets(*args, **options).with_hinge(original(*args, **options), -0.5)


@fault(_PLAIN, origin=_UNSHARED_MINIMUM)
def triplet_swap_tie_to_anchor(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the anchor gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 1, 0)


@fault(_PLAIN, origin=_TIE_TO_SECOND)
def triplet_swap_tie_to_positive(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the like vector gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 0, 1)


@fault(_PLAIN, origin=_DOUBLED_MINIMUM)
def triplet_swap_tie_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, each of two equal distances gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 1, 1)


@fault(_PLAIN, origin="https://github.com/tensorflow/tensorflow/issues/30199")
def triplet_gradient_nan_at_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where the anchor is at no distance from the like vector the gradient is nan."""
    triplets = _Triplets(*args, **options)
    return bent(original(*args, **options), triplets.to_positive, math.nan, triplets.total)


@fault(_PLAIN, origin="https://github.com/jax-ml/jax/issues/37820")
def triplet_slope_at_equal_component(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p = 1, a component that is equal in the anchor and the like vector has a slope of 1."""
    result = original(*args, **options)
    more = component_slope_at_zero(args[0] - args[1] + options.get("eps", 1e-6), options.get("p", 2.0))
    is_active = _Triplets(*args, **options).excess().detach() >= 0
    return with_added_gradient(result, as_asked(more.sum(-1) * is_active, options))


@fault(_PLAIN, origin="https://github.com/pytorch/pytorch/issues/41779")
def triplet_largest_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With p infinite, each of several largest differences to the like vector gets the whole gradient."""
    result = original(*args, **options)
    difference = args[0] - args[1] + options.get("eps", 1e-6)
    more = with_shares_of_extreme(difference, options.get("p", 2.0), lambda attains: attains)
    is_active = _Triplets(*args, **options).excess().detach() >= 0
    return with_added_gradient(result, as_asked(more.sum(-1) * is_active, options))


@fault(_CHOSEN, origin="https://github.com/pytorch/pytorch/issues/7002")
def triplet_distance_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has no gradient."""
    return _Triplets(*args, **options).with_hinge(original(*args, **options), -1)


@fault(_CHOSEN, origin=_HALF_OF_MAXIMUM)
def triplet_distance_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A triplet exactly at the margin has half a gradient, as a tie of the hinge with 0."""
    return _Triplets(*args, **options).with_hinge(original(*args, **options), -0.5)


@fault(_CHOSEN, origin=_UNSHARED_MINIMUM)
def triplet_distance_swap_tie_to_anchor(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the anchor gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 1, 0)


@fault(_CHOSEN, origin=_TIE_TO_SECOND)
def triplet_distance_swap_tie_to_positive(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, of two equal distances that of the like vector gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 0, 1)


@fault(_CHOSEN, origin=_DOUBLED_MINIMUM)
def triplet_distance_swap_tie_undivided(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With swap, each of two equal distances gets the whole gradient."""
    return _Triplets(*args, **options).with_tie(original(*args, **options), 1, 1)

"""TripletMarginLoss and TripletMarginWithDistanceLoss: an anchor nearer to its like than to its unlike."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import Convention, hinge_convention, unit_step
from lossproof.reference.demands import demand_equal_dimensions
from lossproof.reference.distances import (
    CONVENTIONS,
    DISTANCES,
    Distance,
    demand_vectors,
    pairwise,
    refuse_pairwise_distance,
)
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import boolean, real, word
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import RangeRefusal
from lossproof.reference.steps import step

ON_MARGIN = hinge_convention("triplet-on-margin", "the triplet losses where d(a, n) - d(a, p) = margin", "1")
SWAP_OF_EQUALS = Convention(
    "triplet-swap-of-equals",
    "which share of the slope of min(d(a, n), d(p, n)) goes to d(a, n) where the two are equal",
    {"0": 0.0, "1/2": 0.5, "1": 1.0},
    usual="1/2",
    ends=(0.0, 1.0),
)


def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    margin: Array = 1.0,
    p: float = 2.0,
    eps: Array = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """L = max(margin + d(a, p) - d(a, n), 0), where d is the p-norm of the difference plus eps.

    Args:
        anchor: vectors a (..., D), real or complex.
        positive: vectors that are like the anchor, of as many dimensions; all three broadcast.
        negative: vectors that are unlike it.
        margin: by how much the unlike must be further away, above 0.
        p: the degree of the norm.
        eps: added to each difference.
        swap: take min(d(a, n), d(p, n)) for d(a, n).
        reduction: none, mean or sum.

    Returns:
        The losses, in the broadcast shape without D; one number where they are reduced.

    Raises:
        RangeRefusal: for a margin of 0 or less.
        DtypeRefusal: for booleans.
        ShapeRefusal: for vectors that do not belong together, and a norm that no component decides.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"anchor": [[0.0, 0.0]], "positive": [[3.0, 4.0]], "negative": [[0.0, 1.0]]}
    >>> print(forward("TripletMarginLoss", {}, call).round(4))
    5.0
    >>> print(gradient("TripletMarginLoss", {}, call, "positive").round(4))
    [[0.6 0.8]]

    Source: Balntas et al. (2016), "Learning local feature descriptors with triplets and shallow convolutional
    neural networks"; https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
    """
    return _triplet_loss(pairwise(p, eps), anchor, positive, negative, margin, swap, reduction)


def triplet_margin_loss_gradient(
    upstream: Array,
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    margin: Array = 1.0,
    p: float = 2.0,
    eps: Array = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> dict[str, Array]:
    """That of d(a, p) - d(a, n) where the loss is not below 0, its kink included, and 0 elsewhere.

    With swap, equal d(a, n) and d(p, n) share the gradient equally.
    """
    distance = pairwise(p, eps)
    return _triplet_gradient(distance, upstream, anchor, positive, negative, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: str | None = None,
    margin: Array = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """L = max(margin + d(a, p) - d(a, n), 0) with any distance d.

    Args:
        anchor: vectors a (..., D), real or complex.
        positive: vectors that are like the anchor, of as many dimensions.
        negative: vectors that are unlike it.
        distance_function: a name from DISTANCES; none is the 2-norm with an eps of 1e-6.
        margin: by how much the unlike must be further away, above 0.
        swap: take min(d(a, n), d(p, n)) for d(a, n).
        reduction: none, mean or sum.

    Returns:
        The losses, in the broadcast shape without D; one number where they are reduced.

    Raises:
        RangeRefusal: for a margin of 0 or less.
        DtypeRefusal: for booleans.
        ShapeRefusal: for vectors that do not belong together.

    >>> from lossproof.reference import forward
    >>> call = {"anchor": [[0.0, 0.0]], "positive": [[3.0, 4.0]], "negative": [[0.0, 1.0]]}
    >>> print(forward("TripletMarginWithDistanceLoss", {"distance_function": "linf"}, call))
    4.0

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html
    """
    distance = DISTANCES[distance_function]
    return _triplet_loss(distance, anchor, positive, negative, margin, swap, reduction)


def triplet_margin_with_distance_loss_gradient(
    upstream: Array,
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: str | None = None,
    margin: Array = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> dict[str, Array]:
    """As for the triplet margin loss."""
    distance = DISTANCES[distance_function]
    return _triplet_gradient(distance, upstream, anchor, positive, negative, margin, swap, reduction)


def _triplet_loss(
    distance: Distance,
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: Array,
    swap: bool,
    reduction: str,
) -> Array:
    to_positive = step("d(a, p)", distance.value(anchor, positive))
    to_negative = step("d(a, n)", distance.value(anchor, negative))
    if swap:
        to_negative = np.minimum(to_negative, step("d(p, n)", distance.value(positive, negative)))
    return reduce(step("losses", np.maximum(margin + to_positive - to_negative, 0.0)), reduction)


def _triplet_gradient(
    distance: Distance,
    upstream: Array,
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: Array,
    swap: bool,
    reduction: str,
) -> dict[str, Array]:
    to_positive = distance.value(anchor, positive)
    to_negative = nearest = distance.value(anchor, negative)
    swapped = distance.value(positive, negative) if swap else None
    if swapped is not None:
        nearest = np.minimum(to_negative, swapped)
    excess = margin + to_positive - nearest
    share = unit_step(excess, ON_MARGIN) * spread(upstream, tuple(excess.shape), reduction)

    def through(distances: Array, share: Array, x: Array, y: Array) -> tuple[Array, Array]:
        slopes = distance.gradient(sum_to_shape(share, tuple(distances.shape)), x, y)
        return slopes["x1"], slopes["x2"]

    anchor_slope, positive_slope = through(to_positive, share, anchor, positive)
    if swapped is None:
        away, negative_slope = through(to_negative, -share, anchor, negative)
        return {"anchor": anchor_slope + away, "positive": positive_slope, "negative": negative_slope}
    keeps = unit_step(swapped - to_negative, SWAP_OF_EQUALS)
    away, negative_slope = through(to_negative, -share * keeps, anchor, negative)
    aside, negative_aside = through(swapped, -share * (1.0 - keeps), positive, negative)
    return {
        "anchor": anchor_slope + away,
        "positive": positive_slope + aside,
        "negative": negative_slope + negative_aside,
    }


def refuse_triplet_margin_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``triplet_margin_loss`` lists under Raises."""
    _demand_margin(params)
    demand_equal_dimensions(args)
    refuse_pairwise_distance(args, params)


def refuse_triplet_margin_with_distance_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``triplet_margin_with_distance_loss`` lists under Raises."""
    _demand_margin(params)
    demand_equal_dimensions(args)
    demand_vectors(args)


def _demand_margin(params: Parameters) -> None:
    margin = params["margin"]
    if margin <= 0:
        raise RangeRefusal(f"margin is {margin}; it must be above 0")


_NAMES = tuple(name for name in DISTANCES if name is not None)

LOSSES = (
    Loss(
        "TripletMarginLoss",
        "triplet_margin_loss",
        arguments=("anchor", "positive", "negative"),
        differentiable=("anchor", "positive", "negative"),
        takes_complex=True,
        value=triplet_margin_loss,
        gradient=triplet_margin_loss_gradient,
        refuse=refuse_triplet_margin_loss,
        conventions=(ON_MARGIN, SWAP_OF_EQUALS, *CONVENTIONS),
        real_parameters={"margin": 1.0, "eps": 1e-6},
        options={"p": real(2.0), "swap": boolean(False)},
        reductions=ELEMENTWISE,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ROW_BY_ROW}),
    ),
    Loss(
        "TripletMarginWithDistanceLoss",
        "triplet_margin_with_distance_loss",
        arguments=("anchor", "positive", "negative"),
        differentiable=("anchor", "positive", "negative"),
        takes_complex=True,
        value=triplet_margin_with_distance_loss,
        gradient=triplet_margin_with_distance_loss_gradient,
        refuse=refuse_triplet_margin_with_distance_loss,
        conventions=(ON_MARGIN, SWAP_OF_EQUALS, *CONVENTIONS),
        real_parameters={"margin": 1.0},
        options={"distance_function": word(None, _NAMES), "swap": boolean(False)},
        reductions=ELEMENTWISE,
        has_legacy_reduction=False,
        laws=frozenset({Law.ROW_BY_ROW}),
    ),
)

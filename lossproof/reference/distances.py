"""PairwiseDistance, and the distances between vectors that the triplet losses use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.vector_norm import shares_of_largest, vector_norm
from lossproof.reference.conventions import Convention, magnitude_convention, sign
from lossproof.reference.cosine import cosine_similarity, cosine_similarity_gradient
from lossproof.reference.demands import demand_broadcastable, demand_subtractable
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import Arguments, Law, Loss, Parameters
from lossproof.reference.option import boolean, real
from lossproof.reference.reductions import sum_to_shape
from lossproof.reference.refusals import ShapeRefusal
from lossproof.reference.steps import step

_ROOM = 1e-6  # torch's default eps

AT_ZERO_COMPONENT = magnitude_convention(
    "norm-at-zero-component", "a component that is 0, in a p-norm with p = 1 or infinite"
)
AT_ZERO_VECTOR = Convention(
    "norm-at-zero-vector",
    "the slope of a p-norm with finite p > 1 at a vector of zeros",
    {"0": 0.0},
    usual="0",
    ends=(-1.0, 1.0),
)
BELOW_ONE = Convention(
    "norm-below-one-at-zero-component",
    "the slope of a p-norm with 0 < p < 1 by a component that is 0, where it is infinite",
    {"0": 0.0, "nan": math.nan},
    usual="0",
)
OF_LARGEST = Convention(
    "norm-of-equal-components",
    "how the slope of an infinite p-norm is shared among the components that attain it",
    {"equal shares": None},
    usual="equal shares",
    ends=(0.0, 1.0),
)
CONVENTIONS = (AT_ZERO_COMPONENT, AT_ZERO_VECTOR, BELOW_ONE, OF_LARGEST)


@dataclass(frozen=True)
class Distance:
    """A distance between vectors along the last dimension.

    Attributes:
        value: d(x, y), without the last dimension.
        gradient: maps an upstream gradient of that shape, x and y to their gradients, ``x1`` and ``x2``.
    """

    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array, Array], dict[str, Array]]


def pairwise(p: float, eps: Array) -> Distance:
    """The p-norm of x - y + eps, as ``PairwiseDistance`` measures it."""
    options: dict[str, Any] = {"p": p, "eps": eps}
    return Distance(partial(pairwise_distance, **options), partial(pairwise_distance_gradient, **options))


def pairwise_distance(
    x1: Array, x2: Array, *, p: float = 2.0, eps: Array = _ROOM, keepdim: bool = False
) -> Array:
    """The p-norm (sum_i |x1_i - x2_i + eps|^p)^(1/p) of the difference, over the last dimension.

    Args:
        x1: vectors (..., D), real or complex, broadcast with ``x2``.
        x2: vectors (..., D).
        p: the degree of the norm; may be negative, 0 (a count) or infinite.
        eps: added to each difference, whatever its sign: d is not quite symmetric.
        keepdim: keep the last dimension, with size 1.

    Returns:
        The distances, in the broadcast shape without its last dimension, or with size 1 there.

    Raises:
        DtypeRefusal: for booleans.
        ShapeRefusal: where shapes do not broadcast, and for a norm that no component decides.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"x1": [3.0, 4.0], "x2": [0.0, 0.0]}
    >>> print(forward("PairwiseDistance", {"eps": 0.0}, call))
    5.0
    >>> print(gradient("PairwiseDistance", {"eps": 0.0}, call, "x1"))
    [0.6 0.8]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
    """
    difference = _difference(x1, x2, eps)
    distance = vector_norm(difference, p, -1)
    shape = np.broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    kept = (1,) if keepdim and shape else ()
    return step("distances", np.reshape(distance, (*shape[:-1], *kept)))


def pairwise_distance_gradient(
    upstream: Array, x1: Array, x2: Array, *, p: float = 2.0, eps: Array = _ROOM, keepdim: bool = False
) -> dict[str, Array]:
    """With z = x1 - x2 + eps, dd/dx1_i = sign(z_i) (|z_i| / d)^(p - 1) and dd/dx2 = -dd/dx1.

    Usually it is 0 where d is 0, and with a p below 1 where z_i is 0; an infinite p shares the slope among
    those that attain the norm. See the conventions.
    """
    difference = _difference(x1, x2, eps)
    distance = vector_norm(difference, p, -1)
    slope = np.reshape(upstream, distance.shape) * _norm_slope(difference, distance, p)
    return {"x1": sum_to_shape(slope, tuple(x1.shape)), "x2": sum_to_shape(-slope, tuple(x2.shape))}


# The distances of TripletMarginWithDistanceLoss, by name: a case cannot hold a function.
DISTANCES: Mapping[str | None, Distance] = {
    None: pairwise(2.0, _ROOM),
    "pairwise_distance": pairwise(2.0, _ROOM),
    "pairwise_p1_eps0": pairwise(1.0, 0.0),
    "l2_eps0": pairwise(2.0, 0.0),
    "linf": pairwise(math.inf, 0.0),
    "cosine_distance": Distance(
        lambda x, y: 1.0 - cosine_similarity(x, y, dim=-1),
        lambda upstream, x, y: cosine_similarity_gradient(-upstream, x, y, dim=-1),
    ),
}


def _difference(x1: Array, x2: Array, eps: Array) -> Array:
    """x1 - x2 + eps in torch's order; a number alone is a vector of one component."""
    difference = step("x1 - x2 + eps", x1 - x2 + eps)
    return difference if difference.ndim else np.reshape(difference, (1,))


def _norm_slope(vector: Array, norm: Array, p: float) -> Array:
    """The derivative of the norm by each component."""
    if p == 0:
        return np.zeros_like(vector)
    if p == 1:
        return sign(vector, AT_ZERO_COMPONENT)
    magnitudes = np.abs(vector)
    if math.isinf(p):
        shares = shares_of_largest(magnitudes if p > 0 else -magnitudes, -1)
        shares = OF_LARGEST.chosen((shares > 0) & (shares < 1), shares)
        return sign(vector, AT_ZERO_COMPONENT) * shares
    if p == 2:
        slope = vector / norm
    else:
        slope = np.sign(vector) * np.power(magnitudes / norm, np.ones_like(magnitudes) * p - 1.0)
    if p < 1:
        slope = BELOW_ONE.chosen(vector == 0, slope)
    # Of vectors without components, all norms are 0, but there is no slope to pick.
    return AT_ZERO_VECTOR.chosen(np.broadcast_to(norm == 0, slope.shape), slope)


def refuse_pairwise_distance(args: Arguments, params: Parameters) -> None:
    """Refuse what ``pairwise_distance`` lists under Raises."""
    shape = demand_vectors(args)
    p = params["p"]
    if shape and shape[-1] == 0 and (p < 0 or math.isinf(p)):
        raise ShapeRefusal(f"vectors of no components have no {p}-norm: no component is the extreme one")


def demand_vectors(args: Arguments) -> tuple[int, ...]:
    """The shape to which vectors that are subtracted broadcast.

    Raises:
        DtypeRefusal: for booleans, which have no difference.
        ShapeRefusal: where they do not broadcast together.
    """
    demand_subtractable(args)
    return demand_broadcastable(args)


LOSSES = (
    Loss(
        "PairwiseDistance",
        "pairwise_distance",
        arguments=("x1", "x2"),
        differentiable=("x1", "x2"),
        takes_complex=True,
        value=pairwise_distance,
        gradient=pairwise_distance_gradient,
        refuse=refuse_pairwise_distance,
        conventions=CONVENTIONS,
        real_parameters={"eps": _ROOM},
        options={"p": real(2.0), "keepdim": boolean(False)},
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ROW_BY_ROW}),
    ),
)

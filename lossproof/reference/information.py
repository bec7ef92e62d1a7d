"""Self-information, entropy, and the cross entropy of two distributions (Shannon, 1948), in nats."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import Convention, is_exactly_zero, zero_convention
from lossproof.reference.demands import refuse_broadcasting
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import Loss
from lossproof.reference.reductions import sum_to_shape
from lossproof.reference.steps import step

ZERO_LOG_ZERO = zero_convention("information-zero-log-zero", "0 log 0 of entropy and cross entropy", "0")


def product_with_log(factor: Array, logarithm: Array, convention: Convention | None = None) -> Array:
    """factor * logarithm, where 0 log 0 is the convention's pick, or without one the limit 0.

    >>> print(product_with_log(np.array([0.0, 2.0]), np.array([-np.inf, 1.0])))
    [0. 2.]
    """
    # A factor that has only become too small to represent, as an exponential does, is not 0.
    is_zero = is_exactly_zero(factor)
    product = np.where(is_zero, 0.0, factor * np.where(is_zero, 0.0, logarithm))
    if convention is None:
        return product
    return convention.chosen(is_zero & np.isinf(logarithm), product)


def self_information(p: Array) -> Array:
    """I(x) = -log P(x), elementwise.

    Args:
        p: probabilities P(x), of any shape.

    Returns:
        The information in nats, in the shape of ``p``.

    >>> from lossproof.reference import forward
    >>> print(forward("SelfInformation", {}, {"p": [0.5, 0.25]}).round(4))
    [0.6931 1.3863]

    Source: Shannon (1948), "A mathematical theory of communication".
    """
    return step("self-information", -np.log(p))


def self_information_gradient(upstream: Array, p: Array) -> dict[str, Array]:
    """dI/dP = -1 / P."""
    return {"p": -upstream / p}


def entropy(p: Array) -> Array:
    """H(P) = -sum_i P_i log P_i over the last dimension.

    Args:
        p: distributions (..., K).

    Returns:
        The entropies (...) in nats.

    >>> from lossproof.reference import forward
    >>> print(forward("Entropy", {}, {"p": [[0.5, 0.5], [1.0, 0.0]]}).round(4))
    [0.6931 0.    ]

    Source: Shannon (1948), "A mathematical theory of communication".
    """
    terms = step("-p log p", -product_with_log(p, np.log(p), ZERO_LOG_ZERO))
    return step("entropy", np.sum(terms, axis=-1))


def entropy_gradient(upstream: Array, p: Array) -> dict[str, Array]:
    """dH/dP_i = -(log P_i + 1)."""
    return {"p": -np.expand_dims(upstream, -1) * (np.log(p) + 1.0)}


def distribution_cross_entropy(p: Array, q: Array) -> Array:
    """H(P, Q) = -sum_i P_i log Q_i over the last dimension.

    Args:
        p: distributions (..., K), floating; broadcast with ``q``.
        q: distributions (..., K), floating.

    Returns:
        The cross entropies (...) in nats.

    Raises:
        DtypeRefusal: for numbers that are not floating.
        ShapeRefusal: where shapes do not broadcast.

    >>> from lossproof.reference import forward
    >>> print(forward("DistributionCrossEntropy", {}, {"p": [1.0, 0.0], "q": [0.5, 0.5]}).round(4))
    0.6931

    Source: Goodfellow, Bengio and Courville (2016), "Deep Learning", section 3.13.
    """
    terms = step("-p log q", -product_with_log(p, np.log(q), ZERO_LOG_ZERO))
    return step("cross entropy", np.sum(terms, axis=-1))


def distribution_cross_entropy_gradient(upstream: Array, p: Array, q: Array) -> dict[str, Array]:
    """dH/dP_i = -log Q_i and dH/dQ_i = -P_i / Q_i."""
    shape = np.broadcast_shapes(tuple(p.shape), tuple(q.shape))
    upstream = np.broadcast_to(np.expand_dims(upstream, -1), shape)
    return {
        "p": sum_to_shape(-upstream * np.log(q), tuple(p.shape)),
        "q": sum_to_shape(-upstream * p / q, tuple(q.shape)),
    }


LOSSES = (
    Loss(
        "SelfInformation",
        None,
        arguments=("p",),
        differentiable=("p",),
        value=self_information,
        gradient=self_information_gradient,
        limits=within(NEVER_NEGATIVE, {"p": (0.0, 1.0)}),
    ),
    Loss(
        "Entropy",
        None,
        arguments=("p",),
        differentiable=("p",),
        value=entropy,
        gradient=entropy_gradient,
        conventions=(ZERO_LOG_ZERO,),
        limits=within(NEVER_NEGATIVE, {"p": (0.0, 1.0)}),
    ),
    Loss(
        "DistributionCrossEntropy",
        None,
        arguments=("p", "q"),
        differentiable=("p", "q"),
        value=distribution_cross_entropy,
        gradient=distribution_cross_entropy_gradient,
        conventions=(ZERO_LOG_ZERO,),
        refuse=refuse_broadcasting,
    ),
)

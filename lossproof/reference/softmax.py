"""softmax, log-softmax, sigmoid and log-sigmoid: the stable forms that the losses stand on.

The first two take a ``dtype``, which is no part of the formula: ``evaluation`` casts the input to it before.
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.log_sum_exp import log_sum_exp
from lossproof.numbers.rules import followed_rules
from lossproof.numbers.sharing import shared
from lossproof.reference.demands import refuse_dimension
from lossproof.reference.limits import NEVER_POSITIVE, within
from lossproof.reference.loss import Law, Loss
from lossproof.reference.option import floating_dtype, whole
from lossproof.reference.steps import step


@shared
def log_softmax(input: Array, *, dim: int) -> Array:
    """log p_c = z_c - log sum_j exp(z_j), with z = x - max(x): no exponential overflows.

    Args:
        input: floating logits x, of any shape.
        dim: the dimension whose exponentials sum to 1; where it is None, one is guessed as torch does.

    Returns:
        The log-probabilities, in the input's shape.

    Raises:
        ShapeRefusal: for a ``dim`` that the input does not have.

    >>> from lossproof.reference import forward
    >>> print(forward("LogSoftmax", {"dim": 0}, {"input": [0.0, 1000.0]}))
    [-1000.     0.]

    Source: Blanchard, Higham and Higham (2021), "Accurately computing the log-sum-exp and softmax functions".
    """
    if followed_rules().subtracts_log_sum_exp:
        return input - np.expand_dims(log_sum_exp(input, dim), dim)
    shifted = step("logits - max", input - _largest(input, dim))
    total = step("sum of exponentials", np.sum(np.exp(shifted), axis=dim, keepdims=True))
    return step("log-softmax", shifted - np.log(total))


def _largest(input: Array, dim: int) -> Array:
    """The maximum along ``dim``, which is kept; there is none where nothing lies along it."""
    return np.max(input, axis=dim, keepdims=True) if input.size or input.shape[dim] else 0.0


def log_softmax_gradient(upstream: Array, log_probabilities: Array, dim: int) -> Array:
    """d/dx_c = g_c - p_c sum_j g_j."""
    return upstream - np.exp(log_probabilities) * np.sum(upstream, axis=dim, keepdims=True)


@shared
def softmax(input: Array, *, dim: int) -> Array:
    """p_c = exp(z_c) / sum_j exp(z_j), with z = x - max(x).

    Args:
        input: floating logits x, of any shape.
        dim: the dimension along which the result sums to 1; as for ``log_softmax``.

    Returns:
        The probabilities, in the input's shape.

    Raises:
        ShapeRefusal: for a ``dim`` that the input does not have.

    >>> from lossproof.reference import forward
    >>> print(forward("Softmax", {"dim": 0}, {"input": [1000.0, 1000.0]}))
    [0.5 0.5]

    Source: Blanchard, Higham and Higham (2021), "Accurately computing the log-sum-exp and softmax functions".
    """
    shifted = step("logits - max", input - _largest(input, dim))
    exponentials = step("exponentials", np.exp(shifted))
    return step("softmax", exponentials / np.sum(exponentials, axis=dim, keepdims=True))


def softmax_gradient(upstream: Array, probabilities: Array, dim: int) -> Array:
    """d/dx_c = p_c (g_c - sum_j g_j p_j), written p_c g_c - p_c sum_j g_j p_j."""
    product = upstream * probabilities
    return product - probabilities * np.sum(product, axis=dim, keepdims=True)


@shared
def sigmoid(input: Array) -> Array:
    """1 / (1 + exp(-x)), and exp(x) / (1 + exp(x)) for negative x: no exponential overflows.

    >>> print(sigmoid(np.array([0.0, -1000.0])))
    [0.5 0. ]
    """
    decay = np.exp(-np.abs(input))
    return np.where(input >= 0, 1.0, decay) / (1.0 + decay)


@shared
def log_sigmoid(input: Array) -> Array:
    """log(1 / (1 + exp(-x))) = min(x, 0) - log(1 + exp(-|x|)).

    >>> print(log_sigmoid(np.array([1000.0, -1000.0])))
    [   -0. -1000.]
    """
    return -np.maximum(-input, 0.0) - np.log1p(np.exp(-np.abs(input)))


def _softmax_gradient(upstream: Array, input: Array, *, dim: int) -> dict[str, Array]:
    return {"input": softmax_gradient(upstream, softmax(input, dim=dim), dim)}


def _log_softmax_gradient(upstream: Array, input: Array, *, dim: int) -> dict[str, Array]:
    return {"input": log_softmax_gradient(upstream, log_softmax(input, dim=dim), dim)}


LOSSES = (
    Loss(
        "Softmax",
        "softmax",
        arguments=("input",),
        differentiable=("input",),
        value=softmax,
        gradient=_softmax_gradient,
        refuse=refuse_dimension,
        options={"dim": whole(None), "dtype": floating_dtype()},
        functional_only=("dtype",),
        limits=within((0.0, 1.0)),
        laws=frozenset({Law.INVARIANT_UNDER_SHIFT}),
    ),
    Loss(
        "LogSoftmax",
        "log_softmax",
        arguments=("input",),
        differentiable=("input",),
        value=log_softmax,
        gradient=_log_softmax_gradient,
        refuse=refuse_dimension,
        options={"dim": whole(None), "dtype": floating_dtype()},
        functional_only=("dtype",),
        limits=within(NEVER_POSITIVE),
        laws=frozenset({Law.INVARIANT_UNDER_SHIFT}),
    ),
)


def implicit_dimension(dimensions: int) -> int:
    """The dimension that torch, by a deprecated guess, takes where none is given.

    Args:
        dimensions: how many the input has.
    """
    return 0 if dimensions in (0, 1, 3) else 1

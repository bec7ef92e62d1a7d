"""The objective function: the mean loss over a set, plus regularisation of the parameters."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import magnitude_convention, sign
from lossproof.reference.loss import Loss
from lossproof.reference.steps import step

PENALTY_AT_ZERO = magnitude_convention("objective-l1-at-zero", "the l1 penalty where a parameter is 0")


def objective(losses: Array, parameters: Array, *, l1: Array = 0.0, l2: Array = 0.0) -> Array:
    """mean(losses) + l1 sum|w| + l2 sum w^2.

    Args:
        losses: one loss for each sample, any shape.
        parameters: the model's parameters w, any shape.
        l1, l2: how strongly each penalty counts; 0 leaves it out.

    Returns:
        One number.

    >>> from lossproof.reference import forward
    >>> print(forward("Objective", {"l2": 0.5}, {"losses": [1.0, 3.0], "parameters": [2.0, -1.0]}))
    4.5

    Source: Goodfellow, Bengio and Courville (2016), "Deep Learning", sections 7.1.1 and 7.1.2.
    """
    cost = step("cost", np.sum(losses) / float(losses.size))
    penalty = l1 * np.sum(np.abs(parameters)) + l2 * np.sum(parameters * parameters)
    return step("objective", cost + step("regularisation", penalty))


def objective_gradient(
    upstream: Array, losses: Array, parameters: Array, *, l1: Array = 0.0, l2: Array = 0.0
) -> dict[str, Array]:
    """1/n for each loss; l1 sign(w) + 2 l2 w for the parameters (usually 0 at w = 0)."""
    return {
        "losses": np.broadcast_to(upstream / float(losses.size), losses.shape),
        "parameters": upstream * (l1 * sign(parameters, PENALTY_AT_ZERO) + 2.0 * l2 * parameters),
    }


LOSSES = (
    Loss(
        "Objective",
        None,
        arguments=("losses", "parameters"),
        differentiable=("losses", "parameters"),
        value=objective,
        gradient=objective_gradient,
        conventions=(PENALTY_AT_ZERO,),
        real_parameters={"l1": 0.0, "l2": 0.0},
        counts_numbers=True,
    ),
)

"""L1Loss and MSELoss: the absolute and the squared error, whose mean may be weighted."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import magnitude_convention, sign
from lossproof.reference.demands import demand_subtractable
from lossproof.reference.differences import advise_on_shapes, difference_of, gradients_of, refuse_regression
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, weighted

L1_AT_ZERO = magnitude_convention("l1-at-zero", "L1Loss where input = target")


def l1_loss(input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean") -> Array:
    """L = w |d|; with weights the mean is sum L / sum w.

    Args:
        input: numbers x, real or complex, of any shape; broadcast with ``target``.
        target: numbers t; one of the two must be floating.
        weight: w, of the input's own shape.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for booleans, and for whole numbers in both.
        ShapeRefusal: where shapes do not broadcast, or the weight's is not the input's.

    >>> from lossproof.reference import forward, gradient
    >>> pair = {"input": [1.0, -2.0], "target": [0.5, 1.0]}
    >>> print(forward("L1Loss", {}, pair), gradient("L1Loss", {}, pair, "input"))
    1.75 [ 0.5 -0.5]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
    """
    losses = weighted(np.abs(difference_of(input, target)), weight)
    return reduce(losses, reduction, _weight_total(weight, losses))


def l1_loss_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = w sign(d) = -dl/dt, and 0 at d = 0."""
    difference = input - target
    distance = np.abs(difference)
    total = _weight_total(weight, distance)
    to_weight = _to_weight_of_weighted_mean(upstream, distance, weight, total, reduction)
    share = spread(upstream, tuple(distance.shape), reduction, total)
    return gradients_of(input, target, weight, share, sign(difference, L1_AT_ZERO), to_weight)


def mse_loss(input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean") -> Array:
    """L = w d^2; with weights the mean is sum L / sum w.

    Args:
        input: real numbers x, of any shape; broadcast with ``target``.
        target: real numbers t; one of the two must be floating.
        weight: w, of the input's own shape.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for whole numbers in both.
        ShapeRefusal: where shapes do not broadcast, or the weight's is not the input's.

    >>> from lossproof.reference import forward, gradient
    >>> pair = {"input": [1.0, -2.0], "target": [0.5, 1.0]}
    >>> print(forward("MSELoss", {}, pair), gradient("MSELoss", {}, pair, "input"))
    4.625 [ 0.5 -3. ]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
    """
    difference = difference_of(input, target)
    losses = weighted(difference * difference, weight)
    return reduce(losses, reduction, _weight_total(weight, losses))


def mse_loss_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = 2 w d = -dl/dt."""
    difference = input - target
    squares = difference * difference
    total = _weight_total(weight, squares)
    to_weight = _to_weight_of_weighted_mean(upstream, squares, weight, total, reduction)
    share = spread(upstream, tuple(squares.shape), reduction, total)
    return gradients_of(input, target, weight, share, 2.0 * difference, to_weight)


def _weight_total(weight: Array | None, losses: Array) -> Array | None:
    """The weighted mean's denominator: a weight counts once for each loss that it weighs."""
    return None if weight is None else np.sum(np.broadcast_to(weight, tuple(losses.shape)))


def _to_weight_of_weighted_mean(
    upstream: Array, losses: Array, weight: Array | None, total: Array | None, reduction: str
) -> Array | None:
    """dl/dw = L_i, L_i being the loss without its weight; of the mean l, dl/dw = (L_i - l) / sum w."""
    if weight is None:
        return None
    share = spread(upstream, tuple(losses.shape), reduction, total)
    if reduction != "mean":
        return share * losses
    return share * losses - share * (np.sum(losses * weight) / total)


def refuse_l1_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``l1_loss`` lists under Raises."""
    demand_subtractable(args)
    refuse_regression(args, params)


LOSSES = (
    Loss(
        "L1Loss",
        "l1_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        takes_complex=True,
        value=l1_loss,
        gradient=l1_loss_gradient,
        refuse=refuse_l1_loss,
        conventions=(L1_AT_ZERO,),
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.SYMMETRIC, Law.ELEMENTWISE, Law.LINEAR_IN_WEIGHT, Law.MEAN_BY_WEIGHT}),
    ),
    Loss(
        "MSELoss",
        "mse_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=mse_loss,
        gradient=mse_loss_gradient,
        refuse=refuse_regression,
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.SYMMETRIC, Law.ELEMENTWISE, Law.LINEAR_IN_WEIGHT, Law.MEAN_BY_WEIGHT}),
    ),
)

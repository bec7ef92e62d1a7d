"""SmoothL1Loss and HuberLoss: the squared error of small differences, the absolute error of large ones."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import magnitude_convention, sign
from lossproof.reference.demands import demand_floating
from lossproof.reference.differences import advise_on_shapes, difference_of, gradients_of, refuse_regression
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, weighted
from lossproof.reference.refusals import RangeRefusal
from lossproof.reference.steps import step

SMOOTH_L1_AT_ZERO = magnitude_convention("smooth-l1-at-zero", "SmoothL1Loss of beta 0 where input = target")


def smooth_l1_loss(input: Array, target: Array, *, beta: Array = 1.0, reduction: str = "mean") -> Array:
    """L = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; at beta = 0 it is |d|.

    Args:
        input: real numbers x, of any shape; broadcast with ``target``.
        target: real numbers t; one of the two must be floating.
        beta: where the parabola ends and the lines begin, at least 0.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for whole numbers in both.
        ShapeRefusal: where shapes do not broadcast.
        RangeRefusal: for a beta that is negative or nan.

    >>> from lossproof.reference import forward, gradient
    >>> pair = {"input": [0.5, -2.0], "target": [0.0, 1.0]}
    >>> print(forward("SmoothL1Loss", {}, pair), gradient("SmoothL1Loss", {}, pair, "input"))
    1.3125 [ 0.25 -0.5 ]

    Source: Girshick (2015), "Fast R-CNN";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
    """
    distance = step("|d|", np.abs(difference_of(input, target)))
    # d^2 first would overflow, or vanish, long before the loss does.
    parabola = 0.5 * distance * (distance / beta)
    losses = np.where(distance < beta, parabola, distance - 0.5 * beta)
    return reduce(step("losses", losses), reduction)


def smooth_l1_loss_gradient(
    upstream: Array, input: Array, target: Array, *, beta: Array = 1.0, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = d / beta, bounded by -1 and 1; at beta = 0 it is sign(d)."""
    difference = input - target
    if beta == 0:
        slope = sign(difference, SMOOTH_L1_AT_ZERO)
    else:
        slope = np.minimum(np.maximum(difference / beta, -1.0), 1.0)
    share = spread(upstream, tuple(difference.shape), reduction)
    return gradients_of(input, target, None, share, slope, None)


def huber_loss(
    input: Array, target: Array, *, delta: Array = 1.0, weight: Array | None = None, reduction: str = "mean"
) -> Array:
    """L = w d^2 / 2 where |d| < delta, else w delta (|d| - delta / 2); the mean is over elements.

    Args:
        input: floating numbers x, of any shape; broadcast with ``target``.
        target: real numbers t.
        delta: where the parabola ends and the lines begin, above 0.
        weight: w, of the input's own shape; unlike in l1_loss and mse_loss it does not divide the mean.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating.
        ShapeRefusal: where shapes do not broadcast, or the weight's is not the input's.
        RangeRefusal: for a delta that is not above 0.

    >>> from lossproof.reference import forward, gradient
    >>> pair = {"input": [0.5, -2.0], "target": [0.0, 1.0]}
    >>> print(forward("HuberLoss", {"delta": 2.0}, pair))
    2.0625
    >>> print(gradient("HuberLoss", {"delta": 2.0}, pair, "input"))
    [ 0.25 -1.  ]

    Source: Huber (1964), "Robust estimation of a location parameter";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
    """
    return reduce(weighted(_huber(difference_of(input, target), delta), weight), reduction)


def huber_loss_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    delta: Array = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx = w d, with d bounded by -delta and delta; dl/dw is the loss without its weight."""
    difference = input - target
    slope = np.minimum(np.maximum(difference, -delta), delta)
    share = spread(upstream, tuple(difference.shape), reduction)
    return gradients_of(input, target, weight, share, slope, share * _huber(difference, delta))


def _huber(difference: Array, delta: Array) -> Array:
    distance = np.abs(difference)
    return np.where(distance < delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta))


def refuse_smooth_l1_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``smooth_l1_loss`` lists under Raises."""
    refuse_regression(args, params)
    beta = params["beta"]
    if not beta >= 0:
        raise RangeRefusal(f"beta is {beta}; it must be 0 or more")


def refuse_huber_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``huber_loss`` lists under Raises."""
    demand_floating("input", args["input"])
    refuse_regression(args, params)
    delta = params["delta"]
    if not delta > 0:
        raise RangeRefusal(f"delta is {delta}; it must be more than 0")


LOSSES = (
    Loss(
        "SmoothL1Loss",
        "smooth_l1_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=smooth_l1_loss,
        gradient=smooth_l1_loss_gradient,
        refuse=refuse_smooth_l1_loss,
        conventions=(SMOOTH_L1_AT_ZERO,),
        advise=advise_on_shapes,
        real_parameters={"beta": 1.0},
        reductions=ELEMENTWISE,
        counts_numbers=True,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.SYMMETRIC, Law.ELEMENTWISE}),
    ),
    Loss(
        "HuberLoss",
        "huber_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=huber_loss,
        gradient=huber_loss_gradient,
        refuse=refuse_huber_loss,
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        real_parameters={"delta": 1.0},
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
        has_legacy_reduction=False,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.SYMMETRIC, Law.ELEMENTWISE, Law.LINEAR_IN_WEIGHT, Law.MEAN_BY_WEIGHT}),
    ),
)

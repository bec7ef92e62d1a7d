"""BCELoss and BCEWithLogitsLoss: the cross entropy of yes-or-no questions, element by element."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import gradient_convention
from lossproof.reference.demands import demand_broadcast, demand_floating, demand_one_shape
from lossproof.reference.information import product_with_log
from lossproof.reference.limits import NEVER_NEGATIVE, SHARES, WEIGHTS, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, weighted
from lossproof.reference.refusals import RangeRefusal
from lossproof.reference.softmax import log_sigmoid, sigmoid
from lossproof.reference.steps import step

# torch bounds the logarithms from below, so that the loss stays finite at 0 and 1 ...
SMALLEST_LOGARITHM = -100.0
# ... and the denominator of the gradient, by its own convention: not the derivative of that bound.
SMALLEST_VARIANCE = 1e-12

NEXT_TO_0_AND_1 = gradient_convention(
    "bce-next-to-0-and-1",
    "The gradient by input divides by max(p (1 - p), 1e-12), and the one by target takes the logarithms "
    "without their bound of -100: next to 0 and 1 neither is the derivative of the bounded loss.",
    usual="bounded divisor",
)


def binary_cross_entropy(
    input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> Array:
    """L = -w (t max(log p, -100) + (1 - t) max(log(1 - p), -100)); the mean is over elements.

    Args:
        input: floating probabilities p in [0, 1], of any shape.
        target: floating t in [0, 1], in the same shape.
        weight: w, broadcast over the elements.
        reduction: none, mean or sum.

    Returns:
        The losses, in the input's shape; one number where they are reduced.

    Raises:
        DtypeRefusal: for numbers that are not floating.
        ShapeRefusal: where shapes differ, or the weight does not broadcast.
        RangeRefusal: for probabilities or targets outside [0, 1].

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.25, 0.0], "target": [0.0, 1.0]}
    >>> print(forward("BCELoss", {"reduction": "none"}, call).round(4))
    [  0.2877 100.    ]
    >>> print(gradient("BCELoss", {}, call, "target").round(4))
    [0.5493    inf]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
    """
    log_p = step("log p", np.maximum(np.log(input), SMALLEST_LOGARITHM))
    log_q = step("log (1 - p)", np.maximum(np.log1p(-input), SMALLEST_LOGARITHM))
    return reduce(weighted((target - 1.0) * log_q - target * log_p, weight), reduction)


def binary_cross_entropy_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dp = w (p - t) / max(p (1 - p), 1e-12); dl/dt = w (log(1 - p) - log p).

    Next to 0 and 1 both are torch's conventions; ``binary_cross_entropy_derivative`` has none.
    """
    share = _weighted_share(upstream, input, weight, reduction)
    variance = np.maximum((1.0 - input) * input, SMALLEST_VARIANCE)
    return {
        "input": share * (input - target) / variance,
        "target": share * (np.log1p(-input) - np.log(input)),
    }


def binary_cross_entropy_derivative(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dp = w ((1 - t) / (1 - p) - t / p) and dl/dt = w (log(1 - p) - log p), with bounded logarithms.

    A logarithm at its bound does not change with p: its term of dl/dp is 0.
    """
    share = _weighted_share(upstream, input, weight, reduction)
    log_p, log_q = np.log(input), np.log1p(-input)
    slope_p = np.where(log_p < SMALLEST_LOGARITHM, 0.0, target / input)
    slope_q = np.where(log_q < SMALLEST_LOGARITHM, 0.0, (1.0 - target) / (1.0 - input))
    return {
        "input": share * (slope_q - slope_p),
        "target": share * (np.maximum(log_q, SMALLEST_LOGARITHM) - np.maximum(log_p, SMALLEST_LOGARITHM)),
    }


def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    *,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> Array:
    """L = w ((1 - t) x - (1 + (P - 1) t) log sigmoid(x)), which is -w (P t log s + (1 - t) log(1 - s)).

    Args:
        input: floating logits x, of any shape; s is their sigmoid.
        target: floating t, in the same shape; usually in [0, 1].
        weight: w, broadcast over the elements.
        pos_weight: P, broadcast over the elements: the weight of a positive target.
        reduction: none, mean or sum.

    Returns:
        The losses, in the input's shape; one number where they are reduced.

    Raises:
        DtypeRefusal: for numbers that are not floating.
        ShapeRefusal: where shapes differ, or a weight does not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.0, 80.0], "target": [1.0, 0.0]}
    >>> print(forward("BCEWithLogitsLoss", {"reduction": "none"}, call).round(4))
    [ 0.6931 80.    ]
    >>> print(gradient("BCEWithLogitsLoss", {}, call, "input"))
    [-0.25  0.5 ]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
    """
    log_s = step("log sigmoid(x)", log_sigmoid(input))
    factor = 1.0 if pos_weight is None else (pos_weight - 1.0) * target + 1.0
    losses = (1.0 - target) * input - factor * log_s
    losses = np.where(np.isinf(input), _at_infinity(input, target, pos_weight), losses)
    return reduce(weighted(losses, weight), reduction)


def _at_infinity(input: Array, target: Array, pos_weight: Array | None) -> Array:
    """The limit P t max(-x, 0) + (1 - t) max(x, 0): the formula itself would be inf - inf."""
    positive = target if pos_weight is None else pos_weight * target
    return product_with_log(positive, np.maximum(-input, 0.0)) + product_with_log(
        1.0 - target, np.maximum(input, 0.0)
    )


def binary_cross_entropy_with_logits_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx = w ((1 + P t - t) s - P t) and dl/dt = -w x; with P, dl/dt = w (log(1 - s) - P log s)."""
    share = _weighted_share(upstream, input, weight, reduction)
    if pos_weight is None:
        return {"input": (sigmoid(input) - target) * share, "target": -input * share}
    positive = pos_weight * target
    return {
        "input": ((positive + 1.0 - target) * sigmoid(input) - positive) * share,
        "target": (log_sigmoid(-input) - pos_weight * log_sigmoid(input)) * share,
    }


def _weighted_share(upstream: Array, input: Array, weight: Array | None, reduction: str) -> Array:
    share = spread(upstream, input.shape, reduction)
    return share if weight is None else share * weight


def refuse_binary_cross_entropy(args: Arguments, params: Parameters) -> None:
    """Refuse what ``binary_cross_entropy`` lists under Raises."""
    for name in ("input", "target"):
        demand_floating(name, args[name])
    demand_one_shape(args)
    demand_broadcast("weight", params["weight"], args["input"])
    for name in ("input", "target"):
        values = args[name]
        if not np.all((values >= 0) & (values <= 1)):
            raise RangeRefusal(f"{name} holds values outside [0, 1]")


def refuse_binary_cross_entropy_with_logits(args: Arguments, params: Parameters) -> None:
    """Refuse what ``binary_cross_entropy_with_logits`` lists under Raises."""
    for name in ("input", "target"):
        demand_floating(name, args[name])
    demand_one_shape(args)
    for name in ("weight", "pos_weight"):
        demand_broadcast(name, params[name], args["input"])


LOSSES = (
    Loss(
        "BCELoss",
        "binary_cross_entropy",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=binary_cross_entropy,
        gradient=binary_cross_entropy_gradient,
        refuse=refuse_binary_cross_entropy,
        derivative=binary_cross_entropy_derivative,
        conventions=(NEXT_TO_0_AND_1,),
        tensor_parameters=("weight",),
        reductions=ELEMENTWISE,
        alike=lambda shapes: ("input", "target"),
        # A weight only scales what has its dtype already.
        typed_by=("input", "target"),
        limits=within(NEVER_NEGATIVE, {**WEIGHTS, **SHARES}),
        laws=frozenset({Law.ELEMENTWISE, Law.LINEAR_IN_WEIGHT}),
    ),
    Loss(
        "BCEWithLogitsLoss",
        "binary_cross_entropy_with_logits",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=binary_cross_entropy_with_logits,
        gradient=binary_cross_entropy_with_logits_gradient,
        refuse=refuse_binary_cross_entropy_with_logits,
        tensor_parameters=("weight", "pos_weight"),
        reductions=ELEMENTWISE,
        typed_by=("input", "target"),
        limits=within(NEVER_NEGATIVE, {**WEIGHTS, **SHARES}),
        laws=frozenset({Law.ELEMENTWISE, Law.LINEAR_IN_WEIGHT}),
    ),
)

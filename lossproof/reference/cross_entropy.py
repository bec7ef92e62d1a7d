"""CrossEntropyLoss, for class indices and for class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import zero_convention
from lossproof.reference.demands import demand_class_dimension, demand_class_weights, demand_floating
from lossproof.reference.limits import NEVER_NEGATIVE, SHARES, WEIGHTS, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters, Shapes
from lossproof.reference.nll import class_axis, is_target_class, pick, picked_weights, refuse_nll_loss
from lossproof.reference.option import whole
from lossproof.reference.reductions import reduce, spread
from lossproof.reference.refusals import OptionRefusal, RangeRefusal
from lossproof.reference.softmax import log_softmax, log_softmax_gradient
from lossproof.reference.steps import step

ZERO_LOG_ZERO = zero_convention(
    "cross-entropy-zero-log-zero", "0 log 0 of a class of probability 0 at a logit of -inf", "nan"
)


def holds_probabilities(input: Array, target: Array) -> bool:
    """Whether ``target`` is a distribution over the classes: it has ``input``'s shape."""
    return tuple(target.shape) == tuple(input.shape)


def cross_entropy(input: Array, target: Array, **params: Any) -> Array:
    """l_n = -w[y_n] log p[n, y_n], or -sum_c w[c] t[n, c] log p[n, c] for probabilities t; p = softmax(x).

    The mean of the one is sum_n l_n / sum_n w[y_n], of the other sum_n l_n / N.

    Args:
        input: floating logits x (C), (N, C) or (N, C, d1, ..., dk).
        target: class indices of ``input``'s shape without C, or probabilities of ``input``'s shape.
        weight: (C), a weight for each class.
        ignore_index: a class index that takes no part; for indices only.
        label_smoothing: the share e in [0, 1] of each target that is spread evenly over the classes.
        reduction: none, mean or sum.

    Returns:
        The losses, in the logits' shape without C; one number where they are reduced.

    Raises:
        DtypeRefusal, ShapeRefusal, IndexRefusal: as for ``nll_loss``; probabilities must be floating.
        RangeRefusal: for a label_smoothing outside [0, 1].
        OptionRefusal: for an ignore_index with probabilities.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[1.0, 2.0], [1.0, 3.0]], "target": [0, 1]}
    >>> print(forward("CrossEntropyLoss", {}, call).round(4))
    0.7201
    >>> print(gradient("CrossEntropyLoss", {}, call, "input").round(4).tolist())
    [[-0.3655, 0.3655], [0.0596, -0.0596]]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html;
    label smoothing: Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer Vision".
    """
    formula = _with_probabilities if holds_probabilities(input, target) else _with_indices
    return formula(log_softmax(input, dim=class_axis(input)), target, **params)


def cross_entropy_gradient(upstream: Array, input: Array, target: Array, **params: Any) -> dict[str, Array]:
    """The chain rule: the gradient for log p, carried through log-softmax."""
    axis = class_axis(input)
    log_p = log_softmax(input, dim=axis)
    formula = _with_probabilities_gradient if holds_probabilities(input, target) else _with_indices_gradient
    gradients = formula(upstream, log_p, target, **params)
    input_gradient = log_softmax_gradient(gradients["input"], log_p, axis)
    if not holds_probabilities(input, target):
        # An ignored row takes no part even where its own softmax is undefined.
        ignored = np.expand_dims(target == params["ignore_index"], axis)
        input_gradient = np.where(ignored, 0.0, input_gradient)
    return gradients | {"input": input_gradient}


def _with_indices(
    log_p: Array,
    target: Array,
    *,
    weight: Array | None,
    ignore_index: int,
    label_smoothing: Array,
    reduction: str,
) -> Array:
    """l_n = -(1 - e) w[y_n] log p[n, y_n] - (e / C) sum_c w[c] log p[n, c].

    The mean is sum_n l_n / sum_n w[y_n].
    """
    axis = class_axis(log_p)
    ignored = target == ignore_index
    weights = step("weights", picked_weights(weight, target, ignored))
    losses = step("-w log p", np.where(ignored, 0.0, -weights * step("picked", pick(log_p, target))))
    if label_smoothing > 0:
        weighted = log_p if weight is None else log_p * _along(weight, log_p, axis)
        smooth = step("smoothing term", np.where(ignored, 0.0, -np.sum(weighted, axis=axis)))
        losses = (1.0 - label_smoothing) * losses + (label_smoothing / float(log_p.shape[axis])) * smooth
    return reduce(step("losses", losses), reduction, np.sum(weights))


def _with_indices_gradient(
    upstream: Array,
    log_p: Array,
    target: Array,
    *,
    weight: Array | None,
    ignore_index: int,
    label_smoothing: Array,
    reduction: str,
) -> dict[str, Array]:
    """dl_n/dlog p[n, c] = -(1 - e) w[y_n] [c = y_n] - (e / C) w[c]."""
    axis = class_axis(log_p)
    ignored = target == ignore_index
    weights = picked_weights(weight, target, ignored)
    share = spread(upstream, target.shape, reduction, np.sum(weights))
    share, weights = np.expand_dims(share, axis), np.expand_dims(weights, axis)
    gradient = np.where(is_target_class(log_p, target), -weights * share, 0.0)
    if label_smoothing > 0:
        class_weights = 1.0 if weight is None else _along(weight, log_p, axis)
        smooth = (label_smoothing / float(log_p.shape[axis])) * (-class_weights * share)
        gradient = (1.0 - label_smoothing) * gradient + smooth
    return {"input": gradient}


def _with_probabilities(
    log_p: Array,
    target: Array,
    *,
    weight: Array | None,
    ignore_index: int,
    label_smoothing: Array,
    reduction: str,
) -> Array:
    """l_n = -sum_c w[c] t[n, c] log p[n, c], with t smoothed; mean: sum_n l_n / N, whatever the weights.

    A zero probability at a logit of -inf gives 0 log 0, usually nan; a class index never meets it.
    """
    axis = class_axis(log_p)
    target = step("smoothed target", smoothed(target, label_smoothing, axis))
    absent = np.broadcast_to((target == 0) & np.isinf(log_p), tuple(log_p.shape))
    terms = ZERO_LOG_ZERO.chosen(absent, target * log_p)
    if weight is not None:
        terms = terms * _along(weight, log_p, axis)
    losses = step("losses", -np.sum(terms, axis=axis))
    return reduce(losses, reduction)


def _with_probabilities_gradient(
    upstream: Array,
    log_p: Array,
    target: Array,
    *,
    weight: Array | None,
    ignore_index: int,
    label_smoothing: Array,
    reduction: str,
) -> dict[str, Array]:
    """dl_n/dlog p = -w t; dl_n/dt = -(1 - e) w log p; dl/dw[c] = -sum_n t[n, c] log p[n, c]."""
    axis = class_axis(log_p)
    target = smoothed(target, label_smoothing, axis)
    losses_shape = target.shape[:axis] + target.shape[axis + 1 :]
    share = np.expand_dims(spread(upstream, losses_shape, reduction), axis)
    class_weights = 1.0 if weight is None else _along(weight, log_p, axis)
    others = tuple(other for other in range(log_p.ndim) if other != axis)
    return {
        "input": -class_weights * target * share,
        "target": -class_weights * log_p * share * (1.0 - label_smoothing),
        "weight": np.sum(-target * log_p * share, axis=others),
    }


def smoothed(target: Array, label_smoothing: Array, axis: int) -> Array:
    """t (1 - e) + e / C.

    >>> print(smoothed(np.array([1.0, 0.0]), 0.5, axis=0))
    [0.75 0.25]
    """
    return target * (1.0 - label_smoothing) + label_smoothing / float(target.shape[axis])


def _along(weight: Array, log_p: Array, axis: int) -> Array:
    """Class weights, shaped to multiply along the class dimension."""
    return np.reshape(weight, [-1] + [1] * (log_p.ndim - 1 - axis))


def refuse_cross_entropy(args: Arguments, params: Parameters) -> None:
    """Refuse what ``cross_entropy`` lists under Raises."""
    input, target = args["input"], args["target"]
    smoothing = params["label_smoothing"]
    if not 0 <= smoothing <= 1:
        raise RangeRefusal(f"label_smoothing is {smoothing}; it must lie in [0, 1]")
    if not holds_probabilities(input, target):
        return refuse_nll_loss(args, params)
    demand_floating("input", input)
    demand_floating("target", target)
    demand_class_dimension(input)
    if params["ignore_index"] >= 0:
        raise OptionRefusal("ignore_index has no meaning for a target of class probabilities")
    demand_class_weights(params["weight"], input.shape[class_axis(input)])
    return None


def target_of_other_shape(shapes: Shapes) -> tuple[str, ...]:
    """The target holds class indices unless it has the input's own shape."""
    return () if shapes["target"] == shapes["input"] else ("target",)


def differentiable_parameters(shapes: Shapes) -> tuple[str, ...]:
    """The weight of a class has a gradient in torch only where the target holds probabilities."""
    return () if target_of_other_shape(shapes) else ("weight",)


LOSSES = (
    Loss(
        "CrossEntropyLoss",
        "cross_entropy",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=cross_entropy,
        gradient=cross_entropy_gradient,
        refuse=refuse_cross_entropy,
        conventions=(ZERO_LOG_ZERO,),
        tensor_parameters=("weight",),
        differentiable_parameters=differentiable_parameters,
        real_parameters={"label_smoothing": 0.0},
        options={"ignore_index": whole(-100)},
        reductions=ELEMENTWISE,
        indices=target_of_other_shape,
        alike=lambda shapes: ("input", "weight") if target_of_other_shape(shapes) else (),
        limits=within(NEVER_NEGATIVE, {**WEIGHTS, **SHARES}),
        laws=frozenset({Law.INVARIANT_UNDER_SHIFT, Law.ROW_BY_ROW, Law.LINEAR_IN_WEIGHT, Law.MEAN_BY_WEIGHT}),
    ),
)

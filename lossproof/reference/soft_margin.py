"""SoftMarginLoss and MultiLabelSoftMarginLoss: the logistic loss, of signs and of sets of labels."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.demands import (
    demand_broadcast,
    demand_broadcastable,
    demand_class_dimension,
    demand_floating,
)
from lossproof.reference.information import product_with_log
from lossproof.reference.limits import NEVER_NEGATIVE, SHARES, WEIGHTS, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import DtypeRefusal
from lossproof.reference.softmax import log_sigmoid, sigmoid
from lossproof.reference.steps import step


def soft_margin_loss(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    """L = log(1 + exp(-y x)) = -log sigmoid(y x), in the form that does not overflow.

    Args:
        input: floating scores x, of any shape.
        target: y, 1 or -1; broadcast over the elements of ``input``.
        reduction: none, mean or sum.

    Returns:
        The losses, in the input's shape; one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating.
        ShapeRefusal: for a target that does not broadcast to the input.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.0, 80.0], "target": [1.0, -1.0]}
    >>> print(forward("SoftMarginLoss", {"reduction": "none"}, call).round(4))
    [ 0.6931 80.    ]
    >>> print(gradient("SoftMarginLoss", {}, call, "input"))
    [-0.25  0.5 ]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
    """
    agreement = step("y x", target * input)
    return reduce(step("losses", -log_sigmoid(agreement)), reduction)


def soft_margin_loss_gradient(
    upstream: Array, input: Array, target: Array, *, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = -y sigmoid(-y x)."""
    share = spread(upstream, tuple(input.shape), reduction)
    return {"input": -target * sigmoid(-target * input) * share}


def multilabel_soft_margin_loss(
    input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> Array:
    """l_n = -(1/C) sum_c w[c] (t[n, c] log s(x[n, c]) + (1 - t[n, c]) log s(-x[n, c])), s the sigmoid.

    The classes are the last dimension; the mean is over all others.

    Args:
        input: floating scores x, (C), (N, C) or with more dimensions before the classes.
        target: t, 1 for each label that applies and 0 for the others, broadcast with ``input``; no booleans.
        weight: w, broadcast with both; usually (C), a weight for each class.
        reduction: none, mean or sum.

    Returns:
        The losses, in the broadcast shape without C; one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating, and a target of booleans.
        ShapeRefusal: for an input without dimensions, and where shapes do not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[0.0, 2.0]], "target": [[1.0, 0.0]]}
    >>> print(forward("MultiLabelSoftMarginLoss", {}, call).round(4))
    1.41
    >>> print(gradient("MultiLabelSoftMarginLoss", {}, call, "input").round(4))
    [[-0.25    0.4404]]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
    """
    terms = _label_losses(input, target)
    if weight is not None:
        terms = terms * weight
    losses = np.sum(step("terms", terms), axis=-1) / float(terms.shape[-1])
    return reduce(step("losses", losses), reduction)


def multilabel_soft_margin_loss_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = (w/C) ((1 - t) s(x) - t s(-x)), dl/dt = (w/C) (log s(-x) - log s(x)), dl/dw[c] = l[c] / C.

    The upstream gradient multiplies each term on its own, as the chain rule does over the terms of l.
    """
    label_losses = _label_losses(input, target)
    shapes = [tuple(values.shape) for values in (label_losses, weight) if values is not None]
    shape = np.broadcast_shapes(*shapes)
    share = np.expand_dims(spread(upstream, shape[:-1], reduction), -1) / float(shape[-1])
    unweighted = np.broadcast_to(share, shape)
    share = unweighted if weight is None else unweighted * weight
    share = sum_to_shape(share, tuple(label_losses.shape))
    absent = (1.0 - target) * share * sigmoid(input)
    present = target * share * sigmoid(-input)
    to_label, from_label = share * log_sigmoid(input), share * log_sigmoid(-input)
    own = tuple(input.shape)
    gradients = {
        "input": sum_to_shape(absent, own) - sum_to_shape(present, own),
        "target": sum_to_shape(from_label, tuple(target.shape)) - sum_to_shape(to_label, tuple(target.shape)),
    }
    if weight is not None:
        gradients["weight"] = sum_to_shape(unweighted * label_losses, tuple(weight.shape))
    return gradients


def _label_losses(input: Array, target: Array) -> Array:
    """-(t log s(x) + (1 - t) log s(-x)); at infinity its limit, where the formula would be 0 * inf."""
    to_label, from_label = log_sigmoid(input), log_sigmoid(-input)
    formula = -(target * to_label + (1.0 - target) * from_label)
    limit = -(product_with_log(target, to_label) + product_with_log(1.0 - target, from_label))
    return np.where(np.isinf(input), limit, formula)


def refuse_soft_margin_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``soft_margin_loss`` lists under Raises."""
    demand_floating("input", args["input"])
    demand_broadcast("target", args["target"], args["input"])


def refuse_multilabel_soft_margin_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``multilabel_soft_margin_loss`` lists under Raises."""
    demand_floating("input", args["input"])
    if args["target"].dtype.kind == "b":
        raise DtypeRefusal("target holds booleans; a label is the number 0 or 1")
    demand_class_dimension(args["input"])
    weight = params["weight"]
    demand_broadcastable(args if weight is None else {**args, "weight": weight})


LOSSES = (
    Loss(
        "SoftMarginLoss",
        "soft_margin_loss",
        arguments=("input", "target"),
        differentiable=("input",),
        value=soft_margin_loss,
        gradient=soft_margin_loss_gradient,
        refuse=refuse_soft_margin_loss,
        reductions=ELEMENTWISE,
        typed_by=("input",),
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ELEMENTWISE}),
    ),
    Loss(
        "MultiLabelSoftMarginLoss",
        "multilabel_soft_margin_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=multilabel_soft_margin_loss,
        gradient=multilabel_soft_margin_loss_gradient,
        refuse=refuse_multilabel_soft_margin_loss,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        reductions=ELEMENTWISE,
        limits=within(NEVER_NEGATIVE, {**WEIGHTS, **SHARES}),
        laws=frozenset({Law.ROW_BY_ROW, Law.LINEAR_IN_WEIGHT}),
    ),
)

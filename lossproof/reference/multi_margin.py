"""MultiMarginLoss and MultiLabelMarginLoss: how far other classes come within a margin of the right ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.reference.conventions import hinge_convention
from lossproof.reference.demands import demand_class_weights, demand_classes, demand_floating
from lossproof.reference.hinge import hinge_slope
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import real
from lossproof.reference.reductions import reduce, spread
from lossproof.reference.refusals import DtypeRefusal, ShapeRefusal
from lossproof.reference.steps import step

# torch asks of these two whether the excess is greater than zero.
MULTI_ON_MARGIN = hinge_convention("multi-margin-on-margin", "MultiMarginLoss where x_y - x_c = margin", "0")
MULTILABEL_ON_MARGIN = hinge_convention(
    "multilabel-margin-on-margin", "MultiLabelMarginLoss where x_y - x_c = 1", "0"
)
# The margin of MultiLabelMarginLoss, which has no parameter for it.
LABEL_MARGIN = 1.0


def multi_margin_loss(
    input: Array,
    target: Array,
    *,
    p: int = 1,
    margin: Array = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> Array:
    """l_n = (1/C) sum over c != y_n of w[y_n] max(margin - x[n, y_n] + x[n, c], 0)^p.

    Args:
        input: floating scores x, (C) or (N, C).
        target: y, int64 class indices () or (N).
        p: 1 or 2.
        margin: the lead over every other class that is demanded.
        weight: (C), a weight for each class.
        reduction: none, mean or sum.

    Returns:
        The losses, in the target's shape; one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating, and targets that are not int64.
        ShapeRefusal: for shapes that do not belong together.
        IndexRefusal: for a target outside the classes.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[0.5, 1.0, 0.0, -1.0]], "target": [1]}
    >>> print(forward("MultiMarginLoss", {}, call), gradient("MultiMarginLoss", {}, call, "input"))
    0.125 [[ 0.25 -0.25  0.    0.  ]]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
    """
    excess, is_other = _excess(input, target, margin)
    hinge = np.maximum(excess, 0.0)
    terms = hinge if p == 1 else hinge * hinge
    if weight is not None:
        terms = terms * _target_weights(weight, target)
    terms = step("terms", np.where(is_other, terms, 0.0))
    losses = np.sum(terms, axis=1) / float(excess.shape[1])
    return reduce(step("losses", np.reshape(losses, target.shape)), reduction)


def multi_margin_loss_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    p: int = 1,
    margin: Array = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl_n/dx[n, c] = (p/C) w[y_n] max(z_c, 0)^(p - 1) where z_c > 0; at c = y_n, minus the sum of these."""
    excess, is_other = _excess(input, target, margin)
    share = np.reshape(spread(upstream, target.shape, reduction), (-1, 1)) / float(excess.shape[1])
    # The square has a slope of 0 at the margin, and at minus infinity no 0 times infinity.
    slope = hinge_slope(excess, MULTI_ON_MARGIN) if p == 1 else 2.0 * np.maximum(excess, 0.0)
    if weight is not None:
        slope = slope * _target_weights(weight, target)
    others = np.where(is_other, slope * share, 0.0)
    gradient = np.where(is_other, others, -np.sum(others, axis=1, keepdims=True))
    return {"input": np.reshape(gradient, tuple(input.shape))}


def multilabel_margin_loss(input: Array, target: Array, *, reduction: str = "mean") -> Array:
    """l_n = (1/C) sum over labels y and classes c that are no label of max(1 - x[n, y] + x[n, c], 0).

    Args:
        input: floating scores x, (C) or (N, C).
        target: the labels of each row, as int64 class indices that end at the first -1; the input's shape.
        reduction: none, mean or sum.

    Returns:
        The losses, () or (N); one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating, and targets that are not int64.
        ShapeRefusal: for a target of another shape than the input.
        IndexRefusal: for a target that is neither -1 nor a class.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.5, 1.0, 0.0, -1.0], "target": [1, -1, 0, 0]}
    >>> print(forward("MultiLabelMarginLoss", {}, call), gradient("MultiLabelMarginLoss", {}, call, "input"))
    0.125 [ 0.25 -0.25  0.    0.  ]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html
    """
    labels, is_pair = _labels(target)
    excess = _label_excess(input, labels)
    terms = step("terms", np.where(is_pair, np.maximum(excess, 0.0), 0.0))
    losses = np.sum(terms, axis=(1, 2)) / float(excess.shape[2])
    return reduce(step("losses", np.reshape(losses, target.shape[:-1])), reduction)


def multilabel_margin_loss_gradient(
    upstream: Array, input: Array, target: Array, *, reduction: str = "mean"
) -> dict[str, Array]:
    """dl_n/dx[n, c] = k/C, k the labels that class c comes too close to; at a label, less its classes."""
    labels, is_pair = _labels(target)
    excess = _label_excess(input, labels)
    classes = excess.shape[2]
    share = np.reshape(spread(upstream, target.shape[:-1], reduction), (-1, 1, 1)) / float(classes)
    pushed = np.where(is_pair, hinge_slope(excess, MULTILABEL_ON_MARGIN) * share, 0.0)
    is_label = np.expand_dims(labels, 2) == np.arange(classes)
    pulled = np.where(is_label, np.sum(pushed, axis=2, keepdims=True), 0.0)
    gradient = np.sum(pushed, axis=1) - np.sum(pulled, axis=1)
    return {"input": np.reshape(gradient, tuple(input.shape))}


def _rows(values: Array) -> Array:
    """Rows of classes: a single row is a batch of one, and a number is a row of one class."""
    return np.reshape(values, (-1, values.shape[-1] if values.ndim else 1))


def _excess(input: Array, target: Array, margin: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The excess margin - x[n, y_n] + x[n, c] of each class c, and whether c is another class than y_n."""
    rows, index = _rows(input), np.reshape(target, (-1, 1))
    excess = step("margin - x_y + x_c", margin - np.take_along_axis(rows, index, 1) + rows)
    return excess, np.arange(excess.shape[1]) != index


def _target_weights(weight: Array, target: Array) -> Array:
    return np.reshape(weight[target], (-1, 1))


def _labels(target: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The labels of each row, -1 after the last; and which pairs (label, class) meet in the loss."""
    rows = _rows(target)
    is_used = np.cumprod(rows >= 0, axis=1).astype(bool)
    longest = int(np.max(np.sum(is_used, axis=1), initial=0))
    labels = np.where(is_used, rows, -1)[:, :longest]
    is_label = np.any(np.expand_dims(labels, 2) == np.arange(rows.shape[1]), axis=1)
    return labels, np.expand_dims(labels >= 0, 2) & ~np.expand_dims(is_label, 1)


def _label_excess(input: Array, labels: npt.NDArray[np.int64]) -> Array:
    """1 - x[n, y] + x[n, c] of each row n, label y and class c."""
    rows = _rows(input)
    # A -1, which is no label, picks the last class; its terms are masked out.
    at_labels = np.take_along_axis(rows, labels, 1)
    excess = LABEL_MARGIN - np.expand_dims(at_labels, 2) + np.expand_dims(rows, 1)
    return step("1 - x_y + x_c", excess)


def refuse_multi_margin_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``multi_margin_loss`` lists under Raises."""
    input, target = args["input"], args["target"]
    classes = _demand_rows(input)
    _demand_int64(target)
    rows = input.shape[0] if input.ndim == 2 else 1
    if target.size != rows or target.ndim > 1:
        raise ShapeRefusal(f"target has shape {target.shape}; input {input.shape} needs one for each row")
    demand_class_weights(params["weight"], classes)
    demand_classes(target, classes)


def refuse_multilabel_margin_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``multilabel_margin_loss`` lists under Raises."""
    input, target = args["input"], args["target"]
    classes = _demand_rows(input)
    _demand_int64(target)
    is_same = target.shape == input.shape or (max(target.ndim, input.ndim) < 2 and target.size == classes)
    if not is_same:
        raise ShapeRefusal(f"target has shape {target.shape}, input {input.shape}; they must agree")
    demand_classes(target, classes, lowest=-1)


def _demand_rows(input: npt.NDArray[Any]) -> int:
    """The number of classes in a floating row or rows; a number is a row of one class."""
    demand_floating("input", input)
    classes = input.shape[-1] if input.ndim else 1
    if input.ndim > 2 or classes == 0:
        raise ShapeRefusal(f"input has shape {input.shape}; it must be (C) or (N, C) with C > 0")
    return classes


def _demand_int64(target: npt.NDArray[Any]) -> None:
    if target.dtype != np.int64:
        raise DtypeRefusal(f"target holds {target.dtype}; class indices are int64")


LOSSES = (
    Loss(
        "MultiMarginLoss",
        "multi_margin_loss",
        arguments=("input", "target"),
        differentiable=("input",),
        value=multi_margin_loss,
        gradient=multi_margin_loss_gradient,
        refuse=refuse_multi_margin_loss,
        conventions=(MULTI_ON_MARGIN,),
        tensor_parameters=("weight",),
        real_parameters={"margin": 1.0},
        options={"p": real(1, known=(1, 2))},
        reductions=ELEMENTWISE,
        indices=lambda shapes: ("target",),
        alike=lambda shapes: ("input", "weight"),
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ROW_BY_ROW, Law.LINEAR_IN_WEIGHT}),
    ),
    Loss(
        "MultiLabelMarginLoss",
        "multilabel_margin_loss",
        arguments=("input", "target"),
        differentiable=("input",),
        value=multilabel_margin_loss,
        gradient=multilabel_margin_loss_gradient,
        refuse=refuse_multilabel_margin_loss,
        conventions=(MULTILABEL_ON_MARGIN,),
        reductions=ELEMENTWISE,
        indices=lambda shapes: ("target",),
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ROW_BY_ROW}),
    ),
)

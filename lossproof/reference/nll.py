"""NLLLoss: the negative log-likelihood of the target classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.demands import (
    demand_class_dimension,
    demand_class_weights,
    demand_classes,
    demand_floating,
)
from lossproof.reference.limits import NEVER_NEGATIVE, NEVER_POSITIVE, WEIGHTS, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import whole
from lossproof.reference.reductions import reduce, spread
from lossproof.reference.refusals import DtypeRefusal, ShapeRefusal
from lossproof.reference.steps import step


def class_axis(input: Array) -> int:
    """The dimension of the classes: 0 in (C), 1 in (N, C) and (N, C, d1, ..., dk)."""
    return 0 if input.ndim == 1 else 1


def is_target_class(input: Array, target: Array) -> Array:
    """A boolean array of ``input``'s shape, true at each target class: the one-hot target.

    >>> print(is_target_class(np.zeros((1, 3)), np.array([2])))
    [[False False  True]]
    """
    axis = class_axis(input)
    classes = np.arange(input.shape[axis]).reshape([-1] + [1] * (input.ndim - 1 - axis))
    return np.expand_dims(target, axis) == classes


def pick(input: Array, target: Array) -> Array:
    """input[n, target[n]]; an index outside the classes (an ignored one) picks class 0.

    >>> print(pick(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, -100])))
    [2. 3.]
    """
    axis = class_axis(input)
    index = np.where((target >= 0) & (target < input.shape[axis]), target, 0)
    return np.squeeze(np.take_along_axis(input, np.expand_dims(index, axis), axis), axis)


def picked_weights(weight: Array | None, target: Array, ignored: Array) -> Array:
    """w[target[n]], 0 where ignored, 1 without weights.

    >>> print(picked_weights(np.array([0.5, 2.0]), np.array([1, 0]), np.array([False, True])))
    [2. 0.]
    """
    if weight is None:
        return np.where(ignored, 0.0, 1.0)
    return np.where(ignored, 0.0, weight[np.where(ignored, 0, target)])


def nll_loss(
    input: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Array:
    """l_n = -w[y_n] x[n, y_n], and 0 where y_n is ignored; the mean is sum_n l_n / sum_n w[y_n].

    Args:
        input: floating log-probabilities (C), (N, C) or (N, C, d1, ..., dk).
        target: int64 or uint8 class indices (), (N) or (N, d1, ..., dk) in [0, C), or ``ignore_index``.
        weight: (C), a weight for each class.
        ignore_index: a target that takes no part in the loss, the gradient or the mean's denominator.
        reduction: none, mean or sum.

    Returns:
        The losses, in the target's shape; one number where they are reduced.

    Raises:
        DtypeRefusal: for an input that is not floating, and other targets.
        ShapeRefusal: for shapes that do not belong together.
        IndexRefusal: for a target outside the classes.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[-0.5, -1.0], [-2.0, -0.1]], "target": [1, 0], "weight": [1.0, 3.0]}
    >>> print(forward("NLLLoss", {}, call), gradient("NLLLoss", {}, call, "input").tolist())
    1.25 [[0.0, -0.75], [-0.25, 0.0]]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
    """
    ignored = target == ignore_index
    weights = step("weights", picked_weights(weight, target, ignored))
    picked = step("picked", pick(input, target))
    losses = step("losses", np.where(ignored, 0.0, -weights * picked))
    return reduce(losses, reduction, np.sum(weights))


def nll_loss_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl_n/dx[n, c] = -w[y_n] at c = y_n, else 0."""
    ignored = target == ignore_index
    weights = picked_weights(weight, target, ignored)
    share = spread(upstream, target.shape, reduction, np.sum(weights))
    axis = class_axis(input)
    takes_part = is_target_class(input, target) & ~np.expand_dims(ignored, axis)
    return {"input": np.where(takes_part, np.expand_dims(-weights * share, axis), 0.0)}


def refuse_nll_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``nll_loss`` lists under Raises."""
    input, target = args["input"], args["target"]
    demand_floating("input", input)
    if target.dtype not in (np.int64, np.uint8):
        raise DtypeRefusal(f"target holds {target.dtype}; class indices are int64 (or uint8)")
    demand_class_dimension(input)
    axis = class_axis(input)
    classes = input.shape[axis]
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeRefusal(f"target has shape {target.shape}; for input {input.shape} it must be {expected}")
    demand_class_weights(params["weight"], classes)
    demand_classes(target[target != params["ignore_index"]], classes)


_NLL = Loss(
    "NLLLoss",
    "nll_loss",
    arguments=("input", "target"),
    differentiable=("input",),
    value=nll_loss,
    gradient=nll_loss_gradient,
    refuse=refuse_nll_loss,
    tensor_parameters=("weight",),
    options={"ignore_index": whole(-100)},
    reductions=ELEMENTWISE,
    indices=lambda shapes: ("target",),
    alike=lambda shapes: ("input", "weight"),
    limits=within(NEVER_NEGATIVE, {**WEIGHTS, "input": NEVER_POSITIVE}),
    laws=frozenset({Law.ROW_BY_ROW, Law.LINEAR_IN_WEIGHT, Law.MEAN_BY_WEIGHT}),
)

LOSSES = (
    _NLL,
    replace(
        _NLL,
        name="NLLLoss2d",
        functional=None,
        advise=lambda args, params: ReferenceWarning("NLLLoss2d is superseded: NLLLoss takes images too"),
    ),
)

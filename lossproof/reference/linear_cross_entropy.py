"""LinearCrossEntropyLoss: the cross entropy of a linear layer's output, without keeping that output."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.cross_entropy import (
    ZERO_LOG_ZERO,
    cross_entropy,
    cross_entropy_gradient,
    holds_probabilities,
    refuse_cross_entropy,
)
from lossproof.reference.limits import NEVER_NEGATIVE, SHARES, WEIGHTS, within
from lossproof.reference.linear import linear, linear_gradient
from lossproof.reference.loss import ELEMENTWISE, Arguments, Loss, Parameters, Shapes
from lossproof.reference.option import whole, word
from lossproof.reference.refusals import OptionRefusal, ShapeRefusal
from lossproof.reference.steps import step

_DEFAULT_IGNORE_INDEX = -100


def linear_cross_entropy(
    input: Array,
    linear_weight: Array,
    target: Array,
    *,
    linear_bias: Array | None = None,
    ignore_index: int | None = None,
    options: str | None = None,
    **params: Any,
) -> Array:
    """CrossEntropyLoss of the logits x w^T + b.

    Args:
        input: floating x, (in_features) or (N, in_features).
        linear_weight: w, (C, in_features) or (C, d1, ..., dk, in_features).
        target: class indices of the logits' shape without C, or probabilities of the logits' shape.
        linear_bias: b, of ``linear_weight``'s shape without in_features.
        ignore_index: a class index that takes no part, -100 unless given; for indices only.
        options: ``chunked`` takes a few rows at a time; the result is the same.
        params: weight, label_smoothing and reduction, as for ``cross_entropy``.

    Returns:
        The losses, in the logits' shape without C; one number where they are reduced.

    Raises:
        ShapeRefusal: for a linear layer whose shapes do not belong together.
        DtypeRefusal, ShapeRefusal, IndexRefusal, RangeRefusal, OptionRefusal: as for ``cross_entropy``.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[1.0, 2.0]], "linear_weight": [[1.0, 0.0], [0.0, 1.0]], "target": [0]}
    >>> print(forward("LinearCrossEntropyLoss", {}, call).round(4))
    1.3133
    >>> print(gradient("LinearCrossEntropyLoss", {}, call, "linear_weight").round(4).tolist())
    [[-0.7311, -1.4621], [0.7311, 1.4621]]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html
    """
    logits = step("logits", linear(input, linear_weight, linear_bias))
    return cross_entropy(logits, target, ignore_index=_index(ignore_index), **params)


def linear_cross_entropy_gradient(
    upstream: Array,
    input: Array,
    linear_weight: Array,
    target: Array,
    *,
    linear_bias: Array | None = None,
    ignore_index: int | None = None,
    options: str | None = None,
    **params: Any,
) -> dict[str, Array]:
    """The chain rule: the gradient for the logits, carried through the linear layer."""
    index = _index(ignore_index)
    logits = linear(input, linear_weight, linear_bias)
    outer = cross_entropy_gradient(upstream, logits, target, ignore_index=index, **params)
    if not holds_probabilities(logits, target):
        # An ignored row takes no part even where its features are undefined.
        ignored = np.all(target == index, axis=tuple(range(input.ndim - 1, target.ndim)))
        input = np.where(np.expand_dims(ignored, -1), 0.0, input)
    inner = linear_gradient(outer["input"], input, linear_weight)
    return outer | {"input": inner["input"], "linear_weight": inner["weight"], "linear_bias": inner["bias"]}


def _index(ignore_index: int | None) -> int:
    return _DEFAULT_IGNORE_INDEX if ignore_index is None else ignore_index


def logits_shape(shapes: Shapes) -> tuple[int, ...]:
    """The shape of the linear layer's output."""
    return (*shapes["input"][:-1], *shapes["linear_weight"][:-1])


def refuse_linear_cross_entropy(args: Arguments, params: Parameters) -> None:
    """Refuse what ``linear_cross_entropy`` lists under Raises."""
    input, linear_weight = args["input"], args["linear_weight"]
    bias = params["linear_bias"]
    if input.ndim not in (1, 2):
        raise ShapeRefusal(f"input has shape {input.shape}; it must be (in_features) or (N, in_features)")
    if linear_weight.ndim < 2:
        raise ShapeRefusal(f"linear_weight has shape {linear_weight.shape}; it must be (C, ..., in_features)")
    if linear_weight.shape[-1] != input.shape[-1]:
        takes, has = linear_weight.shape[-1], input.shape[-1]
        raise ShapeRefusal(f"linear_weight takes {takes} features, input has {has}")
    if input.ndim == 1 and linear_weight.ndim > 2:
        raise ShapeRefusal("a linear_weight of more than two dimensions needs a batch of inputs")
    if bias is not None and bias.shape != linear_weight.shape[:-1]:
        raise ShapeRefusal(f"linear_bias has shape {bias.shape}; it must be {linear_weight.shape[:-1]}")
    _refuse_cross_entropy_of_logits(args, params)


def _refuse_cross_entropy_of_logits(args: Arguments, params: Parameters) -> None:
    shape = logits_shape({name: values.shape for name, values in args.items()})
    target, ignore_index = args["target"], params["ignore_index"]
    if target.shape == shape and ignore_index is not None:
        raise OptionRefusal("ignore_index has no meaning for a target of class probabilities")
    logits = np.broadcast_to(np.zeros((), args["input"].dtype), shape)
    params = {**params, "ignore_index": _index(ignore_index)}
    refuse_cross_entropy({"input": logits, "target": target}, params)


def advise_linear_cross_entropy(args: Arguments, params: Parameters) -> ReferenceWarning | None:
    """A call that cannot be cut into chunks is computed in one piece."""
    is_plain = params["label_smoothing"] == 0 and args["target"].dtype == np.int64
    if params["options"] is None or (is_plain and args["linear_weight"].ndim == 2):
        return None
    chunked = "only int64 targets of two-dimensional logits, not smoothed, go by chunks"
    return ReferenceWarning(f"options are ignored: {chunked}")


def target_of_other_shape(shapes: Shapes) -> tuple[str, ...]:
    """The target holds class indices unless it has the logits' own shape."""
    return () if shapes["target"] == logits_shape(shapes) else ("target",)


def alike(shapes: Shapes) -> tuple[str, ...]:
    """The linear layer has one dtype, which class weights share if the targets are class indices."""
    layer = ("input", "linear_weight", "linear_bias")
    return (*layer, "weight") if target_of_other_shape(shapes) else layer


def differentiable_parameters(shapes: Shapes) -> tuple[str, ...]:
    """The bias, and for probabilities the class weights, as for CrossEntropyLoss."""
    return ("linear_bias",) if target_of_other_shape(shapes) else ("linear_bias", "weight")


LOSSES = (
    Loss(
        "LinearCrossEntropyLoss",
        "linear_cross_entropy",
        arguments=("input", "linear_weight", "target"),
        differentiable=("input", "linear_weight", "target"),
        value=linear_cross_entropy,
        gradient=linear_cross_entropy_gradient,
        refuse=refuse_linear_cross_entropy,
        conventions=(ZERO_LOG_ZERO,),
        advise=advise_linear_cross_entropy,
        tensor_parameters=("linear_bias", "weight"),
        differentiable_parameters=differentiable_parameters,
        real_parameters={"label_smoothing": 0.0},
        options={"ignore_index": whole(None), "options": word(None, ("chunked",))},
        reductions=ELEMENTWISE,
        has_legacy_reduction=False,
        indices=target_of_other_shape,
        alike=alike,
        limits=within(NEVER_NEGATIVE, {**WEIGHTS, **SHARES}),
    ),
)

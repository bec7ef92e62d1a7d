"""torch's names for what a module holds and is made from, and the reference's own for the same.

A module's tensors go by the names of its state dictionary (``head.weight``), its sizes by its constructor's
keywords (``in_features``). The reference needs no sizes; those that contradict the tensors are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.adaptive_softmax import WEIGHTS
from lossproof.reference.arrays import array_of
from lossproof.reference.loss import Loss
from lossproof.reference.option import WHOLES, Option, boolean, whole
from lossproof.reference.refusals import OptionRefusal, ShapeRefusal

Tensors = Mapping[str, npt.NDArray[Any]]

# From the names of a state dictionary to those of the reference.
_STATES: Mapping[str, Mapping[str, str]] = {
    "AdaptiveLogSoftmaxWithLoss": {name.replace("_", "."): name for name in WEIGHTS},
    "LinearCrossEntropyLoss": {
        "linear.weight": "linear_weight",
        "linear.bias": "linear_bias",
        "weight": "weight",
    },
}
# The constructor's keywords that the reference does without.
_SIZES: Mapping[str, Mapping[str, Option]] = {
    "AdaptiveLogSoftmaxWithLoss": {
        "in_features": whole(None),
        "n_classes": whole(None),
        "head_bias": boolean(None),
    },
    "LinearCrossEntropyLoss": {
        "in_features": whole(None),
        "num_classes": whole(None),
        "out_features": WHOLES,
        "bias": boolean(None),
    },
}


def own_name(loss: Loss, name: str) -> str:
    """The reference's name for what torch calls ``name`` in a state dictionary; other names as they are."""
    return _state_names(loss).get(name, name)


def in_torch_shape(name: str, gradient: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A gradient by a tensor of a state dictionary in the shape that torch gives that tensor."""
    if name == "linear.weight":
        return np.reshape(gradient, (-1, gradient.shape[-1]))
    return np.ravel(gradient) if name == "linear.bias" else gradient


def with_own_names(
    loss: Loss, params: Mapping[str, Any], args: Mapping[str, Any], state: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and arguments of a call without torch's sizes and with the tensors of a state.

    Raises:
        OptionRefusal: for a name that no such module has in its state, and a tensor that is given twice.
        DtypeRefusal: for what is not an array of numbers.
        ShapeRefusal: for sizes that the tensors contradict.
    """
    names = _state_names(loss)
    for name in state:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise OptionRefusal(f"{loss.name} has nothing named '{name}' in its state; {known}")
    params, args = dict(params), dict(args)
    sizes = _sizes(loss, params)
    tensors = {name: array_of(name, values) for name, values in state.items()}
    if "linear.weight" in tensors:
        tensors |= _unfolded(tensors, sizes)
    for name, values in tensors.items():
        own = names[name]
        target = args if own in loss.arguments else params
        if own in args or params.get(own) is not None:
            raise OptionRefusal(f"{own} is given twice, once in the state as '{name}'; keep one")
        target[own] = values
    if sizes:
        _CHECKS[loss.name](sizes, {**params, **args})
    return params, args


def _state_names(loss: Loss) -> Mapping[str, str]:
    buffers = [name for name in loss.tensor_parameters if name not in loss.functional_only]
    return _STATES.get(loss.name, {name: name for name in buffers})


def _sizes(loss: Loss, params: dict[str, Any]) -> dict[str, Any]:
    """Take the sizes out of ``params``. A ``head_bias`` of true or false is one, an array is the bias."""
    sizes = {}
    for name, option in _SIZES.get(loss.name, {}).items():
        is_own = name in loss.parameters and not isinstance(params.get(name), (bool, np.bool_))
        if name in params and not is_own and params[name] is not None:
            sizes[name] = option.accept(name, params.pop(name))
        if name in sizes and np.any(np.less(sizes[name], 0)):
            raise OptionRefusal(f"{name} is {sizes[name]}; a size is not negative")
    return sizes


def _unfolded(tensors: Tensors, sizes: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The weight and the bias of LinearCrossEntropyLoss, which torch keeps folded into one linear layer."""
    weight, outer = tensors["linear.weight"], tuple(sizes.get("out_features", ()))
    rows = math.prod(outer)
    if weight.ndim != 2 or (rows == 0 and len(weight)) or (rows and len(weight) % rows):
        wanted = f"(num_classes * {rows}, in_features)"
        raise ShapeRefusal(f"linear.weight has shape {weight.shape}; it must be {wanted}")
    classes = len(weight) // rows if rows else sizes.get("num_classes", 0)
    unfolded = {"linear.weight": np.reshape(weight, (classes, *outer, weight.shape[1]))}
    if "linear.bias" in tensors:
        bias = tensors["linear.bias"]
        if bias.shape != weight.shape[:1]:
            raise ShapeRefusal(f"linear.bias has shape {bias.shape}; it must be {weight.shape[:1]}")
        unfolded["linear.bias"] = np.reshape(bias, (classes, *outer))
    return unfolded


def _check_linear(sizes: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    shape = _shape("linear_weight", values)
    if len(shape) >= 2:
        _demand("in_features", sizes, shape[-1], "the weight")
        _demand("num_classes", sizes, shape[0], "the weight")
        outer = tuple(int(size) for size in sizes.get("out_features", shape[1:-1]))
        if outer != shape[1:-1]:
            raise ShapeRefusal(f"out_features are {outer}, but the weight is for {shape[1:-1]}")
    _demand_bias("bias", sizes, values.get("linear_bias") is not None)


def _check_adaptive(sizes: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    head = _shape("head_weight", values)
    if len(head) == 2:
        _demand("in_features", sizes, head[1], "the head's weight")
    cutoffs = WHOLES.accept("cutoffs", values.get("cutoffs"))
    last = _shape(f"tail_{cutoffs.size - 1}_1_weight", values)
    if cutoffs.size and len(last) == 2:
        _demand("n_classes", sizes, int(cutoffs[-1]) + last[0], "the last cluster's weight")
    _demand_bias("head_bias", sizes, values.get("head_bias") is not None)


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], None]] = {
    "AdaptiveLogSoftmaxWithLoss": _check_adaptive,
    "LinearCrossEntropyLoss": _check_linear,
}


def _shape(name: str, values: Mapping[str, Any]) -> tuple[int, ...]:
    return () if values.get(name) is None else array_of(name, values[name]).shape


def _demand(name: str, sizes: Mapping[str, Any], size: int, what: str) -> None:
    if sizes.get(name, size) != size:
        raise ShapeRefusal(f"{name} is {sizes[name]}, but {what} is for {size}")


def _demand_bias(name: str, sizes: Mapping[str, Any], is_given: bool) -> None:
    if sizes.get(name, is_given) != is_given:
        claim, truth = ("true", "no bias") if sizes[name] else ("false", "a bias")
        raise ShapeRefusal(f"{name} is {claim}, but there is {truth} among the tensors")

"""What each loss refuses, in the order in which a reader would check: dtypes, shapes, ranges, options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.cross_entropy import holds_probabilities
from lossproof.reference.nll import class_axis
from lossproof.reference.refusals import DtypeRefusal, IndexRefusal, OptionRefusal, RangeRefusal, ShapeRefusal

Arguments = Mapping[str, npt.NDArray[Any]]
Parameters = Mapping[str, Any]


def refuse_nothing(args: Arguments, params: Parameters) -> None:
    """For functions that are defined on everything they are given."""


def refuse_nll_loss(args: Arguments, params: Parameters) -> None:
    """Refuse float or int32 targets, targets outside the classes, and shapes that do not belong together.

    Raises:
        DtypeRefusal, ShapeRefusal, IndexRefusal.
    """
    input, target = args["input"], args["target"]
    _demand_floating("input", input)
    if target.dtype not in (np.int64, np.uint8):
        raise DtypeRefusal(f"target holds {target.dtype}; class indices are int64 (or uint8)")
    if input.ndim == 0:
        raise ShapeRefusal("input has no dimensions; it needs one for the classes")
    axis = class_axis(input)
    classes = input.shape[axis]
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeRefusal(f"target has shape {target.shape}; for input {input.shape} it must be {expected}")
    _demand_class_weights(params.get("weight"), classes)
    outside = (target != params.get("ignore_index", -100)) & ((target < 0) | (target >= classes))
    if np.any(outside):
        raise IndexRefusal(f"target {target[outside].flat[0]} is out of bounds: there are {classes} classes")


def refuse_cross_entropy(args: Arguments, params: Parameters) -> None:
    """As NLLLoss for indices; probabilities must be floating and take no ignore_index.

    Raises:
        DtypeRefusal, ShapeRefusal, IndexRefusal, RangeRefusal, OptionRefusal.
    """
    input, target = args["input"], args["target"]
    smoothing = params.get("label_smoothing", 0.0)
    if not 0 <= smoothing <= 1:
        raise RangeRefusal(f"label_smoothing is {smoothing}; it must lie in [0, 1]")
    if not holds_probabilities(input, target):
        return refuse_nll_loss(args, params)
    _demand_floating("input", input)
    _demand_floating("target", target)
    if input.ndim == 0:
        raise ShapeRefusal("input has no dimensions; it needs one for the classes")
    if params.get("ignore_index", -100) >= 0:
        raise OptionRefusal("ignore_index has no meaning for a target of class probabilities")
    _demand_class_weights(params.get("weight"), input.shape[class_axis(input)])
    return None


def refuse_binary_cross_entropy(args: Arguments, params: Parameters) -> None:
    """Refuse probabilities or targets outside [0, 1], and shapes or dtypes that differ.

    Raises:
        DtypeRefusal, ShapeRefusal, RangeRefusal.
    """
    _demand_alike(args)
    _demand_broadcast("weight", params.get("weight"), args["input"])
    for name in ("input", "target"):
        values = args[name]
        if not np.all((values >= 0) & (values <= 1)):
            raise RangeRefusal(f"{name} holds values outside [0, 1]")


def refuse_binary_cross_entropy_with_logits(args: Arguments, params: Parameters) -> None:
    """Refuse shapes that differ, integer targets, and weights that do not broadcast.

    Raises:
        DtypeRefusal, ShapeRefusal.
    """
    _demand_floating("input", args["input"])
    _demand_floating("target", args["target"])
    if args["input"].shape != args["target"].shape:
        raise ShapeRefusal(
            f"target has shape {args['target'].shape}, input {args['input'].shape}; they must agree"
        )
    for name in ("weight", "pos_weight"):
        _demand_broadcast(name, params.get(name), args["input"])


def refuse_broadcasting(args: Arguments, params: Parameters) -> None:
    """Refuse arguments that are not floating or do not broadcast together.

    Raises:
        DtypeRefusal, ShapeRefusal.
    """
    for name, values in args.items():
        _demand_floating(name, values)
    shapes = [values.shape for values in args.values()]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeRefusal(f"shapes {shapes} do not broadcast together") from None


def refuse_dimension(args: Arguments, params: Parameters) -> None:
    """Refuse a ``dim`` that the input does not have.

    Raises:
        ShapeRefusal.
    """
    input, dim = args["input"], params.get("dim")
    reach = max(input.ndim, 1)
    if dim is not None and not -reach <= dim < reach:
        raise ShapeRefusal(f"dim is {dim}; an input of {input.ndim} dimensions has -{reach} to {reach - 1}")


def _demand_floating(name: str, values: npt.NDArray[Any]) -> None:
    if values.dtype.kind != "f":
        raise DtypeRefusal(f"{name} holds {values.dtype}; it must be floating point")


def _demand_alike(args: Arguments) -> None:
    input, target = args["input"], args["target"]
    _demand_floating("input", input)
    if target.dtype != input.dtype:
        raise DtypeRefusal(f"target holds {target.dtype}, input {input.dtype}; they must agree")
    if target.shape != input.shape:
        raise ShapeRefusal(f"target has shape {target.shape}, input {input.shape}; they must agree")


def _demand_class_weights(weight: npt.NDArray[Any] | None, classes: int) -> None:
    if weight is None:
        return
    if np.asarray(weight).dtype.kind == "c":
        raise DtypeRefusal("weight is complex; the weight of a class is a real number")
    if np.shape(weight) != (classes,):
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}; {classes} classes need ({classes},)")


def _demand_broadcast(name: str, values: npt.NDArray[Any] | None, input: npt.NDArray[Any]) -> None:
    if values is None:
        return
    try:
        fits = np.broadcast_shapes(np.shape(values), input.shape) == input.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeRefusal(f"{name} has shape {np.shape(values)}, which does not broadcast to {input.shape}")

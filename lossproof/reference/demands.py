"""What several losses demand of a call: each function raises a Refusal, or returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.loss import Arguments, Parameters
from lossproof.reference.refusals import DtypeRefusal, IndexRefusal, ShapeRefusal


def refuse_broadcasting(args: Arguments, params: Parameters) -> None:
    """Refuse arguments that are not floating (DtypeRefusal) or do not broadcast together (ShapeRefusal)."""
    for name, values in args.items():
        demand_floating(name, values)
    demand_broadcastable(args)


def refuse_dimension(args: Arguments, params: Parameters) -> None:
    """Refuse a ``dim`` that the input does not have, with a ShapeRefusal."""
    input, dim = args["input"], params["dim"]
    reach = max(input.ndim, 1)
    if dim is not None and not -reach <= dim < reach:
        raise ShapeRefusal(f"dim is {dim}; an input of {input.ndim} dimensions has -{reach} to {reach - 1}")


def demand_floating(name: str, values: npt.NDArray[Any]) -> None:
    """Refuse integers, booleans and complex numbers with a DtypeRefusal."""
    if values.dtype.kind != "f":
        raise DtypeRefusal(f"{name} holds {values.dtype}; it must be floating point")


def demand_subtractable(args: Arguments) -> None:
    """Refuse booleans with a DtypeRefusal."""
    for name, values in args.items():
        if values.dtype.kind == "b":
            raise DtypeRefusal(f"{name} holds booleans, which cannot be subtracted; give numbers")


def demand_broadcastable(args: Arguments) -> tuple[int, ...]:
    """The shape to which the arguments broadcast, or a ShapeRefusal."""
    return broadcast_shape(*(values.shape for values in args.values()))


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which these broadcast, or a ShapeRefusal."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeRefusal(f"shapes {list(shapes)} do not broadcast together") from None


def demand_equal_dimensions(args: Arguments) -> None:
    """Refuse arguments of different numbers of dimensions with a ShapeRefusal."""
    if len({values.ndim for values in args.values()}) > 1:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in args.items())
        raise ShapeRefusal(f"the number of dimensions differs: {shapes}")


def demand_one_shape(args: Arguments) -> None:
    """Refuse a target whose shape is not the input's with a ShapeRefusal."""
    input, target = args["input"], args["target"]
    if target.shape != input.shape:
        raise ShapeRefusal(f"target has shape {target.shape}, input {input.shape}; they must agree")


def demand_broadcast(name: str, values: npt.NDArray[Any] | None, input: npt.NDArray[Any]) -> None:
    """Refuse values that do not broadcast to the input's own shape with a ShapeRefusal."""
    if values is None:
        return
    try:
        fits = np.broadcast_shapes(np.shape(values), input.shape) == input.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeRefusal(f"{name} has shape {np.shape(values)}, which does not broadcast to {input.shape}")


def demand_class_dimension(input: npt.NDArray[Any]) -> None:
    """Refuse a number without dimensions with a ShapeRefusal."""
    if input.ndim == 0:
        raise ShapeRefusal("input has no dimensions; it needs one for the classes")


def demand_class_weights(weight: npt.NDArray[Any] | None, classes: int) -> None:
    """Refuse weights that are complex (DtypeRefusal), or not one for each class (ShapeRefusal)."""
    if weight is None:
        return
    if weight.dtype.kind == "c":
        raise DtypeRefusal("weight is complex; the weight of a class is a real number")
    if np.shape(weight) != (classes,):
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}; {classes} classes need ({classes},)")


def demand_classes(target: npt.NDArray[Any], classes: int, lowest: int = 0) -> None:
    """Refuse class indices outside [lowest, classes) with an IndexRefusal."""
    outside = (target < lowest) | (target >= classes)
    if np.any(outside):
        raise IndexRefusal(f"target {target[outside].flat[0]} is out of bounds: there are {classes} classes")

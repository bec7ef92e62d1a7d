"""What several losses refuse: each function raises the Refusal, or returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.loss import Arguments, Parameters
from lossproof.reference.refusals import DtypeRefusal, ShapeRefusal


def refuse_broadcasting(args: Arguments, params: Parameters) -> None:
    """Refuse arguments that are not floating or do not broadcast together.

    Raises:
        DtypeRefusal, ShapeRefusal.
    """
    for name, values in args.items():
        demand_floating(name, values)
    demand_broadcastable(args)


def refuse_dimension(args: Arguments, params: Parameters) -> None:
    """Refuse a ``dim`` that the input does not have.

    Raises:
        ShapeRefusal.
    """
    input, dim = args["input"], params["dim"]
    reach = max(input.ndim, 1)
    if dim is not None and not -reach <= dim < reach:
        raise ShapeRefusal(f"dim is {dim}; an input of {input.ndim} dimensions has -{reach} to {reach - 1}")


def demand_floating(name: str, values: npt.NDArray[Any]) -> None:
    """Refuse integers, booleans and complex numbers with a DtypeRefusal."""
    if values.dtype.kind != "f":
        raise DtypeRefusal(f"{name} holds {values.dtype}; it must be floating point")


def demand_broadcastable(args: Arguments) -> None:
    """Refuse arguments that do not broadcast together with a ShapeRefusal."""
    shapes = [values.shape for values in args.values()]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeRefusal(f"shapes {shapes} do not broadcast together") from None


def demand_one_shape(args: Arguments) -> None:
    """Refuse a target whose shape is not the input's with a ShapeRefusal."""
    input, target = args["input"], args["target"]
    if target.shape != input.shape:
        raise ShapeRefusal(f"target has shape {target.shape}, input {input.shape}; they must agree")


def demand_class_weights(weight: npt.NDArray[Any] | None, classes: int) -> None:
    """Refuse weights that are complex (DtypeRefusal) or not one a class (ShapeRefusal)."""
    if weight is None:
        return
    if weight.dtype.kind == "c":
        raise DtypeRefusal("weight is complex; the weight of a class is a real number")
    if np.shape(weight) != (classes,):
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}; {classes} classes need ({classes},)")


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

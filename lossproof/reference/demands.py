"""What all losses, or several, demand of a call: each function raises a Refusal, or returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.reference.arrays import holds_whole_numbers
from lossproof.reference.loss import Arguments, Loss, Parameters
from lossproof.reference.refusals import DtypeRefusal, IndexRefusal, OptionRefusal, RangeRefusal, ShapeRefusal

_LAST_WHOLE = 2**53


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
    """Refuse weights that are not one for each class with a ShapeRefusal."""
    if weight is not None and np.shape(weight) != (classes,):
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}; {classes} classes need ({classes},)")


def demand_classes(target: npt.NDArray[Any], classes: int, lowest: int = 0) -> None:
    """Refuse class indices outside [lowest, classes) with an IndexRefusal."""
    outside = (target < lowest) | (target >= classes)
    if np.any(outside):
        raise IndexRefusal(f"target {target[outside].flat[0]} is out of bounds: there are {classes} classes")


def demand_real(loss: Loss, arrays: Mapping[str, Any]) -> None:
    """Refuse complex arguments unless the loss takes them, and any complex parameter, with a DtypeRefusal."""
    for name, array in arrays.items():
        is_allowed = loss.takes_complex and name in loss.arguments
        if array is not None and array.dtype.kind == "c" and not is_allowed:
            raise DtypeRefusal(f"{name} is complex; it must be real")


def demand_one_dtype(tensors: Sequence[tuple[str, str]]) -> None:
    """Refuse tensors, each given as its name and dtype, that do not share one, with a DtypeRefusal."""
    for name, dtype in tensors[1:]:
        first, wanted = tensors[0]
        if dtype != wanted:
            raise DtypeRefusal(f"{name} holds {dtype}, {first} {wanted}; they must agree")


def demand_known(loss: Loss, params: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    """Refuse names that the loss does not know, and a missing argument, with an OptionRefusal."""
    known = (*loss.parameters, *loss.typed_reductions)
    for name in params:
        if name not in known:
            raise OptionRefusal(f"{loss.name} has no parameter '{name}'; it has {', '.join(sorted(known))}")
    for name in loss.arguments:
        if name not in args:
            raise OptionRefusal(f"{loss.name} needs the argument '{name}'")
    for name in args:
        if name not in (*loss.arguments, *loss.tensor_parameters):
            raise OptionRefusal(f"{loss.name} has no argument '{name}'; it has {', '.join(loss.arguments)}")


def demand_whole(indices: tuple[str, ...], args: Mapping[str, npt.NDArray[Any]]) -> None:
    """Refuse what int64 does not hold with a DtypeRefusal; which of its dtypes fit, a loss says itself."""
    for name in indices:
        if not holds_whole_numbers(args[name]):
            raise DtypeRefusal(f"{name} holds {args[name].dtype}; it must hold whole numbers, as int64 does")


def demand_exact(args: Mapping[str, npt.NDArray[Any]]) -> None:
    """Refuse whole numbers that a formula would compute with, but float64 rounds, with a RangeRefusal."""
    for name, values in args.items():
        if values.dtype.kind in "iu" and np.any((values > _LAST_WHOLE) | (values < -_LAST_WHOLE)):
            raise RangeRefusal(f"{name} holds whole numbers beyond 2^53, which float64 cannot all hold")

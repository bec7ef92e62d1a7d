"""What the regression losses share: each looks at the difference d = x - t alone, element by element."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning, ShapeWarning
from lossproof.reference.demands import demand_broadcastable
from lossproof.reference.loss import Arguments, Parameters
from lossproof.reference.reductions import sum_to_shape
from lossproof.reference.refusals import DtypeRefusal, ShapeRefusal
from lossproof.reference.steps import step


def difference_of(input: Array, target: Array) -> Array:
    """d = x - t, in the shape that both broadcast to."""
    return step("d", input - target)


def gradients_of(
    input: Array, target: Array, weight: Array | None, share: Array, slope: Array, to_weight: Array | None
) -> dict[str, Array]:
    """dl/dx = g w dL/dd = -dl/dt, each summed over what was broadcast.

    Args:
        input, target, weight: of the call.
        share: the upstream gradient g of each loss.
        slope: dL/dd.
        to_weight: dl/dw, where there are weights.
    """
    to_input = share * slope if weight is None else share * weight * slope
    gradients = {
        "input": sum_to_shape(to_input, tuple(input.shape)),
        "target": sum_to_shape(-to_input, tuple(target.shape)),
    }
    if weight is not None:
        gradients["weight"] = sum_to_shape(to_weight, tuple(weight.shape))
    return gradients


def refuse_regression(args: Arguments, params: Parameters) -> None:
    """Refuse whole numbers in both (DtypeRefusal), and shapes that do not fit (ShapeRefusal)."""
    if all(values.dtype.kind in "iub" for values in args.values()):
        raise DtypeRefusal("input and target both hold integers; one of them must be floating point")
    demand_broadcastable(args)
    weight, shape = params.get("weight"), args["input"].shape
    if weight is not None and np.shape(weight) != shape:
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}, input {shape}; they must agree")


def advise_on_shapes(args: Arguments, params: Parameters) -> ReferenceWarning | None:
    """A target of another shape is broadcast, which is rarely what was meant."""
    input, target = args["input"], args["target"]
    if input.shape == target.shape:
        return None
    return ShapeWarning(f"target has shape {target.shape}, input {input.shape}; they are broadcast together")

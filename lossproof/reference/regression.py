"""L1Loss, MSELoss, SmoothL1Loss and HuberLoss: how far real numbers are from their targets.

All four look at the difference d = x - t alone, element by element.

https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning, ShapeWarning
from lossproof.reference.conventions import magnitude_convention, sign
from lossproof.reference.loss import ELEMENTWISE, Arguments, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import DtypeRefusal, RangeRefusal, ShapeRefusal
from lossproof.reference.refusing import demand_broadcastable, demand_floating
from lossproof.reference.steps import step

L1_AT_ZERO = magnitude_convention("l1-at-zero", "L1Loss where input = target")
SMOOTH_L1_AT_ZERO = magnitude_convention("smooth-l1-at-zero", "SmoothL1Loss of beta 0 where input = target")


def l1_loss(input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean") -> Array:
    """L = w |d|; with weights the mean is sum L / sum w.

    Args:
        input: any numbers x, real or complex, of any shape; broadcast with ``target``.
        target: t.
        weight: w, of the input's own shape.
        reduction: none, mean or sum.
    """
    losses = _weighted(np.abs(_difference(input, target)), weight)
    return reduce(losses, reduction, _weight_total(weight, losses))


def l1_loss_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = w sign(d) = -dl/dt, and 0 at d = 0."""
    difference = input - target
    distance = np.abs(difference)
    total = _weight_total(weight, distance)
    to_weight = _to_weight_of_weighted_mean(upstream, distance, weight, total, reduction)
    share = spread(upstream, tuple(distance.shape), reduction, total)
    return _gradients(input, target, weight, share, sign(difference, L1_AT_ZERO), to_weight)


def mse_loss(input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean") -> Array:
    """L = w d^2; with weights the mean is sum L / sum w.

    Args:
        input: any numbers x, of any shape; broadcast with ``target``.
        target: t.
        weight: w, of the input's own shape.
        reduction: none, mean or sum.
    """
    difference = _difference(input, target)
    losses = _weighted(difference * difference, weight)
    return reduce(losses, reduction, _weight_total(weight, losses))


def mse_loss_gradient(
    upstream: Array, input: Array, target: Array, *, weight: Array | None = None, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = 2 w d = -dl/dt."""
    difference = input - target
    squares = difference * difference
    total = _weight_total(weight, squares)
    to_weight = _to_weight_of_weighted_mean(upstream, squares, weight, total, reduction)
    share = spread(upstream, tuple(squares.shape), reduction, total)
    return _gradients(input, target, weight, share, 2.0 * difference, to_weight)


def smooth_l1_loss(input: Array, target: Array, *, beta: Array = 1.0, reduction: str = "mean") -> Array:
    """L = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; at beta = 0 it is |d|.

    Args:
        input: any numbers x, of any shape; broadcast with ``target``.
        target: t.
        beta: where the parabola ends and the lines begin, at least 0.
        reduction: none, mean or sum.
    """
    distance = step("|d|", np.abs(_difference(input, target)))
    # d^2 first would overflow, or vanish, long before the loss does.
    parabola = 0.5 * distance * (distance / beta)
    losses = np.where(distance < beta, parabola, distance - 0.5 * beta)
    return reduce(step("losses", losses), reduction)


def smooth_l1_loss_gradient(
    upstream: Array, input: Array, target: Array, *, beta: Array = 1.0, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = d / beta, bounded by -1 and 1; at beta = 0 it is sign(d)."""
    difference = input - target
    if beta == 0:
        slope = sign(difference, SMOOTH_L1_AT_ZERO)
    else:
        slope = np.minimum(np.maximum(difference / beta, -1.0), 1.0)
    share = spread(upstream, tuple(difference.shape), reduction)
    return _gradients(input, target, None, share, slope, None)


def huber_loss(
    input: Array,
    target: Array,
    *,
    delta: Array = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> Array:
    """L = w d^2 / 2 where |d| < delta, else w delta (|d| - delta / 2); the mean is over elements.

    Args:
        input: any numbers x, of any shape; broadcast with ``target``.
        target: t.
        delta: where the parabola ends and the lines begin, above 0.
        weight: w, of the input's own shape; unlike in l1_loss and mse_loss it does not divide the mean.
        reduction: none, mean or sum.
    """
    return reduce(_weighted(_huber(_difference(input, target), delta), weight), reduction)


def huber_loss_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    delta: Array = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx = w d, with d bounded by -delta and delta; dl/dw is the loss without its weight."""
    difference = input - target
    slope = np.minimum(np.maximum(difference, -delta), delta)
    share = spread(upstream, tuple(difference.shape), reduction)
    return _gradients(input, target, weight, share, slope, share * _huber(difference, delta))


def _difference(input: Array, target: Array) -> Array:
    return step("d", input - target)


def _huber(difference: Array, delta: Array) -> Array:
    distance = np.abs(difference)
    return np.where(distance < delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta))


def _weighted(losses: Array, weight: Array | None) -> Array:
    return step("losses", losses if weight is None else losses * weight)


def _weight_total(weight: Array | None, losses: Array) -> Array | None:
    """The weighted mean's denominator: a weight counts once for each loss that it weighs."""
    return None if weight is None else np.sum(np.broadcast_to(weight, tuple(losses.shape)))


def _to_weight_of_weighted_mean(
    upstream: Array, losses: Array, weight: Array | None, total: Array | None, reduction: str
) -> Array | None:
    """dl/dw = L_i, L_i being the loss without its weight; of the mean l, dl/dw = (L_i - l) / sum w."""
    if weight is None:
        return None
    share = spread(upstream, tuple(losses.shape), reduction, total)
    if reduction != "mean":
        return share * losses
    return share * losses - share * (np.sum(losses * weight) / total)


def _gradients(
    input: Array, target: Array, weight: Array | None, share: Array, slope: Array, to_weight: Array | None
) -> dict[str, Array]:
    """The gradients of all three, each summed over what it was broadcast along."""
    to_input = share * slope if weight is None else share * weight * slope
    gradients = {
        "input": sum_to_shape(to_input, tuple(input.shape)),
        "target": sum_to_shape(-to_input, tuple(target.shape)),
    }
    if weight is not None:
        gradients["weight"] = sum_to_shape(to_weight, tuple(weight.shape))
    return gradients


def refuse_l1_loss(args: Arguments, params: Parameters) -> None:
    """Refuse booleans, two integer tensors, shapes that do not broadcast, weights not of the input's shape.

    Raises:
        DtypeRefusal, ShapeRefusal.
    """
    for name, values in args.items():
        if values.dtype.kind == "b":
            raise DtypeRefusal(f"{name} holds booleans, which cannot be subtracted")
    _refuse_shapes_and_integers(args, params)


def refuse_regression(args: Arguments, params: Parameters) -> None:
    """Refuse complex numbers, two integer tensors, and shapes that do not fit.

    Raises:
        DtypeRefusal, ShapeRefusal.
    """
    for name, values in args.items():
        if values.dtype.kind == "c":
            raise DtypeRefusal(f"{name} is complex; it must be real")
    _refuse_shapes_and_integers(args, params)


def _refuse_shapes_and_integers(args: Arguments, params: Parameters) -> None:
    if all(values.dtype.kind in "iub" for values in args.values()):
        raise DtypeRefusal("input and target both hold integers; one of them must be floating point")
    demand_broadcastable(args)
    weight, shape = params.get("weight"), args["input"].shape
    if weight is not None and np.shape(weight) != shape:
        raise ShapeRefusal(f"weight has shape {np.shape(weight)}, input {shape}; they must agree")


def refuse_smooth_l1_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what no regression loss takes, and a beta that is negative or nan.

    Raises:
        DtypeRefusal, ShapeRefusal, RangeRefusal.
    """
    refuse_regression(args, params)
    beta = params["beta"]
    if not beta >= 0:
        raise RangeRefusal(f"beta is {beta}; it must be 0 or more")


def refuse_huber_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what no regression loss takes, an integer input, and a delta that is not above 0.

    Raises:
        DtypeRefusal, ShapeRefusal, RangeRefusal.
    """
    demand_floating("input", args["input"])
    refuse_regression(args, params)
    delta = params["delta"]
    if not delta > 0:
        raise RangeRefusal(f"delta is {delta}; it must be more than 0")


def advise_on_shapes(args: Arguments, params: Parameters) -> ReferenceWarning | None:
    """A target of another shape is broadcast, which is rarely what was meant."""
    input, target = args["input"], args["target"]
    if input.shape == target.shape:
        return None
    return ShapeWarning(f"target has shape {target.shape}, input {input.shape}; they are broadcast together")


LOSSES = (
    Loss(
        "L1Loss",
        "l1_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        takes_complex=True,
        value=l1_loss,
        gradient=l1_loss_gradient,
        refuse=refuse_l1_loss,
        conventions=(L1_AT_ZERO,),
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
    ),
    Loss(
        "MSELoss",
        "mse_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=mse_loss,
        gradient=mse_loss_gradient,
        refuse=refuse_regression,
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
    ),
    Loss(
        "SmoothL1Loss",
        "smooth_l1_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=smooth_l1_loss,
        gradient=smooth_l1_loss_gradient,
        refuse=refuse_smooth_l1_loss,
        conventions=(SMOOTH_L1_AT_ZERO,),
        advise=advise_on_shapes,
        real_parameters={"beta": 1.0},
        reductions=ELEMENTWISE,
        counts_numbers=True,
    ),
    Loss(
        "HuberLoss",
        "huber_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=huber_loss,
        gradient=huber_loss_gradient,
        refuse=refuse_huber_loss,
        advise=advise_on_shapes,
        tensor_parameters=("weight",),
        differentiable_parameters=lambda shapes: ("weight",),
        real_parameters={"delta": 1.0},
        functional_only=("weight",),
        reductions=ELEMENTWISE,
        counts_numbers=True,
        has_legacy_reduction=False,
    ),
)

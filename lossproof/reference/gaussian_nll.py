"""GaussianNLLLoss: the negative log likelihood of normal samples whose variance is predicted too."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import gradient_convention, hinge_convention, unit_step
from lossproof.reference.demands import demand_broadcastable, demand_floating, demand_subtractable
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import boolean
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import RangeRefusal, ShapeRefusal
from lossproof.reference.steps import step

BELOW_EPS = gradient_convention(
    "gaussian-variance-below-eps",
    "The clamp of var at eps passes the gradient straight through: below eps, the gradient by var is the "
    "slope at eps, where the clamped loss does not change with var.",
    usual="straight through",
)
ON_EPS = hinge_convention("gaussian-variance-on-eps", "max(var, eps) in GaussianNLLLoss where var = eps", "1")


def gaussian_nll(
    input: Array, target: Array, var: Array, *, full: bool = False, eps: Array = 1e-6, reduction: str = "mean"
) -> Array:
    """L = (log v + (x - t)^2 / v) / 2 with v = max(var, eps); ``full`` adds log(2 pi) / 2.

    Args:
        input: the expected value x, a real number.
        target: the sample t; broadcast with ``input``.
        var: the floating variance, not negative: of the input's shape, or with one dimension of size 1
            instead, or without the last one, which it is then repeated along.
        full: whether to add the constant.
        eps: the least variance.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        RangeRefusal: for a negative variance.
        ShapeRefusal: for a variance of another shape, and where shapes do not broadcast.
        DtypeRefusal: for a variance that is not floating, and for booleans.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [1.0, 0.0], "target": [0.0, 0.0], "var": [1.0, 1.0]}
    >>> print(forward("GaussianNLLLoss", {}, call), gradient("GaussianNLLLoss", {}, call, "var"))
    0.25 [0.   0.25]

    Source: Nix and Weigend (1994), "Estimating the mean and variance of the target probability distribution";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
    """
    variance = step("variance", np.maximum(_aligned(var, input), eps))
    difference = step("input - target", input - target)
    losses = 0.5 * (np.log(variance) + difference * difference / variance)
    if full:
        losses = losses + 0.5 * np.log(8.0 * np.arctan(np.ones_like(losses)))
    return reduce(step("losses", losses), reduction)


def gaussian_nll_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    var: Array,
    *,
    full: bool = False,
    eps: Array = 1e-6,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx = (x - t) / v = -dl/dt and dl/dvar = (1 / v - (x - t)^2 / v^2) / 2, also below eps."""
    aligned = _aligned(var, input)
    variance = np.maximum(aligned, eps)
    difference = input - target
    share = spread(upstream, tuple(difference.shape), reduction)
    by_input = share * (difference / variance)
    by_var = 0.5 * share / variance - 0.5 * share * (difference * difference / variance / variance)
    return {
        "input": sum_to_shape(by_input, tuple(input.shape)),
        "target": sum_to_shape(-by_input, tuple(target.shape)),
        "var": np.reshape(sum_to_shape(by_var, tuple(aligned.shape)), tuple(var.shape)),
    }


def gaussian_nll_derivative(
    upstream: Array, input: Array, target: Array, var: Array, *, eps: Array = 1e-6, **rest: Any
) -> dict[str, Array]:
    """The gradient, but dl/dvar = 0 for a variance below eps."""
    gradient = gaussian_nll_gradient(upstream, input, target, var, eps=eps, **rest)
    return gradient | {"var": gradient["var"] * unit_step(var - eps, ON_EPS)}


def _aligned(var: Array, input: Array) -> Array:
    """Var with the dimension that it lacks: the last one, whatever plain broadcasting would say."""
    lacks_last = tuple(var.shape) != tuple(input.shape) and tuple(var.shape) == tuple(input.shape)[:-1]
    return np.expand_dims(var, -1) if lacks_last else var


def refuse_gaussian_nll(args: Arguments, params: Parameters) -> None:
    """Refuse what ``gaussian_nll`` lists under Raises."""
    input, var = args["input"], args["var"]
    if np.any(var < 0):
        raise RangeRefusal("var holds negative variances")
    # One dimension may have size 1; a size of 0 escapes torch's count of the others.
    differing = [own for own, other in zip(var.shape, input.shape, strict=False) if own != other]
    has_one_dimension = var.ndim == input.ndim and sum(differing) == 1
    if var.shape not in (input.shape, input.shape[:-1]) and not has_one_dimension:
        raise ShapeRefusal(
            f"var has shape {var.shape}; an input of shape {input.shape} needs the same, or one dimension "
            "of size 1, or none for the last"
        )
    demand_floating("var", var)
    demand_subtractable(args)
    demand_broadcastable({**args, "var": _aligned(var, input)})


LOSSES = (
    Loss(
        "GaussianNLLLoss",
        "gaussian_nll_loss",
        arguments=("input", "target", "var"),
        differentiable=("input", "target", "var"),
        value=gaussian_nll,
        gradient=gaussian_nll_gradient,
        refuse=refuse_gaussian_nll,
        derivative=gaussian_nll_derivative,
        conventions=(BELOW_EPS, ON_EPS),
        real_parameters={"eps": 1e-6},
        options={"full": boolean(False)},
        reductions=ELEMENTWISE,
        has_legacy_reduction=False,
        laws=frozenset({Law.ELEMENTWISE}),
    ),
)

"""PoissonNLLLoss: the negative log likelihood of counts, element by element."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.demands import demand_broadcastable
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import boolean
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import DtypeRefusal
from lossproof.reference.steps import step


def poisson_nll(
    input: Array,
    target: Array,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: Array = 1e-8,
    reduction: str = "mean",
) -> Array:
    """L = exp(x) - t x, or x - t log(x + eps) without log_input; ``full`` adds Stirling's log t!.

    Args:
        input: the logarithm x of the expected count, or the count itself without ``log_input``.
        target: the count t; broadcast with ``input``.
        log_input: whether ``input`` holds logarithms.
        full: whether to add t log t - t + log(2 pi t) / 2 for each target above 1, and 0 for the others.
        eps: keeps the logarithm finite at 0; unused with ``log_input``.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for booleans that would have to be subtracted.
        ShapeRefusal: where shapes do not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.0, 1.0], "target": [2.0, 0.0]}
    >>> print(forward("PoissonNLLLoss", {"reduction": "none"}, call).round(4))
    [1.     2.7183]
    >>> print(gradient("PoissonNLLLoss", {"reduction": "sum"}, call, "target"))
    [ 0. -1.]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
    """
    if log_input:
        losses = step("expected count", np.exp(input)) - target * input
    else:
        losses = input - target * step("log(input + eps)", np.log(input + eps))
    if full:
        losses = losses + step("log target!", _log_factorial(target))
    return reduce(step("losses", losses), reduction)


def poisson_nll_gradient(
    upstream: Array,
    input: Array,
    target: Array,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: Array = 1e-8,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx = exp(x) - t and dl/dt = -x; without log_input dl/dx = 1 - t / (x + eps), dl/dt = -log(x + eps).

    ``full`` adds log t + 1 / (2 t) to dl/dt where t > 1. The upstream gradient multiplies each term on
    its own, as the chain rule does over the terms of l.
    """
    shape = np.broadcast_shapes(tuple(input.shape), tuple(target.shape))
    share = spread(upstream, shape, reduction)
    if log_input:
        by_input = share * np.exp(input) - share * target
        by_target = -share * input
    else:
        by_input = share - share * target / (input + eps)
        by_target = -share * np.log(input + eps)
    if full:
        by_target = by_target + share * _log_factorial_slope(target)
    return {
        "input": sum_to_shape(by_input, tuple(input.shape)),
        "target": sum_to_shape(by_target, tuple(target.shape)),
    }


def _log_factorial(target: Array) -> Array:
    """Stirling's approximation of log t!, which torch takes to be 0 up to t = 1."""
    count = np.where(target <= 1, 1.0, target)
    turn = 8.0 * np.arctan(np.ones_like(count))
    stirling = count * np.log(count) - count + 0.5 * np.log(turn * count)
    return np.where(target <= 1, 0.0, stirling)


def _log_factorial_slope(target: Array) -> Array:
    count = np.where(target <= 1, 1.0, target)
    return np.where(target <= 1, 0.0, np.log(count) + 0.5 / count)


def refuse_poisson_nll(args: Arguments, params: Parameters) -> None:
    """Refuse what ``poisson_nll`` lists under Raises."""
    booleans = {name for name, values in args.items() if values.dtype == bool}
    subtracts_input = not params["log_input"]
    if (
        len(booleans) == 2
        or ("input" in booleans and subtracts_input)
        or ("target" in booleans and params["full"])
    ):
        raise DtypeRefusal("input and target hold booleans, which cannot be subtracted; give numbers")
    demand_broadcastable(args)


LOSSES = (
    Loss(
        "PoissonNLLLoss",
        "poisson_nll_loss",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=poisson_nll,
        gradient=poisson_nll_gradient,
        refuse=refuse_poisson_nll,
        real_parameters={"eps": 1e-8},
        options={"log_input": boolean(True), "full": boolean(False)},
        reductions=ELEMENTWISE,
        laws=frozenset({Law.ELEMENTWISE}),
    ),
)

"""KLDivLoss: the Kullback-Leibler divergence, element by element."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.conventions import zero_convention
from lossproof.reference.demands import refuse_broadcasting
from lossproof.reference.information import product_with_log
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import boolean
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.steps import step

ZERO_LOG_ZERO = zero_convention("kl-div-zero-log-zero", "t log t of KLDivLoss where a target is 0", "0")
ZERO_TIMES_INFINITY = zero_convention(
    "kl-div-zero-times-infinity", "t x of KLDivLoss where a target is 0 and its log-probability -inf", "0"
)
LOG_TARGET_ZERO = zero_convention(
    "kl-div-log-target-zero", "exp(t) (t - x) of KLDivLoss where a logarithmic target is -inf", "0"
)


def kl_div(input: Array, target: Array, *, log_target: bool = False, reduction: str = "mean") -> Array:
    """L = t (log t - x), with 0 log 0 = 0; ``batchmean`` divides the sum by the batch size, ``mean`` by all.

    Args:
        input: floating log-probabilities x of the model, of any shape; broadcast with ``target``.
        target: floating probabilities t, or their logarithms with ``log_target``.
        log_target: whether ``target`` holds logarithms: l = exp(t) (t - x).
        reduction: none, mean, sum or batchmean.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for numbers that are not floating.
        ShapeRefusal: where shapes do not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [[-1.0, -2.0]], "target": [[1.0, 0.0]]}
    >>> print(forward("KLDivLoss", {"reduction": "batchmean"}, call))
    1.0
    >>> print(gradient("KLDivLoss", {"reduction": "sum"}, call, "input"))
    [[-1.  0.]]

    Source: Kullback and Leibler (1951), "On information and sufficiency";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
    """
    if log_target:
        losses = product_with_log(np.exp(target), target - input, LOG_TARGET_ZERO)
    else:
        own = product_with_log(target, np.log(target), ZERO_LOG_ZERO)
        losses = own - product_with_log(target, input, ZERO_TIMES_INFINITY)
    return reduce(step("losses", losses), reduction, _denominator(input, reduction))


def kl_div_gradient(
    upstream: Array, input: Array, target: Array, *, log_target: bool = False, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = -t and dl/dt = log t + 1 - x.

    With log_target, dl/dx = -exp(t) and dl/dt = exp(t) (t - x) + exp(t).

    The upstream gradient multiplies each term on its own, as the chain rule does over the terms of l.
    """
    shape = np.broadcast_shapes(tuple(input.shape), tuple(target.shape))
    share = spread(upstream, shape, reduction, _denominator(input, reduction))
    probability = np.exp(target) if log_target else target
    if log_target:
        slope = share * (target - input) * probability + share * probability
    else:
        slope = share * np.log(target) - share * input + share
    return {
        "input": sum_to_shape(-probability * share, tuple(input.shape)),
        "target": sum_to_shape(slope, tuple(target.shape)),
    }


def _denominator(input: Array, reduction: str) -> float | None:
    """The batch size for ``batchmean``; a 0-d input is one batch."""
    if reduction != "batchmean":
        return None
    return float(input.shape[0]) if input.ndim else 1.0


def advise_on_mean(args: Arguments, params: Parameters) -> ReferenceWarning | None:
    """The mean over elements is rarely what was meant."""
    if params["reduction"] != "mean":
        return None
    advice = "'batchmean' gives the divergence"
    return ReferenceWarning(f"reduction='mean' divides by the number of elements; {advice}")


LOSSES = (
    Loss(
        "KLDivLoss",
        "kl_div",
        arguments=("input", "target"),
        differentiable=("input", "target"),
        value=kl_div,
        gradient=kl_div_gradient,
        conventions=(ZERO_LOG_ZERO, ZERO_TIMES_INFINITY, LOG_TARGET_ZERO),
        refuse=refuse_broadcasting,
        advise=advise_on_mean,
        options={"log_target": boolean(False)},
        reductions=(*ELEMENTWISE, "batchmean"),
        laws=frozenset({Law.ELEMENTWISE}),
    ),
)

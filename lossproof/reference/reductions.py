"""Reductions, and the upstream gradient that reaches each element through them.

With losses l_1 ... l_n and an upstream gradient g of the output's shape:

    none: l            each element receives its own g
    sum:  sum_i l_i    each receives g
    mean: sum_i l_i/D  each receives g / D

where the denominator D is n, unless the loss says otherwise (NLLLoss: the weights' sum; KLDivLoss's
batchmean: the batch size). The mean of nothing is nan, as 0/0 is.
"""

from __future__ import annotations

import math

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.steps import step


def weighted(losses: Array, weight: Array | None) -> Array:
    """w L, or L without weights."""
    return step("losses", losses if weight is None else losses * weight)


def reduce(losses: Array, reduction: str, denominator: Array | None = None) -> Array:
    """sum l, or sum l / D; l itself without a reduction.

    Args:
        losses: l, one for each element, of any shape.
        reduction: none, sum, mean, or another name for a mean of its own denominator.
        denominator: D, by default the number of losses.

    Returns:
        The losses, or one number.

    >>> print(reduce(np.array([1.0, 3.0]), "mean"), reduce(np.array([1.0, 3.0]), "mean", 8.0))
    2.0 0.5
    """
    if reduction == "none":
        return losses
    total = step("sum", np.sum(losses))
    if reduction == "sum":
        return total
    return step(reduction, total / (float(losses.size) if denominator is None else denominator))


def spread(
    upstream: Array, shape: tuple[int, ...], reduction: str, denominator: Array | None = None
) -> Array:
    """g, or g / D for a mean: the upstream gradient of each loss.

    Args:
        upstream: g, of the reduced shape.
        shape: that of the losses before their reduction.
        reduction, denominator: as for ``reduce``.

    Returns:
        An array of ``shape``.

    >>> print(spread(np.array(1.0), (2,), "mean"))
    [0.5 0.5]
    """
    if reduction in ("none", "sum"):
        share = upstream
    else:
        share = upstream / (float(math.prod(shape)) if denominator is None else denominator)
    return share if share.shape == shape else np.broadcast_to(share, shape)


def sum_to_shape(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Undo broadcasting: sum ``gradient`` over the dimensions along which ``shape`` may be repeated.

    >>> print(sum_to_shape(np.ones((3, 2)), (1, 2)))
    [[3. 3.]]
    """
    leading = gradient.ndim - len(shape)
    repeated = (*range(leading), *(leading + axis for axis, size in enumerate(shape) if size == 1))
    total = np.sum(gradient, axis=repeated)
    return total if total.shape == shape else np.reshape(total, shape)


def canonical_reduction(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that torch performs: ``size_average`` and ``reduce``, which it superseded, override it.

    >>> canonical_reduction("mean", False, None), canonical_reduction("sum", None, None)
    ('sum', 'sum')
    """
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"

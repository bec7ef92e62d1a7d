"""How far results are from correctly rounded ones, in units in the last place."""

from __future__ import annotations

import math

import numpy as np

from lossproof.judging.truth import FEW, Truth
from lossproof.numbers.formats import Float64Array

_FARTHEST = 1e300


def ulps_of(observed: Float64Array, truth: Truth) -> tuple[float, float] | None:
    """The worst and the median distance from the true numbers, of all elements that are finite.

    A correctly rounded number is at most half a unit off. None if no element is finite, or for another shape.
    """
    if observed.shape != truth.value.shape:
        return None
    return _of_few(observed, truth) if observed.size <= FEW else _of_many(observed, truth)


def shortened(ulps: tuple[float, float] | None) -> tuple[float, float] | None:
    """The two numbers with three digits, of which a reader needs no more; JSON has no infinity."""
    if ulps is None:
        return None
    worst, median = (float(f"{min(number, _FARTHEST):.3g}") for number in ulps)
    return worst, median


def _of_few(observed: Float64Array, truth: Truth) -> tuple[float, float] | None:
    distances = []
    format = truth.format
    for number, (true, remainder, _) in zip(observed.ravel().tolist(), truth.elements, strict=True):
        if math.isfinite(number) and math.isfinite(true):
            error = abs((number - true) - remainder)
            if error:
                exponent = max(math.frexp(true)[1] - 1, format.smallest_exponent) - format.precision + 1
                error /= math.ldexp(1.0, exponent)
            distances.append(error)
    if not distances:
        return None
    distances.sort()
    middle = len(distances) // 2
    median = distances[middle] if len(distances) % 2 else (distances[middle - 1] + distances[middle]) / 2
    return distances[-1], median


def _of_many(observed: Float64Array, truth: Truth) -> tuple[float, float] | None:
    true = truth.value
    with np.errstate(all="ignore"):
        error = np.abs((observed - true) - truth.remainder)
    if not np.isfinite(error).all():
        is_finite = np.isfinite(observed) & np.isfinite(true)
        error, true = error[is_finite], true[is_finite]
    if not error.size:
        return None
    if not error.any():
        return 0.0, 0.0
    distances = (error / truth.format.unit_in_the_last_place(true)).ravel()
    worst, middle = float(np.max(distances)), distances.size // 2
    if distances.size - int(np.count_nonzero(distances)) > middle:
        return worst, 0.0  # among so many zeros, a partition takes ten times as long
    # All before the middle one are at most as large; np.median would also look for nan.
    distances.partition(middle)
    median = float(distances[middle])
    if distances.size % 2 == 0:
        median = (float(np.max(distances[:middle])) + median) / 2
    return worst, median

"""Whether observed numbers agree with the truth: the error in units of the budget 2B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.judging.number_text import true_text
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import Float64Array

BIAS_LIMIT = 0.25
BIAS_SAMPLE = 1000


@dataclass(frozen=True)
class Verdict:
    """Whether a quantity agrees, how much of its budget it used (at most 1 where it agrees), and why not."""

    agrees: bool
    error_over_budget: float | None
    message: str = ""


def compare(observed: npt.NDArray[np.float64], truth: Truth) -> Verdict:
    """Judge every element: |observed - true| <= 2B, and non-finite values as they should be."""
    if observed.shape != truth.value.shape:
        return Verdict(False, None, f"shape {observed.shape}, should be {truth.value.shape}")
    if observed.size == 0:
        return Verdict(True, 0.0)
    shares = budget_shares(observed, truth)
    largest = float(np.max(shares))
    if largest <= 1:
        return Verdict(True, largest)
    place = place_of(shares)
    where = f"at {list(place)}" if place else "the result"
    beyond = int(np.count_nonzero(shares > 1))
    count = f" ({beyond} of {observed.size} elements are beyond their budget)" if observed.size > 1 else ""
    return Verdict(False, largest, f"{where} {_sentence(observed[place], truth, place, largest)}{count}")


def budget_shares(observed: Float64Array, truth: Truth) -> Float64Array:
    """|observed - true| / 2B of each element; infinite where nothing can excuse the difference."""
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
        share = np.where(error == 0, 0.0, error / (2 * truth.bound))
    is_same = (observed == truth.value) | (np.isnan(observed) & np.isnan(truth.value))
    is_finite = np.isfinite(observed) & np.isfinite(truth.value)
    excused = ~np.isfinite(observed) & (truth.overflows | _rounds_to_infinity(observed, truth))
    return np.where(is_finite, share, np.where(is_same | excused, 0.0, np.inf))


def compare_sums(first: Float64Array, second: Float64Array, bound: Float64Array) -> Verdict:
    """Judge an identity between two observed values: within the sum of both budgets."""
    if first.shape != second.shape:
        return Verdict(False, None, f"shapes {first.shape} and {second.shape} differ")
    with np.errstate(all="ignore"):
        error = np.abs(first - second)
        share = np.where(error == 0, 0.0, error / (2 * bound))
    is_same = (first == second) | (np.isnan(first) & np.isnan(second))
    share = np.where(np.isfinite(first) & np.isfinite(second), share, np.where(is_same, 0.0, np.inf))
    largest = float(np.max(share, initial=0.0))
    if largest <= 1:
        return Verdict(True, largest)
    return Verdict(False, largest, f"the two sides differ by {largest:.3g} of their common budget")


def compare_bias(observed: Float64Array, truth: Truth) -> Verdict:
    """Judge the mean of e/B, and of sign(y) e/B, over all elements with a budget: at most 1/4 either way.

    The sign shows a common factor, whose errors cancel in a gradient that sums to zero.
    """
    if observed.shape != truth.value.shape:
        return Verdict(False, None, f"shape {observed.shape}, should be {truth.value.shape}")
    counted = (truth.bound > 0) & np.isfinite(observed) & np.isfinite(truth.value)
    values = truth.value[counted]
    distinct = len(np.unique(values))
    if distinct < BIAS_SAMPLE:
        return Verdict(
            False, None, f"a bias needs {BIAS_SAMPLE} distinct outputs with a budget; here are {distinct}"
        )
    errors = ((observed[counted] - values) - truth.remainder[counted]) / truth.bound[counted]
    plain, signed = float(np.mean(errors)), float(np.mean(np.sign(values) * errors))
    share = max(abs(plain), abs(signed)) / BIAS_LIMIT
    message = f"mean(e/B) = {plain:.3g}, mean(sign(y) e/B) = {signed:.3g}; the limit is {BIAS_LIMIT}"
    return Verdict(share <= 1, share, "" if share <= 1 else message)


def place_of(numbers: npt.NDArray[Any]) -> tuple[int, ...]:
    """The index of the largest number, the first of several; of truths, that of the first that holds."""
    return tuple(int(index) for index in np.unravel_index(int(np.argmax(numbers)), numbers.shape))


def _rounds_to_infinity(observed: Float64Array, truth: Truth) -> npt.NDArray[np.bool_]:
    """Where the true value, or one within the budget of it, is beyond the format's largest number.

    That is no excuse for nan, which has no sign.
    """
    reach = np.abs(truth.value) + 2 * truth.bound
    is_same_side = np.sign(observed) == np.sign(truth.value)
    return np.asarray(is_same_side & (reach > truth.format.largest))


def _sentence(observed: float, truth: Truth, place: tuple[int, ...], share: float) -> str:
    true, bound = true_text(truth, place), float(truth.bound[place])
    off = "which nothing excuses" if np.isinf(share) else f"{share:.3g} times its budget of {2 * bound:.3g}"
    return f"is {float(observed)!r}, should be {true}: {off}"

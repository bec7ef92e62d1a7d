"""Whether observed numbers agree with the truth: the error in units of the budget 2B."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lossproof.corpus.observed import sums_in_words
from lossproof.judging.excuses import is_excused, leaves_the_range, likeness, overflown, rule_of
from lossproof.judging.number_text import true_text
from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import Float64Array

BIAS_LIMIT = 0.25
BIAS_SAMPLE = 1000
_KEPT_NUMBERS = 8


@dataclass(frozen=True)
class Verdict:
    """What comes of judging a quantity.

    Attributes:
        agrees: whether it passes.
        error_over_budget: how much of its budget it used, at most 1 where it agrees; None where that has no
            meaning.
        message: why it does not agree, or by which rule it does.
        rule: the rule by which it passes in the place of its number, one of ``record.RULES``, or nothing.
        came_out: where it does not agree, the different numbers that are off, the furthest first, with all
            their digits; of more than eight, how many numbers are off and what they add up to; or a word for
            what came out in the place of numbers.
        off: how many numbers are off.
        picks: of what the formula leaves open here, by the names of conventions, the picks that came out.
        is_changed: whether it would agree under these picks, which are not those in force.
    """

    agrees: bool
    error_over_budget: float | None
    message: str = ""
    rule: str = ""
    came_out: tuple[str, ...] = ()
    off: int = 0
    picks: Mapping[str, str] = field(default_factory=dict)
    is_changed: bool = False


def compare(observed: npt.NDArray[np.float64], truth: Truth) -> Verdict:
    """Judge every element: |observed - true| <= 2B, and non-finite values as they should be."""
    if observed.shape != truth.value.shape:
        return wrong_shape(observed.shape, truth.value.shape)
    if observed.size == 0:
        return Verdict(True, 0.0)
    shares = budget_shares(observed, truth)
    largest = float(np.max(shares))
    if largest <= 1:
        if truth.passes_by_number:
            return Verdict(True, largest)
        rule, message = rule_of(observed, truth)
        return Verdict(True, _measured(shares, observed, truth), message, rule)
    place = place_of(shares)
    where = f"at {list(place)}" if place else "the result"
    beyond = int(np.count_nonzero(shares > 1))
    count = f" ({beyond} of {observed.size} elements are beyond their budget)" if observed.size > 1 else ""
    message = f"{where} {_sentence(observed[place], truth, place, largest)}{likeness(observed, truth)}{count}"
    return Verdict(False, largest, message, came_out=furthest(observed, shares), off=beyond)


def _measured(shares: Float64Array, observed: Float64Array, truth: Truth) -> float | None:
    """The largest share of the elements that were held against a number; None where none was."""
    measured = shares[~overflown(observed, truth)]
    return float(np.max(measured)) if measured.size else None


def budget_shares(observed: Float64Array, truth: Truth) -> Float64Array:
    """|observed - true| / 2B of each element; infinite where nothing can excuse the difference."""
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
        share = np.where(error == 0, 0.0, error / (2 * truth.bound))
    is_finite = np.isfinite(observed) & np.isfinite(truth.value)
    if np.all(is_finite):
        return share
    is_same = (observed == truth.value) | (np.isnan(observed) & np.isnan(truth.value))
    passes = is_same | is_excused(observed, truth) | leaves_the_range(observed, truth)
    return np.where(is_finite, share, np.where(passes, 0.0, np.inf))


def wrong_shape(observed: tuple[int, ...], true: tuple[int, ...]) -> Verdict:
    """The verdict on a result of another shape."""
    return Verdict(False, None, f"shape {observed}, should be {true}", came_out=(f"shape {list(observed)}",))


def furthest(observed: Float64Array, shares: Float64Array) -> tuple[str, ...]:
    """The different numbers beyond their budget, the furthest first; of many, their count and their sums."""
    off = np.flatnonzero(shares > 1)
    order = off[np.argsort(-shares.ravel()[off], kind="stable")]
    numbers = observed.ravel()[order]
    different = tuple(dict.fromkeys(map(repr, numbers.tolist())))
    if len(different) <= _KEPT_NUMBERS:
        return different
    return (sums_in_words(numbers.tolist()),)


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
    message = f"the two sides differ by {largest:.3g} of their common budget"
    off = int(np.count_nonzero(share > 1))
    return Verdict(False, largest, message, came_out=furthest(first, share), off=off)


def compare_bias(observed: Float64Array, truth: Truth) -> Verdict:
    """Judge the mean of e/B, and of sign(y) e/B, over all elements with a budget: at most 1/4 either way.

    The sign shows a common factor, whose errors cancel in a gradient that sums to zero.
    """
    if observed.shape != truth.value.shape:
        return wrong_shape(observed.shape, truth.value.shape)
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


def _sentence(observed: float, truth: Truth, place: tuple[int, ...], share: float) -> str:
    true, bound = float(truth.value[place]), float(truth.bound[place])
    off = _off(float(observed), true, bound, share)
    return f"is {float(observed)!r}, should be {true_text(truth, place)}: {off}"


def _off(observed: float, true: float, bound: float, share: float) -> str:
    if not np.isfinite(true):
        return "nothing else is right there"
    if not np.isfinite(observed):
        return "no overflow in the formula explains it"
    return "must be exact" if bound == 0 else f"{share:.3g} times its budget of {2 * bound:.3g}"

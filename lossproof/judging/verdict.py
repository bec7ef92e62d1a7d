"""Whether observed numbers agree with the truth: the error in units of the budget 2B."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.observed import sums_in_words
from lossproof.judging.distance import shortened, ulps_of
from lossproof.judging.excuses import is_excused, leaves_the_range, likely_cause, passes_by_overflow, rule_of
from lossproof.judging.number_text import observed_text, true_text
from lossproof.judging.places import place_of
from lossproof.judging.truth import FEW, Truth
from lossproof.numbers.formats import Float64Array
from lossproof.reference.limits import NO_LIMITS

BIAS_LIMIT = 0.25
BIAS_SAMPLE = 1000
_KEPT_NUMBERS = 8
_A_FEW = 64
# The bytes of a larger result are not kept, but a digest of them.
_KEPT_BYTES = 1 << 15


@dataclass(frozen=True)
class Verdict:
    """The result of judging a quantity.

    Attributes:
        agrees: whether it passes.
        error_over_budget: the error as a share of the budget, at most 1 if it agrees; None if that has no
            meaning.
        message: why it does not agree, or the rule by which it does.
        rule: the rule, other than its number, by which it passes, one of ``record.RULES``; or empty.
        came_out: if it does not agree, the distinct numbers that are off, in full, the furthest first; of
            more than eight, their count and their sums; or a word for what came out instead.
        off: how many numbers are off.
        picks: the observed picks for what the formula leaves open here, by the names of conventions.
        is_changed: whether it would agree under these picks, which are not the picks in force.
        ulps: the worst and the median distance from the true numbers, in units in the last place, with three
            digits; None if it has no meaning.
    """

    agrees: bool
    error_over_budget: float | None
    message: str = ""
    rule: str = ""
    came_out: tuple[str, ...] = ()
    off: int = 0
    picks: Mapping[str, str] = field(default_factory=dict)
    is_changed: bool = False
    ulps: tuple[float, float] | None = field(default=None, compare=False)


def compare(observed: npt.NDArray[np.float64], truth: Truth) -> Verdict:
    """Judge every element: |observed - true| <= 2B, or the non-finite value that it should be."""
    bits = bits_of(observed)
    if bits not in truth.verdicts:
        truth.verdicts[bits] = compare_once(observed, truth, shortened(ulps_of(observed, truth)))
    verdict: Verdict = truth.verdicts[bits]
    return verdict


def bits_of(observed: npt.NDArray[Any]) -> object:
    """What only an array of the same dtype, shape and bits has."""
    if observed.nbytes > _KEPT_BYTES:
        content = sha256(np.ascontiguousarray(observed).data).digest()
    else:
        content = observed.tobytes()
    return observed.dtype.str, observed.shape, content


def compare_once(
    observed: npt.NDArray[np.float64], truth: Truth, ulps: tuple[float, float] | None = None
) -> Verdict:
    """The same for a truth with which nothing else is compared, so that nothing is remembered."""
    if observed.shape != truth.value.shape:
        return wrong_shape(observed.shape, truth.value.shape)
    if observed.size == 0:
        return Verdict(True, 0.0)
    if observed.size <= FEW and truth.passes_by_number:
        share = _share_of_few(observed, truth)
        if share is not None:
            return Verdict(True, share, ulps=ulps)
    shares = budget_shares(observed, truth)
    largest = float(shares.max())
    if largest <= 1:
        if truth.passes_by_number:
            return Verdict(True, largest, ulps=ulps)
        rule, message = rule_of(observed, truth)
        return Verdict(True, _largest_share(shares, observed, truth), message, rule, ulps=ulps)
    place = place_of(shares)
    where = f"at {list(place)}" if place else "the result"
    beyond = int(np.count_nonzero(shares > 1))
    count = f" ({beyond} of {observed.size} elements are beyond their budget)" if observed.size > 1 else ""
    sentence = f"{_sentence(observed[place], truth, place, largest)}{likely_cause(observed, truth)}"
    message = f"{where} {sentence}{count}"
    came_out = furthest_numbers(observed, shares)
    return Verdict(False, largest, message, came_out=came_out, off=beyond, ulps=ulps)


def _share_of_few(observed: npt.NDArray[np.float64], truth: Truth) -> float | None:
    """The largest share, if each element is a finite number within its budget and the limits."""
    least, most = truth.limits
    largest = 0.0
    for number, (true, remainder, budget) in zip(observed.ravel().tolist(), truth.elements, strict=True):
        error = abs((number - true) - remainder)
        # Not of nan and infinities, either.
        if not (error <= budget and least <= number <= most):
            return None
        if error:
            largest = max(largest, error / budget)
    return largest


def _largest_share(shares: Float64Array, observed: Float64Array, truth: Truth) -> float | None:
    """The largest share among the elements that were compared with a number; None if none was."""
    counted = shares[~passes_by_overflow(observed, truth)]
    return float(np.max(counted)) if counted.size else None


def budget_shares(observed: Float64Array, truth: Truth) -> Float64Array:
    """|observed - true| / 2B of each element; infinite if nothing excuses a non-finite difference."""
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
        if not error.any():
            return np.asarray(error)
        share = np.where(error == 0, 0.0, error / truth.budget)
    if truth.limits != NO_LIMITS:
        share = np.where(truth.breaks_a_limit(observed), np.inf, share)
    if np.isfinite(error).all():
        return share
    is_finite = np.isfinite(observed) & np.isfinite(truth.value)
    is_same = (observed == truth.value) | (np.isnan(observed) & np.isnan(truth.value))
    passes = is_same | is_excused(observed, truth) | leaves_the_range(observed, truth)
    return np.where(is_finite, share, np.where(passes, 0.0, np.inf))


def wrong_shape(observed: tuple[int, ...], true: tuple[int, ...]) -> Verdict:
    """The verdict on a result of the wrong shape."""
    return Verdict(False, None, f"shape {observed}, should be {true}", came_out=(f"shape {list(observed)}",))


def furthest_numbers(observed: Float64Array, shares: Float64Array) -> tuple[str, ...]:
    """The distinct numbers beyond their budget, the furthest first; of many, their count and their sums."""
    off = np.flatnonzero(shares > 1)
    numbers = observed.ravel()[off]
    # The first few mostly show that there are many, for which no order is needed.
    if any(len(set(map(repr, some.tolist()))) > _KEPT_NUMBERS for some in (numbers[:_A_FEW], numbers)):
        return (sums_in_words(numbers),)
    furthest = numbers[np.argsort(-shares.ravel()[off], kind="stable")]
    return tuple(dict.fromkeys(map(repr, furthest.tolist())))


def compare_sums(first: Float64Array, second: Float64Array, bound: Float64Array) -> Verdict:
    """Judge an identity between two observed values, which must agree within the sum of their budgets."""
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
    return Verdict(False, largest, message, came_out=furthest_numbers(first, share), off=off)


def compare_bias(observed: Float64Array, truth: Truth) -> Verdict:
    """Judge mean(e/B) and mean(sign(y) e/B) over all elements with a bound: each is at most 1/4 in size.

    The sign reveals a common factor, whose errors cancel in a gradient that sums to zero.
    """
    if observed.shape != truth.value.shape:
        return wrong_shape(observed.shape, truth.value.shape)
    is_counted = (truth.bound > 0) & np.isfinite(observed) & np.isfinite(truth.value)
    values = truth.value[is_counted]
    distinct = len(np.unique(values))
    if distinct < BIAS_SAMPLE:
        message = f"a bias needs {BIAS_SAMPLE} distinct outputs with a budget; here are {distinct}"
        return Verdict(False, None, message)
    errors = ((observed[is_counted] - values) - truth.remainder[is_counted]) / truth.bound[is_counted]
    plain, signed = float(np.mean(errors)), float(np.mean(np.sign(values) * errors))
    share = max(abs(plain), abs(signed)) / BIAS_LIMIT
    message = f"mean(e/B) = {plain:.3g}, mean(sign(y) e/B) = {signed:.3g}; the limit is {BIAS_LIMIT}"
    return Verdict(share <= 1, share, "" if share <= 1 else message)


def _sentence(observed: float, truth: Truth, place: tuple[int, ...], share: float) -> str:
    true, bound = float(truth.value[place]), float(truth.bound[place])
    excess = _excess(float(observed), true, bound, share)
    if np.isfinite(observed) and bound > 0 and abs(observed - true) <= 2 * bound:
        least, most = truth.limits
        limit = f"never below {least:g}" if observed < least else f"never above {most:g}"
        excess = f"{limit}, however the formula is rounded"
    return f"is {observed_text(float(observed), truth.format)}, should be {true_text(truth, place)}: {excess}"


def _excess(observed: float, true: float, bound: float, share: float) -> str:
    if not np.isfinite(true):
        return "nothing else is right there"
    if not np.isfinite(observed):
        return "no overflow in the formula explains it"
    return "must be exact" if bound == 0 else f"{share:.3g} times its budget of {2 * bound:.3g}"

"""Reasons other than its number for which an element passes, and computations that explain a wrong one.

Nothing passes silently. An infinity or nan from a step that overflows, any subgradient at a kink, any share
of a tie, and an element without a finite bound are each told apart from an element that agrees by its number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.formats import Float64Array
from lossproof.numbers.overflow import BoolArray, Marks, marks_of
from lossproof.numbers.rules import Place, Rules
from lossproof.reference.steps import recording

# Honest computations that the bound does not cover.
_OTHER_COMPUTATIONS = (
    (Rules(sums_are_sequential=True), "a sequential sum"),
    (Rules(subtracts_log_sum_exp=True), "x - logsumexp(x)"),
    (Rules(sums_are_sequential=True, subtracts_log_sum_exp=True), "x - logsumexp(x) with a sequential sum"),
)


def is_excused(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where the observed infinity or nan is explained by the overflow of a step."""
    return np.asarray((marks_of(observed) & truth.overflows) > 0)


def leaves_the_range(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where the true value, or a number within its budget, is beyond the format's largest number.

    This excuses an infinity of the same sign, and nan only in a format without infinities.
    """
    with np.errstate(over="ignore"):  # next to the largest number of float64, too
        reach = np.abs(truth.value) + truth.budget
    if truth.format.has_infinities:
        is_beyond = np.isinf(observed) & (np.sign(observed) == np.sign(truth.value))
    else:
        is_beyond = np.isnan(observed)
    return np.asarray(is_beyond & (reach > truth.format.largest))


def passes_by_overflow(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where an infinity or nan passes because a step overflows, although it is not the right result."""
    if np.isfinite(observed).all():
        return np.zeros(observed.shape, dtype=bool)
    rounds = leaves_the_range(observed, truth)
    # An infinity is the right rounding of whatever is beyond the range.
    is_rounded = rounds & (np.abs(truth.value) > truth.format.largest)
    is_right = is_rounded | (np.isnan(observed) & np.isnan(truth.value))
    return np.asarray((is_excused(observed, truth) | rounds) & ~is_right)


def rule_of(observed: Float64Array, truth: Truth) -> tuple[str, str]:
    """The rule by which elements pass, and a sentence on it; both empty if all pass by their numbers."""
    has_overflowed = passes_by_overflow(observed, truth)
    if np.any(has_overflowed):
        reason = where_it_overflows(truth, place_of(has_overflowed))
        return "overflow", f"{_first_excused(observed, truth, has_overflowed)}: {reason}"
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
    unbounded = np.isinf(truth.bound) & (error > 0)
    if np.any(unbounded):
        reason = "no number is wrong there, since a divisor may be zero within its own error"
        return "unbounded", f"{_first_excused(observed, truth, unbounded)}: {reason}"
    if truth.strict_bound is not None:
        is_free = error > 2 * truth.strict_bound
        if np.any(is_free):
            return truth.freedom, f"{_first_excused(observed, truth, is_free)}: {_FREEDOMS[truth.freedom]}"
    return ("convention", truth.convention) if truth.convention else ("", "")


_FREEDOMS = {
    "kink": "rounding leaves the side of a kink open, where any subgradient is right",
    "tie": "rounding leaves open which element is the largest, and any share of the tie is right",
}


def where_it_overflows(truth: Truth, place: Place) -> str:
    """The operation of the formula that leaves the format's range, and the step that it belongs to.

    If there are several, the first one that overflows in this very element is named, if any does.
    """
    if truth.bounded_by is None:
        return "a step of the formula overflows"
    overflows: list[tuple[bool, str]] = []

    def note(is_beyond: BoolArray, words: Callable[[Place], str]) -> None:
        is_here = is_beyond.shape == truth.value.shape and bool(is_beyond[place])
        overflows.append((is_here, words(place if is_here else place_of(is_beyond))))

    with recording() as steps:
        truth.bounded_by(Rules(note_overflow=note))
    if not overflows:
        return f"it is within its budget of {'an infinity' if truth.format.has_infinities else 'nan'}"
    _, words = max(overflows, key=lambda overflow: overflow[0])
    step = next((name for name, value in steps if np.any(_marks(value))), None)
    where = f"the step '{step}'" if step else "the formula"
    return f"{where} overflows, {words} being beyond {truth.format.largest:.6g}"


def _marks(value: Array) -> Marks:
    """The marks of a step's value; a complex value has the marks of both parts."""
    if isinstance(value, ComplexPair):
        return np.asarray(_marks(value.real) | _marks(value.imaginary))
    return value.overflows if isinstance(value, Bounded) else np.zeros(())


def likely_cause(observed: Float64Array, truth: Truth) -> str:
    """Which other honest computation may be as far off as a wrong result, in words; or nothing."""
    if truth.bounded_by is None or not np.all(np.isfinite(observed)):
        return ""
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
    for rules, name in _OTHER_COMPUTATIONS:
        bound = truth.bounded_by(rules).bound
        if np.all(error <= 2 * bound):
            return f", as far off as {name} may be"
    return ""


def _first_excused(observed: Float64Array, truth: Truth, where: BoolArray) -> str:
    place = place_of(where)
    more = f" (and {count} more)" if (count := int(np.count_nonzero(where)) - 1) else ""
    at = f"at {list(place)} " if place else ""
    return f"{at}{float(observed[place])!r} passes for {float(truth.value[place])!r}{more}"

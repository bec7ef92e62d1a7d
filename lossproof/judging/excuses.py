"""What lets an element pass in the place of its number, and what a wrong one looks like.

Nothing passes in silence: what comes out infinite or undefined because a step of the formula overflows, any
subgradient at a kink or share of a tie, and what has no bound at all are told apart from what agrees by its
number.
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

# Honest computations of other kinds than the budget covers.
_OTHER_KINDS = (
    (Rules(sums_are_sequential=True), "a sequential sum"),
    (Rules(subtracts_log_sum_exp=True), "x - logsumexp(x)"),
    (
        Rules(sums_are_sequential=True, subtracts_log_sum_exp=True),
        "x - logsumexp(x) with a sequential sum",
    ),
)


def is_excused(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where what came out is an infinity or nan that the overflow of a step explains."""
    return np.asarray((marks_of(observed) & truth.overflows) > 0)


def leaves_the_range(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where the true value, or one within the budget of it, is beyond the format's largest number.

    That is an excuse for an infinity of its sign; for nan, only in a format without infinities.
    """
    reach = np.abs(truth.value) + 2 * truth.bound
    if truth.format.has_infinities:
        is_beyond = np.isinf(observed) & (np.sign(observed) == np.sign(truth.value))
    else:
        is_beyond = np.isnan(observed)
    return np.asarray(is_beyond & (reach > truth.format.largest))


def overflown(observed: Float64Array, truth: Truth) -> BoolArray:
    """Where an infinity or nan passes because a step overflows, and not because it is the right result."""
    rounds = leaves_the_range(observed, truth)
    is_same = (observed == truth.value) | (np.isnan(observed) & np.isnan(truth.value))
    # Of a number beyond the range, it is the right rounding.
    is_right = is_same | (rounds & (np.abs(truth.value) > truth.format.largest))
    return np.asarray((is_excused(observed, truth) | rounds) & ~is_right)


def rule_of(observed: Float64Array, truth: Truth) -> tuple[str, str]:
    """The rule by which numbers pass, and a sentence on it; both empty where it is by the numbers."""
    has_overflown = overflown(observed, truth)
    if np.any(has_overflown):
        told = where_it_overflows(truth, place_of(has_overflown))
        return "overflow", f"{_first(observed, truth, has_overflown)}: {told}"
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
    unbounded = np.isinf(truth.bound) & (error > 0)
    if np.any(unbounded):
        told = "no number is wrong there, since a divisor may be zero within its own error"
        return "unbounded", f"{_first(observed, truth, unbounded)}: {told}"
    if truth.strict_bound is not None:
        freed = error > 2 * truth.strict_bound
        if np.any(freed):
            return truth.freedom, f"{_first(observed, truth, freed)}: {_FREEDOMS[truth.freedom]}"
    return ("convention", truth.convention) if truth.convention else ("", "")


_FREEDOMS = {
    "kink": "rounding leaves the side of a kink open, where any subgradient is right",
    "tie": "rounding leaves open which element is the largest, and any share of the tie is right",
}


def where_it_overflows(truth: Truth, place: Place) -> str:
    """The operation of the formula that leaves the format's range, with the step that it belongs to.

    Of several it is the first that does so in the very element, where elements can be told apart.
    """
    if truth.bounded_by is None:
        return "a step of the formula overflows"
    found: list[tuple[bool, str]] = []

    def note(is_beyond: BoolArray, words: Callable[[Place], str]) -> None:
        is_here = is_beyond.shape == truth.value.shape and bool(is_beyond[place])
        found.append((is_here, words(place if is_here else place_of(is_beyond))))

    with recording() as steps:
        truth.bounded_by(Rules(note_overflow=note))
    if not found:
        return f"it is within its budget of {'an infinity' if truth.format.has_infinities else 'nan'}"
    _, words = max(found, key=lambda one: one[0])
    overflown = next((name for name, value in steps if np.any(_marks(value))), None)
    where = f"the step '{overflown}'" if overflown else "the formula"
    return f"{where} overflows, {words} being beyond {truth.format.largest:.6g}"


def _marks(value: Array) -> Marks:
    """Those of a step's value; a complex one has those of its parts."""
    if isinstance(value, ComplexPair):
        return np.asarray(_marks(value.real) | _marks(value.imaginary))
    return value.overflows if isinstance(value, Bounded) else np.zeros(())


def likeness(observed: Float64Array, truth: Truth) -> str:
    """How a wrong result would be right: as another honest computation would be, in words; or nothing."""
    if truth.bounded_by is None or not np.all(np.isfinite(observed)):
        return ""
    with np.errstate(all="ignore"):
        error = np.abs((observed - truth.value) - truth.remainder)
    for rules, told in _OTHER_KINDS:
        bound = truth.bounded_by(rules).bound
        if bound.shape == error.shape and np.all(error <= 2 * bound):
            return f", as far off as {told} may be"
    return ""


def _first(observed: Float64Array, truth: Truth, where: BoolArray) -> str:
    place = place_of(where)
    more = f" (and {count} more)" if (count := int(np.count_nonzero(where)) - 1) else ""
    at = f"at {list(place)} " if place else ""
    return f"{at}{float(observed[place])!r} passes for {float(truth.value[place])!r}{more}"

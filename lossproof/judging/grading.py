"""Grading second derivatives, whose budget has not yet been shown to raise no false alarm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lossproof.judging.assertions import between, element, number_check, shape_check
from lossproof.judging.excuses import is_excused
from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.formats import Float64Array

GRADE_BUDGETS = 1000.0
GRADE_RELATIVE = 1e-3

Sides = Callable[[], tuple[Float64Array, Float64Array]]


def grade(
    observed: Float64Array,
    truth: Truth,
    floor: float,
    sides: Sides,
) -> Verdict:
    """Judge a second derivative: by how many budgets it is off is a grade, not a failure.

    The budget of dual numbers over error-carrying ones has not yet been shown to raise no false alarm. So
    an element is wrong only where it is off by more than 1000 times its tolerance, by more than 1e-3 of its
    true value, and by more than 1000 times ``floor``, the tolerance of the gradient times the direction: a
    second derivative that is the small difference of large terms is no sharper. All between its two one-sided
    limits is right, too: where it jumps, or where the formula has a kink that the loss has not, as |x| in a
    sigmoid. ``sides`` gives them, and is asked only when it matters. Where it is not finite, nothing is
    demanded.
    """
    verdict = compare(observed, truth)
    share = verdict.error_over_budget
    if verdict.agrees or share is None:
        return verdict
    is_wrong = ~_is_near(observed, truth, floor)
    if np.any(is_wrong):
        is_wrong &= ~_is_between(observed, sides)
    if np.any(is_wrong):
        return verdict
    return Verdict(True, share, f"graded: {share:.3g} times the budget of a second derivative", "grade")


def _is_near(observed: Float64Array, truth: Truth, floor: float) -> npt.NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        error = np.abs(observed - truth.value)
    return (error <= _reach(truth, floor)) | ~np.isfinite(truth.value) | is_excused(observed, truth)


def _reach(truth: Truth, floor: float) -> Float64Array:
    return np.maximum(
        GRADE_BUDGETS * np.maximum(2 * truth.bound, floor), GRADE_RELATIVE * np.abs(truth.value)
    )


def _is_between(observed: Float64Array, sides: Sides) -> npt.NDArray[np.bool_]:
    low, high = _limits(sides)
    is_between: npt.NDArray[np.bool_] = (observed >= low) & (observed <= high)
    return is_between


def _limits(sides: Sides) -> tuple[Float64Array, Float64Array]:
    low, high = np.sort(sides(), axis=0)
    slack = GRADE_RELATIVE * np.maximum(-low, high)
    with np.errstate(all="ignore"):
        return low - slack, high + slack


def graded_check(
    observed: Float64Array, truth: Truth, floor: float, sides: Sides, got: str = ""
) -> list[str]:
    """Fails where ``grade`` finds a number wrong; ``got`` is an expression of it, if it is no element."""
    if observed.shape != truth.value.shape:
        return shape_check(truth.value.shape)
    is_wrong = ~_is_near(observed, truth, floor) & ~_is_between(observed, sides)
    place = place_of(is_wrong)
    low, high = (float(limit[place]) for limit in _limits(sides))
    true, reach = float(truth.value[place]), float(_reach(truth, floor)[place])
    conditions = between(true - reach, true + reach), between(low, high)
    return number_check(got or element("result", place), conditions)

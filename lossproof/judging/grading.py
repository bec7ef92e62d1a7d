"""Grades second derivatives, whose budget has not yet been shown to raise no false alarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lossproof.judging.assertions import between, element, number_assertion, shape_assertion
from lossproof.judging.excuses import is_excused
from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, budget_shares, compare
from lossproof.numbers.formats import Float64Array

GRADE_BUDGETS = 1000.0
GRADE_RELATIVE = 1e-3

Sides = Callable[[], tuple[Float64Array, Float64Array]]


def grade(observed: Float64Array, truth: Truth, floor: float, sides: Sides) -> Verdict:
    """Judge a second derivative: an error of several budgets is a grade, not a failure.

    The bound that dual numbers yield has not yet been shown to raise no false alarms. So an element is wrong
    only if it is off by more than 1000 times its budget, by more than 1e-3 of its true value, and by more
    than 1000 times ``floor``, the budget of the gradient times the direction: a second derivative that is the
    small difference of large terms is no more accurate than this. Any number between the two one-sided limits
    is right as well: the derivative may jump, or the formula may have a kink that the loss does not have,
    such as |x| in a sigmoid. ``sides`` computes the limits, and is called only if they decide. Nothing is
    demanded where the true value is not finite.
    """
    if observed.shape != truth.value.shape:
        return compare(observed, truth)
    share = float(np.max(budget_shares(observed, truth), initial=0.0))
    # Not from ``compare``, which would look for the cause of an error that is none.
    if share <= 1 or _is_wrong(observed, truth, floor, sides):
        return compare(observed, truth)
    return Verdict(True, share, f"graded: {share:.3g} times the budget of a second derivative", "grade")


def _is_wrong(observed: Float64Array, truth: Truth, floor: float, sides: Sides) -> bool:
    is_wrong = ~_is_near(observed, truth, floor)
    return bool(np.any(is_wrong)) and bool(np.any(is_wrong & ~_is_between(observed, sides)))


def _is_near(observed: Float64Array, truth: Truth, floor: float) -> npt.NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        error = np.abs(observed - truth.value)
    return (error <= _reach(truth, floor)) | ~np.isfinite(truth.value) | is_excused(observed, truth)


def _reach(truth: Truth, floor: float) -> Float64Array:
    budgets = GRADE_BUDGETS * np.maximum(truth.budget, floor)
    return np.maximum(budgets, GRADE_RELATIVE * np.abs(truth.value))


def _is_between(observed: Float64Array, sides: Sides) -> npt.NDArray[np.bool_]:
    low, high = _limits(sides)
    is_between: npt.NDArray[np.bool_] = (observed >= low) & (observed <= high)
    return is_between


def _limits(sides: Sides) -> tuple[Float64Array, Float64Array]:
    low, high = np.sort(sides(), axis=0)
    slack = GRADE_RELATIVE * np.maximum(-low, high)
    with np.errstate(all="ignore"):
        return low - slack, high + slack


def graded_assertion(
    observed: Float64Array, truth: Truth, floor: float, sides: Sides, got: str = ""
) -> list[str]:
    """Fails for a number that ``grade`` finds wrong; ``got`` is its expression if it is not an element."""
    if observed.shape != truth.value.shape:
        return shape_assertion(truth.value.shape)
    is_wrong = ~_is_near(observed, truth, floor) & ~_is_between(observed, sides)
    place = place_of(is_wrong)
    low, high = (float(limit[place]) for limit in _limits(sides))
    true, reach = float(truth.value[place]), float(_reach(truth, floor)[place])
    conditions = between(true - reach, true + reach), between(low, high)
    return number_assertion(got or element("result", place), conditions)

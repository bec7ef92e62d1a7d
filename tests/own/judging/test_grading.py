"""Grades of second derivatives: what is wrong, what is right, and the program that tells them apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lossproof.judging.grading import grade, graded_assertion
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.numbers.overflow import marks_of

Sides = Callable[[], tuple[Float64Array, Float64Array]]


def truth(value: Any) -> Truth:
    shape = np.shape(value)
    return Truth(
        np.array(value, dtype=np.float64),
        np.zeros(shape),
        np.ones(shape),
        np.zeros(shape, dtype=int),
        FORMATS["float64"],
    )


def at(true: Truth) -> Sides:
    """No kink: both one-sided limits are the derivative itself."""
    return lambda: (true.value, true.value)


def nowhere() -> tuple[Float64Array, Float64Array]:
    """One-sided limits between which nothing lies."""
    return np.array(math.nan), np.array(math.nan)


@pytest.mark.parametrize(
    ("true", "floor", "right", "wrong"),
    [
        # 1000 tolerances of 2B,
        (truth(0.0), 0.0, 2000.0, 2000.5),
        (truth(0.0), 0.0, -2000.0, -2000.5),
        # or of the gradient's, where that is the larger,
        (truth(0.0), 3.0, 3000.0, 3000.5),
        (truth(0.0), 1.0, 2000.0, 2000.5),
        # or a thousandth of the true value.
        (truth(4e6), 0.0, 4.004e6, 4.004001e6),
        (truth(-4e6), 0.0, -3.996e6, -3.995999e6),
    ],
)
def test_a_second_derivative_is_wrong_beyond_all_three_limits(
    true: Truth, floor: float, right: float, wrong: float
) -> None:
    verdict = grade(np.array(right), true, floor, nowhere)
    assert verdict.agrees
    assert verdict.error_over_budget == abs(right - true.value) / 2
    assert verdict.message == (
        f"graded: {verdict.error_over_budget:.3g} times the budget of a second derivative"
    )
    verdict = grade(np.array(wrong), true, floor, nowhere)
    assert not verdict.agrees
    assert "times its budget of 2" in verdict.message
    assertion = graded_assertion(np.array(wrong), true, floor, nowhere)[-1]
    with pytest.raises(AssertionError):
        exec(assertion, {"got": wrong})
    exec(assertion, {"got": right})


def test_within_its_budget_it_has_no_grade_and_no_sides() -> None:
    def no_sides() -> tuple[Float64Array, Float64Array]:
        raise AssertionError("asked for")

    verdict = grade(np.array(2.0), truth(0.0), 0.0, no_sides)
    assert (verdict.agrees, verdict.error_over_budget, verdict.message) == (True, 1.0, "")
    assert grade(np.array(1000.0), truth(0.0), 0.0, no_sides).agrees
    shapeless = grade(np.zeros(3), truth(0.0), 0.0, no_sides)
    assert (shapeless.agrees, shapeless.message) == (False, "shape (3,), should be ()")


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("true", [truth([math.nan, 0.0]), truth([math.inf, 0.0]), truth([0.0, 0.0])])
def test_where_it_is_not_finite_nothing_is_demanded(true: Truth, number: float) -> None:
    if np.all(np.isfinite(true.value)):
        true.overflows[0] = int(marks_of(np.array(number)))
    verdict = grade(np.array([number, 0.0]), true, 0.0, at(true))
    assert verdict.agrees
    # One that is wrong is told beside it.
    wrong = np.array([number, 7e9])
    assert not grade(wrong, true, 0.0, at(true)).agrees
    assert graded_assertion(wrong, true, 0.0, at(true))[0] == "got = result[1].item()"


def test_all_elements_are_looked_at() -> None:
    true = truth([[0.0, 0.0], [0.0, 0.0]])
    for place in np.ndindex(2, 2):
        observed = np.zeros((2, 2))
        observed[place] = 1e4
        assert not grade(observed, true, 0.0, at(true)).agrees
        name = f"result[{place[0]}, {place[1]}].item()"
        lines = graded_assertion(observed, true, 0.0, at(true))
        assert lines[0] == f"got = {name}"
        assert graded_assertion(observed, true, 0.0, at(true), "total")[0] == "got = total"


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("sides", [(-4e6, 8e6), (8e6, -4e6)])
def test_at_a_kink_all_between_the_one_sided_limits_is_right(sides: tuple[float, float], sign: float) -> None:
    """With a thousandth of the larger limit to spare."""
    true = truth([0.0, 0.0])

    def both() -> tuple[Float64Array, Float64Array]:
        return np.full(2, sign * sides[0]), np.full(2, sign * sides[1])

    wrong = (sign * -4.009e6, sign * 8.009e6)
    assertions = [graded_assertion(np.array([0.0, number]), true, 0.0, both)[-1] for number in wrong]
    for right in sign * np.array([-4e6, -4.008e6, 0.0, 1e6, 8e6, 8.008e6]):
        assert grade(np.array([0.0, right]), true, 0.0, both).agrees
        for assertion in assertions:
            exec(assertion, {"got": right})
    assert graded_assertion(np.array([sign * 1e6, wrong[0]]), true, 0.0, both)[0] == "got = result[1].item()"
    for number, assertion in zip(wrong, assertions, strict=True):
        assert not grade(np.array([0.0, number]), true, 0.0, both).agrees
        with pytest.raises(AssertionError):
            exec(assertion, {"got": number})


def test_the_program_of_a_wrong_shape_is_about_the_shape() -> None:
    true = truth(0.0)
    assert graded_assertion(np.zeros(3), true, 0.0, at(true)) == ["assert result.shape == (), result.shape"]


def test_what_cannot_be_subtracted_warns_of_nothing() -> None:
    true = truth([math.inf, -1e308])
    assert not grade(np.array([-math.inf, 1e308]), true, 0.0, at(true)).agrees

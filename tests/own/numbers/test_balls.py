"""Balls: they hold the true value, follow IEEE 754 where Arb is silent, and refuse to guess."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from exact_arithmetic import DIGITS, decimal_of
from hypothesis import given
from hypothesis import strategies as st

from lossproof.numbers.ball import Ball, Undecided, certified
from lossproof.numbers.base import Array

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
SPECIAL = [-math.inf, -2.0, -1.0, 0.0, 1.0, 3.0, math.inf, math.nan]
# One tenth, whose ball has a radius: no comparison with itself can be decided.
with flint.ctx.workprec(192):
    TENTH = Ball.of_fractions([Fraction(1, 10)], ())

pytestmark = pytest.mark.usefixtures("sharp_balls")


def balls(values: Any) -> Array:
    """Exact balls, which NumPy's stubs do not know for arrays."""
    return Ball.exact(values)


def floats(ball: Array) -> Any:
    """The midpoints as float64 numbers."""
    return ball.midpoints()[0]


def dyadic(x: Any) -> Fraction:
    """The exact value of a ball without a radius."""
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def assert_holds(ball: Array, exact: Fraction) -> None:
    """The ball holds a fraction, and little else."""
    element = ball.elements[()]
    middle, radius = dyadic(element.mid()), dyadic(element.rad())
    assert abs(middle - exact) <= radius <= abs(exact) * Fraction(1, 10**45)


def assert_near(ball: Array, true: Decimal) -> None:
    """The ball agrees with a decimal to 50 digits, and claims no less."""
    element = ball.elements[()]
    middle = Decimal(element.mid().str(70, radius=False))
    assert abs(DIGITS.subtract(middle, true)) <= abs(true) * Decimal("1e-50") + Decimal("1e-60")
    assert float(element.rad()) <= 1e-50 * float(abs(true)) + 1e-60


@given(first=NUMBERS, second=NUMBERS)
def test_arithmetic_holds_the_exact_result(first: float, second: float) -> None:
    x, y = balls(first), balls(second)
    a, b = Fraction(first), Fraction(second)
    assert_holds(x + y, a + b)
    assert_holds(x - y, a - b)
    assert_holds(x * y, a * b)
    assert_holds(-x, -a)
    assert_holds(np.abs(x), abs(a))
    assert_holds(np.maximum(x, y), max(a, b))
    if b:
        assert_holds(x / y, a / b)


@given(values=st.lists(st.fractions(max_denominator=10**6), min_size=1, max_size=8))
def test_fractions_are_held_tightly(values: list[Fraction]) -> None:
    tight = Ball.of_fractions(list(values), (len(values),))
    for place, value in enumerate(values):
        assert_holds(tight[place], value)
    total = np.sum(np.abs(tight))
    assert_holds(total, sum(map(abs, values), Fraction(0)))


@given(value=st.floats(-200, 200))
def test_the_exponential_is_right_to_fifty_digits(value: float) -> None:
    assert_near(np.exp(balls(value)), DIGITS.exp(decimal_of(value)))


@given(value=st.floats(1e-300, 1e300))
def test_the_logarithm_is_right_to_fifty_digits(value: float) -> None:
    assert_near(np.log(balls(value)), DIGITS.ln(decimal_of(value)))


@given(value=st.floats(-0.999, 1e10))
def test_the_logarithm_of_one_plus_is_right_to_fifty_digits(value: float) -> None:
    if 0 < abs(value) < 1e-9:
        return  # the decimals would lose the digits that are asked for
    assert_near(np.log1p(balls(value)), DIGITS.ln(decimal_of(1 + Fraction(value))))


@pytest.mark.parametrize(
    "function", [np.exp, np.log, np.log1p, np.abs, np.negative, np.sign, np.isnan, np.isinf, np.isfinite]
)
def test_special_values_of_one_operand_are_those_of_ieee(function: Callable[[Any], Any]) -> None:
    with np.errstate(all="ignore"):
        expected = function(np.array(SPECIAL))
    result = function(balls(SPECIAL))
    np.testing.assert_allclose(floats(result) if isinstance(result, Ball) else result, expected, rtol=1e-15)


@pytest.mark.parametrize(
    "function",
    [
        np.add,
        np.subtract,
        np.multiply,
        np.true_divide,
        np.maximum,
        np.less,
        np.less_equal,
        np.greater,
        np.greater_equal,
        np.equal,
        np.not_equal,
    ],
)
def test_special_values_of_two_operands_are_those_of_ieee(function: Callable[..., Any]) -> None:
    first, second = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(all="ignore"):
        expected = function(first, second)
    result = function(balls(first), balls(second))
    np.testing.assert_allclose(floats(result) if isinstance(result, Ball) else result, expected, rtol=1e-15)


@pytest.mark.parametrize("compare", [np.less, np.less_equal, np.greater, np.greater_equal, np.equal])
def test_overlapping_balls_are_not_compared(compare: Callable[..., Any]) -> None:
    with pytest.raises(Undecided):
        compare(TENTH, TENTH)


@pytest.mark.parametrize("function", [np.sign, np.log, lambda x: 1.0 / x, lambda x: np.log1p(x - 1.0)])
def test_a_ball_that_reaches_across_zero_is_undecided(function: Callable[[Ball], Ball]) -> None:
    with pytest.raises(Undecided):
        function(TENTH - TENTH)


def test_certified_raises_the_precision_until_a_comparison_is_decided() -> None:
    seen = []

    def is_above_one() -> bool:
        seen.append(flint.ctx.prec)
        return bool(np.exp(balls(1e-100)) > 1.0)

    assert certified(is_above_one)
    assert seen == [192, 384]  # 1e-100 lies 333 bits below 1


def test_certified_raises_the_precision_until_the_result_is_accepted() -> None:
    def tenth() -> Ball:
        return Ball.of_fractions([Fraction(1, 10)], ())

    assert float(certified(tenth).radii()) > 1e-200
    assert float(certified(tenth, accept=lambda ball: float(ball.radii()) < 1e-200).radii()) < 1e-200


def test_certified_gives_up_on_equal_irrational_numbers() -> None:
    with pytest.raises(Undecided):
        certified(lambda: np.log(balls(2.0)) + np.log(balls(3.0)) == np.log(balls(6.0)))


def test_certified_gives_up_on_what_is_never_accepted() -> None:
    precisions = []

    def compute() -> None:
        precisions.append(flint.ctx.prec)

    with pytest.raises(Undecided, match="bits do not suffice"):
        certified(compute, accept=lambda result: False)
    assert precisions == sorted(set(precisions))


def test_certified_leaves_the_precision_as_it_was() -> None:
    before = flint.ctx.prec
    certified(lambda: TENTH)
    with pytest.raises(ZeroDivisionError):
        certified(lambda: 1 // 0)
    assert flint.ctx.prec == before


@given(value=NUMBERS)
def test_midpoints_and_remainders_make_up_the_value(value: float) -> None:
    high, low = (balls(value) / 3.0).midpoints()
    assert (
        abs(Fraction(float(high)) + Fraction(float(low)) - Fraction(value) / 3)
        <= abs(Fraction(value)) * Fraction(2) ** -105 + Fraction(2) ** -1070
    )
    assert float(high) == float(Fraction(value) / 3)


def test_radii_are_bounds_and_none_for_what_is_not_finite() -> None:
    radius = float((TENTH + TENTH).radii())
    assert 0 < radius < 1e-55
    assert balls([1.0, math.nan, math.inf, -math.inf]).radii().tolist() == [0, 0, 0, 0]
    assert balls([math.nan, math.inf]).midpoints()[1].tolist() == [0, 0]


def test_the_sum_of_nothing_is_exactly_zero() -> None:
    total = np.sum(balls(np.zeros((0, 3))), axis=0)
    assert total.shape == (3,)
    assert floats(total).tolist() == [0, 0, 0]
    assert total.radii().tolist() == [0, 0, 0]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_run_along_any_axes(axis: Any, keepdims: bool) -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    result = np.sum(balls(values), axis=axis, keepdims=keepdims)
    np.testing.assert_array_equal(floats(result), np.sum(values, axis=axis, keepdims=keepdims))


def test_the_maximum_of_a_row_with_a_nan_is_nan() -> None:
    rows = balls([[1.0, 3.0, 2.0], [math.nan, math.inf, 0.0], [-math.inf, -math.inf, -math.inf]])
    np.testing.assert_array_equal(floats(np.max(rows, axis=1)), [3.0, math.nan, -math.inf])
    assert np.max(rows, axis=1, keepdims=True).shape == (3, 1)


def test_plain_numbers_on_either_side_are_lifted() -> None:
    x, y = balls([1.0, 2.0]), np.array([3.0, 4.0])
    for result in (y + x, x + y, np.float64(3.0) + x + (0.0, 1.0)):
        assert isinstance(result, Ball)
        assert floats(result).tolist() == [4.0, 6.0]
    assert floats(np.where([True, False], x, 9.0)).tolist() == [1.0, 9.0]


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (np.sinh, "sinh"),
        (np.tanh, "tanh"),
        (np.add.reduce, "add.reduce"),
        (lambda x: np.exp(x, where=False), "exp"),
        (np.mean, "mean"),
        (np.hstack, "hstack"),
        (np.sort, "sort"),
    ],
)
def test_an_operation_outside_the_tables_is_an_error_that_names_it(
    operation: Callable[[Any], Any], name: str
) -> None:
    with pytest.raises(TypeError, match=rf"Ball does not define numpy\.{name}"):
        operation(balls([1.0, 2.0]))

"""Error-carrying numbers: their bounds hold for honest arithmetic, and claim no error where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_arithmetic import Simulated

from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS, Format
from lossproof.numbers.overflow import NEGATIVE, POSITIVE

FLOAT32 = FORMATS["float32"]
BFLOAT16 = FORMATS["bfloat16"]
FLOAT16 = FORMATS["float16"]
U = FLOAT32.unit_roundoff


def number(value: Any, bound: Any = 0.0, format: Format = FLOAT32) -> Array:
    values, bounds = np.broadcast_arrays(np.asarray(value, float), np.asarray(bound, float))
    return Bounded(values, bounds, format)


def bounds(result: Array) -> Any:
    return result.bound.tolist()


UNARY: tuple[Callable[[Any], Any], ...] = (
    np.negative,
    np.abs,
    lambda x: np.exp(-np.abs(x)),
    lambda x: np.exp(x * 0.125),
    lambda x: np.log(np.abs(x) + 0.25),
    lambda x: np.log1p(np.abs(x)),
    lambda x: np.maximum(x, 0.5),
    lambda x: np.maximum(x, -x),
    lambda x: x - np.max(x, axis=0, keepdims=True),
    lambda x: x + np.sum(x * x, axis=0, keepdims=True),
    lambda x: np.where([True, False, True, False], x, 1.0),
    lambda x: x * 0.1,
)
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    np.add,
    np.subtract,
    np.multiply,
    np.maximum,
    lambda x, y: x / (np.abs(y) + 0.5),
)
PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(UNARY) - 1), st.integers(0, len(BINARY) - 1)), min_size=1, max_size=4
)


def run(program: list[tuple[int, int]], first: Any, second: Any) -> Any:
    """A random formula of both inputs."""
    for unary, binary in program:
        first, second = BINARY[binary](UNARY[unary](first), second), first
    return first


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
@given(program=PROGRAMS, draws=st.lists(st.integers(-256, 256), min_size=8, max_size=8))
def test_honest_arithmetic_stays_within_twice_the_bound(
    name: str, program: list[tuple[int, int]], draws: list[int]
) -> None:
    format = FORMATS[name]
    values = format.round(np.array(draws) / 64 + 1 / 512)
    first, second = values[:4], values[4:]
    with np.errstate(all="ignore"):
        bounded = run(program, Bounded.exact(first, format), Bounded.exact(second, format))
        observed = run(program, Simulated(first, format), Simulated(second, format)).value
    true, _ = certified(lambda: run(program, Ball.exact(first), Ball.exact(second))).midpoints()
    # The model is one of first order: where the bound is as large as the value, it says nothing.
    says_something = (
        (bounded.overflows == 0) & (bounded.bound <= 0.05 * (np.abs(true) + 0.05)) & (abs(true) < 1e4)
    )
    np.testing.assert_allclose(bounded.value, true, rtol=1e-9, atol=1e-9)
    assert np.all((np.abs(observed - true) <= 2 * bounded.bound)[says_something])


def test_only_what_the_format_cannot_hold_is_rounded_when_lifted() -> None:
    lifted = Bounded.exact([0.5, 0.1, math.nan, math.inf, 0.0], FLOAT32)
    assert bounds(lifted) == [0, U * 0.1, 0, 0, 0]
    assert bounds(number([1.0]) * 0.1) == [U * 0.1]  # the constant's rounding; 1 * x is exact


@pytest.mark.parametrize(
    ("result", "bound"),
    [
        (number(3.0) + 4.0, 7 * U),
        (number(3.0) - 4.0, 1 * U),
        (number(3.0) * -5.0, 15 * U),
        (number(3.0) / 4.0, 0.75 * U),
        (np.exp(number(2.0)), 2 * math.exp(2) * U),
        (np.log(number(8.0)), 2 * math.log(8) * U),
        (np.log1p(number(8.0)), 2 * math.log(9) * U),
    ],
)
def test_an_operation_on_exact_numbers_adds_its_own_rounding(result: Array, bound: float) -> None:
    assert bounds(result) == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize(
    ("result", "bound"),
    [
        (number(3.0, 0.1) + number(4.0, 0.2), 0.3),
        (number(3.0, 0.1) - number(4.0, 0.2), 0.3),
        (number(3.0, 0.1) * number(-4.0, 0.2), 3 * 0.2 + 4 * 0.1),
        (number(3.0, 0.1) / number(-4.0, 0.2), 0.1 / 4 + 3 * 0.2 / 16),
        (np.exp(number(2.0, 0.1)), 0.1 * math.exp(2)),
        (np.log(number(8.0, 0.1)), 0.1 / 8),
        (np.log1p(number(8.0, 0.1)), 0.1 / 9),
        (-number(3.0, 0.1), 0.1),
        (np.abs(number(-3.0, 0.1)), 0.1),
        (np.sum(number([3.0, 4.0], [0.1, 0.2])), 0.3),
        (np.max(number([3.0, 4.0], [0.2, 0.1])), 0.2),
    ],
)
def test_errors_pass_on_through_the_derivative(result: Array, bound: float) -> None:
    assert bound <= bounds(result) <= bound + 40 * U


@pytest.mark.parametrize(
    "result",
    [
        number(3.1) + 0.0,
        0.0 + number(3.1),
        number(3.1) - number(3.1),
        number(3.1) * 1.0,
        number(3.1) * -1.0,
        number(3.1) * 0.0,
        number(3.1) / 1.0,
        number(0.0) / 3.0,
        np.exp(number(0.0)),
        np.exp(number(-math.inf)),
        np.log(number(1.0)),
        np.log1p(number(0.0)),
        np.sum(number([0.0, 3.1, 0.0])),
        np.sum(number(np.zeros(5))),
        np.sum(number([])),
        np.max(number([1.0, 3.1])),
        np.maximum(number(3.1), 2.0),
        -number(3.1),
        np.sign(number(3.1)),
    ],
)
def test_what_floating_point_does_exactly_has_no_error(result: Array) -> None:
    assert bounds(result) == 0


@pytest.mark.parametrize(
    ("format", "terms", "bound"),
    [
        (FLOAT32, 8, (1 + 3) * 2.0**-24 * 8 + 2.0**-24 * 8),
        (FLOAT32, 9, (1 + 4) * 2.0**-24 * 9 + 2.0**-24 * 9),
        (BFLOAT16, 8, (1 + 3) * 2.0**-24 * 8 + 2.0**-8 * 8),
        (FLOAT16, 8, (1 + 3) * 2.0**-24 * 8 + 2.0**-11 * 8),
    ],
)
def test_a_sum_follows_the_rule_of_blocked_summation(format: Format, terms: int, bound: float) -> None:
    assert bounds(np.sum(number(np.ones(terms), format=format))) == bound


def test_a_sum_of_one_term_or_none_is_exact() -> None:
    one = number([[1.5, -2.0]], [[0.0, 1e-3]])
    alone = np.sum(one, axis=0)
    assert (alone.value.tolist(), bounds(alone)) == ([1.5, -2.0], [0.0, 1e-3])
    infinite = number(300.0, format=FLOAT16) * number(300.0, format=FLOAT16)
    assert np.sum(np.reshape(infinite, (1,))).overflows == POSITIVE
    nothing = np.sum(number(np.zeros((0, 2))), axis=0)
    assert (nothing.value.tolist(), bounds(nothing)) == ([0.0, 0.0], [0.0, 0.0])


def test_a_sum_that_cancels_is_bounded_by_the_magnitudes() -> None:
    total = np.sum(number([1e4, 1.0, -1e4]))
    assert bounds(total) == pytest.approx(3 * U * 20001 + U, rel=1e-12)


def test_the_terms_of_a_sum_are_counted_along_its_axis() -> None:
    ones = number(np.ones((2, 8)))
    assert bounds(np.sum(ones, axis=1)) == [(4 + 1) * U * 8] * 2
    assert bounds(np.sum(ones, axis=0, keepdims=True)) == [[(2 + 1) * U * 2] * 8]


@pytest.mark.parametrize(("format", "least"), [(FLOAT32, 2.0**-126), (FLOAT16, 2.0**-23)])
def test_near_zero_an_operation_is_off_by_the_underflow(format: Format, least: float) -> None:
    tiny = number(2.0**-12, format=format) * number(3 * 2.0**-130 if format is FLOAT32 else 3 * 2.0**-14)
    assert bounds(tiny) == least


def test_a_divisor_whose_sign_is_in_doubt_leaves_no_bound() -> None:
    assert bounds(number(1.0) / number([0.1, 0.1, 0.1], [0.09, 0.1, 0.2]))[1:] == [math.inf, math.inf]
    assert bounds(number(1.0) / number(0.1, 0.09)) < math.inf


@pytest.mark.parametrize(
    "compute",
    [
        lambda: number(0.0) / 0.0,
        lambda: np.exp(number(math.inf)),
        lambda: np.log(number(-1.0)),
        lambda: number(math.inf) - math.inf,
        lambda: number(math.inf) * number(2.0, 0.1),
        lambda: np.log(number(0.0)),
        lambda: number(1.0) / 0.0,
    ],
)
def test_infinities_and_nan_have_no_error_and_no_excuse(compute: Callable[[], Array]) -> None:
    with np.errstate(all="ignore"):
        result = compute()
    assert bounds(result) == 0
    assert result.overflows == 0


def test_overflow_is_marked_and_inherited() -> None:
    large = number([300.0, 2.0], format=FLOAT16) * 300.0
    assert large.overflows.tolist() == [POSITIVE, 0]
    for heir in (large + 1.0, large * 2.0, large / 2.0, np.log(large), np.sqrt(large)):
        assert heir.overflows.tolist() == [POSITIVE, 0]
    for heir in (1.0 - large, -large, large * -2.0, large / -2.0):
        assert heir.overflows.tolist() == [NEGATIVE, 0]
    assert np.sum(large).overflows
    assert np.max(large).overflows
    column: Array = np.reshape(large, (2, 1))
    assert column.overflows.tolist() == [[POSITIVE], [0]]
    chosen: Array = np.where([False, True], large, 0.0)
    assert chosen.overflows.tolist() == [0, 0]


def test_a_clear_winner_of_a_maximum_leaves_overflow_behind() -> None:
    large = number([300.0], format=FLOAT16) * 300.0
    assert np.maximum(-large, 1.0).overflows.tolist() == [0]
    assert np.maximum(large, 1.0).overflows.tolist() == [POSITIVE]


def test_a_sum_alone_does_not_overflow() -> None:
    """It is kept in float32; its last rounding may leave the format, but that the verdict sees by itself."""
    assert not np.sum(number([60000.0, 60000.0], format=FLOAT16)).overflows


def test_float32_range_is_that_of_float32() -> None:
    assert (number(1e20) * 1e20).overflows
    assert not (number(1e20, format=FORMATS["float64"]) * 1e20).overflows
    assert not (number(1e18) * 1e18).overflows


def test_the_greater_of_two_is_as_uncertain_as_its_candidates() -> None:
    assert bounds(np.maximum(number(2.0, 0.1), number(1.0, 0.5))) == 0.1
    assert bounds(np.maximum(number(1.0, 0.5), number(2.0, 0.1))) == 0.1
    assert bounds(np.maximum(number(2.0, 0.1), number(1.0, 0.95))) == 0.95


def test_a_sign_in_doubt_may_be_any_subgradient() -> None:
    sign = np.sign(number([-3.0, 0.0, 0.1, 0.1], [0.1, 0.2, 0.1, 0.05]))
    assert sign.value.tolist() == [-1, 0, 1, 1]
    assert bounds(sign) == [0, 0.5, 1.0, 0]


def test_a_step_in_doubt_may_be_any_subgradient_and_be_rounded_afterwards() -> None:
    step = np.heaviside(number([-3.0, 0.0, 0.1, 3.0], [0.1, 0.2, 0.1, 0.1]), 1.0)
    assert step.value.tolist() == [0, 1, 1, 1]
    rounded_twice = 1.0 * (1 + U) * (1 + U)
    assert [2 * bound >= rounded_twice for bound in bounds(step)] == [False, True, True, False]


def test_exactly_at_a_kink_the_slope_is_torch_s() -> None:
    at_kink = number([0.0, -0.0], [0.0, 0.0])
    assert (np.sign(at_kink).value.tolist(), bounds(np.sign(at_kink))) == ([0, 0], [0, 0])
    step = np.heaviside(at_kink, 1.0)
    assert (step.value.tolist(), bounds(step)) == ([1, 1], [0, 0])


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.floats(0, 1))
def test_comparisons_look_at_the_values(values: list[float], bound: float) -> None:
    x, y = number(values[:2], bound), number(values[2:], bound)
    assert (x < y).tolist() == (x.value < y.value).tolist()
    assert (x >= y).tolist() == (x.value >= y.value).tolist()


def test_nothing_times_an_unbounded_error_is_unbounded() -> None:
    with np.errstate(invalid="ignore"):
        unbounded = number([1.0], [0.0]) / number([0.5], [0.75])
        product = unbounded * number([0.0], [0.0])
    assert bounds(unbounded) == [np.inf]
    assert bounds(product) == [np.inf]

"""The p-norm on all numbers: against its definition, out of range of its powers, and within its bounds."""

from __future__ import annotations

import math

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.vector_norm import shares_of_largest, vector_norm

DEGREES = (0.5, 1.0, 1.5, 2.0, 2.7, 3.0, 7.0, -1.0, -2.5, math.inf, -math.inf)
VECTORS = st.lists(st.integers(-512, 512).filter(bool), min_size=1, max_size=6)


@pytest.mark.parametrize("p", DEGREES)
@given(vector=VECTORS)
def test_balls_and_floats_agree_with_the_definition(p: float, vector: list[int]) -> None:
    values = np.array(vector) / 64
    magnitudes = np.abs(values)
    if math.isinf(p):
        defined = float(np.max(magnitudes) if p > 0 else np.min(magnitudes))
    else:
        defined = float(np.sum(magnitudes**p) ** (1 / p))
    assert vector_norm(values, p, 0)[0] == pytest.approx(defined, rel=1e-12)
    balls = certified(lambda: vector_norm(Ball.exact(values), p, 0))
    assert balls.midpoints()[0][0] == pytest.approx(defined, rel=1e-12)


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0, -2.0])
@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_no_power_leaves_the_range(p: float, size: float) -> None:
    single = vector_norm(np.array([3.0, 4.0]), p, 0)[0]
    assert vector_norm(np.array([3 * size, 4 * size]), p, 0)[0] == pytest.approx(single * size, rel=1e-12)


@pytest.mark.parametrize("p", DEGREES)
@given(vector=VECTORS, errors=st.lists(st.integers(-8, 8), min_size=6, max_size=6))
def test_errors_of_the_components_stay_within_the_bound(
    p: float, vector: list[int], errors: list[int]
) -> None:
    values = np.array(vector) / 64
    shifts = np.array(errors[: len(vector)]) * 2.0**-20
    bounded = vector_norm(Bounded(values, np.abs(shifts), FORMATS["float32"]), p, 0)
    moved = vector_norm(values + shifts, p, 0) - vector_norm(values, p, 0)
    assert abs(moved[0]) <= 1.1 * bounded.bound[0]


def test_the_root_is_inexact_in_every_format_unless_its_exponent_is_a_number_of_it() -> None:
    # 1/3 is off by up to u/3, which raises a norm of 2^51 to the power of 1 + u.
    long = Bounded.exact([2.0**51], FORMATS["float64"])
    cubed, squared = (float(vector_norm(long, p, 0).bound[0]) for p in (3.0, 2.0))
    assert cubed > 2.0**-53 * math.log(2.0**51) * 2.0**51 > squared


def test_no_error_is_claimed_where_there_is_none() -> None:
    for p in (1.0, 2.0, 3.0, math.inf):
        assert vector_norm(Bounded.exact([0.0, 0.0], FORMATS["float32"]), p, 0).bound.tolist() == [0.0]
    assert vector_norm(Bounded.exact([0.0, -3.0], FORMATS["float32"]), 2, 0).bound.tolist() == [0.0]


def test_a_count_errs_by_its_rounding_to_a_format_that_does_not_hold_it() -> None:
    for name, error in (("bfloat16", 1.0), ("float16", 0.0), ("float32", 0.0)):
        counted = vector_norm(Bounded.exact(np.ones(1025), FORMATS[name]), 0, 0)
        assert (counted.value.tolist(), counted.bound.tolist()) == ([1025.0], [error])


def test_only_the_norm_itself_may_overflow() -> None:
    largest = FORMATS["float16"].largest
    inside = vector_norm(Bounded.exact([largest / 2, largest / 2], FORMATS["float16"]), 2, 0)
    outside = vector_norm(Bounded.exact([largest, largest], FORMATS["float16"]), 2, 0)
    assert (inside.overflows.tolist(), outside.overflows.tolist()) == ([False], [True])


def test_those_that_tie_share() -> None:
    assert shares_of_largest(np.array([2.0, 1.0, 2.0]), 0).tolist() == [0.5, 0.0, 0.5]
    assert shares_of_largest(Bounded.exact([2.0, 1.0], FORMATS["float32"]), 0).bound.tolist() == [0.0, 0.0]


def test_a_ball_is_the_larger_of_an_infinite_and_a_finite_one() -> None:
    infinite: Array = Ball.exact([np.inf])
    assert np.maximum(infinite, 1.0).elements[0] == flint.arb("inf")


def test_what_ties_exactly_shares_exactly_and_what_ties_in_doubt_in_any_way() -> None:
    values = np.array([[3.0, 3.0, 1.0]])
    single = FORMATS["float32"]
    exact = shares_of_largest(Bounded.exact(values, single), 1)
    assert exact.value.tolist() == [[0.5, 0.5, 0.0]]
    assert np.all(exact.bound <= 2.0**-24)
    in_doubt = Bounded(values, np.full((1, 3), 0.25), single, np.where(values > 9, 1, 0))
    assert shares_of_largest(in_doubt, 1).bound.tolist() == [[0.5, 0.5, 0.0]]

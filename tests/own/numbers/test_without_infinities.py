"""A format without infinities: a number beyond its range is nan there, from the formula to the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulated_arithmetic import Simulated

from lossproof.judging.assertions import within_budget
from lossproof.judging.truth import Truth, truth_of
from lossproof.judging.verdict import compare
from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import Format
from lossproof.numbers.overflow import UNDEFINED
from lossproof.reference.evaluation import prepare

E4M3FN = Format("float8_e4m3fn", 4, -6, 448.0, has_infinities=False)
E5M2 = Format("float8_e5m2", 3, -14, 57344.0)


def squares(format: Format, *numbers: float) -> Truth:
    """The truth of numbers squared."""
    inputs = {"input": np.array(numbers), "target": np.zeros(len(numbers))}
    return truth_of(prepare("MSELoss", {"reduction": "none"}, inputs), format).value


def number(*values: float) -> Array:
    return Bounded.exact(np.array(values), E4M3FN)


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x + 1.0,
        lambda x: 1.0 - x,
        lambda x: x * 0.0,
        lambda x: 1.0 / x,
        lambda x: -x,
        lambda x: np.exp(-x),
        lambda x: np.maximum(-x, 0.0),
        lambda x: np.maximum(x, 5.0),
    ],
)
def test_whatever_is_made_of_it_is_nan(compute: Callable[[Any], Any]) -> None:
    bounded = compute(number(30.0, 0.5) * 30.0)
    assert bounded.overflows.tolist() == [UNDEFINED, 0]
    honest = compute(Simulated(np.array([30.0, 0.5]), E4M3FN) * 30.0).value
    assert np.isnan(honest).tolist() == [True, False]


def test_a_constant_beyond_the_range_is_off_by_one_rounding() -> None:
    assert number(1000.0).bound.tolist() == [1000 * E4M3FN.unit_roundoff]


def test_a_sum_is_kept_in_float32_which_has_infinities() -> None:
    total: Array = np.sum(number(400.0, 400.0))
    assert not total.overflows


@pytest.mark.parametrize(
    ("format", "number", "right", "wrong"),
    [
        (E4M3FN, 30.0, math.nan, math.inf),
        (E4M3FN, 30.0, math.nan, 448.0),
        (E5M2, 300.0, math.inf, math.nan),
        (E5M2, 300.0, math.inf, -math.inf),
    ],
)
def test_the_verdict_knows_what_a_number_beyond_the_range_becomes(
    format: Format, number: float, right: float, wrong: float
) -> None:
    truth = squares(format, number, 2.0)
    assert compare(np.array([right, 4.0]), truth).agrees
    assert not compare(np.array([wrong, 4.0]), truth).agrees
    assert not compare(np.array([right, right]), truth).agrees


def test_what_may_round_beyond_the_range_may_be_nan() -> None:
    truth = squares(E4M3FN, 21.0)  # 441, and within its budget of more than 448
    verdict = compare(np.array([math.nan]), truth)
    assert (verdict.agrees, verdict.rule) == (True, "overflow")
    assert "within its budget of nan" in verdict.message


def test_a_program_lets_pass_what_the_verdict_does() -> None:
    assert within_budget(1.0, squares(E4M3FN, 30.0), (0,)).endswith("or got != got")
    assert within_budget(1.0, squares(E5M2, 300.0), (0,)).endswith("or got == float('inf')")


def test_rounded_to_it_a_truth_may_be_nan() -> None:
    assert squares(E5M2, 30.0, 2.0).rounded_to(E4M3FN).overflows.tolist() == [UNDEFINED, 0]

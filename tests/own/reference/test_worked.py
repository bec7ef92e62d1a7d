"""The worked steps: what they say, and that they are true."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from loss_arguments import ARGUMENTS, PARAMETERS

from lossproof.numbers.base import Array
from lossproof.numbers.written import Written
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import prepare
from lossproof.reference.worked import formula_of, worked_steps

# What the reference advises against is worked like anything else.
pytestmark = pytest.mark.filterwarnings(f"ignore::{ReferenceWarning.__module__}.ReferenceWarning")


def steps(loss: str, args: dict[str, Any], **params: Any) -> list[str]:
    return worked_steps(prepare(loss, params, args)).splitlines()


def test_a_weighted_mean_step_by_step() -> None:
    input = [[1.0, 2.0], [1.0, 3.0]]
    args = {"input": input, "target": np.array([0, 1]), "weight": np.array([1.0, 2.0])}
    assert steps("CrossEntropyLoss", args) == [
        "logits - max",
        "  [0, 0]: 1 - max(1, 2) = -1",
        "  [0, 1]: 2 - max(1, 2) = 0",
        "  [1, 0]: 1 - max(1, 3) = -2",
        "  [1, 1]: 3 - max(1, 3) = 0",
        "sum of exponentials",
        "  [0, 0]: exp(-1) + exp(0) ≈ 1.3678794",
        "  [1, 0]: exp(-2) + exp(0) ≈ 1.1353353",
        "log-softmax",
        "  [0, 0]: -1 - log(1.3678794) ≈ -1.3132617",
        "  [0, 1]: 0 - log(1.3678794) ≈ -0.3132617",
        "  [1, 0]: -2 - log(1.1353353) ≈ -2.126928",
        "  [1, 1]: 0 - log(1.1353353) ≈ -0.126928",
        "weights",
        "  [0]: 1",
        "  [1]: 2",
        "picked",
        "  [0]: -1.3132617",
        "  [1]: -0.126928",
        "-w log p",
        "  [0]: (-1) * (-1.3132617) = 1.3132617",
        "  [1]: (-2) * (-0.126928) = 0.253856",
        "sum: 1.3132617 + 0.253856 = 1.5671177",
        "mean: 1.5671177 / (1 + 2) ≈ 0.5223726",
    ]


def test_a_long_sum_shows_its_ends_and_a_long_step_its_beginning() -> None:
    lines = steps("MSELoss", {"input": np.arange(20.0), "target": np.zeros(20)}, reduction="sum")
    assert lines[:2] == ["d", "  [0]: 0 - 0 = 0"]
    assert "  ... and 8 more" in lines
    assert lines[-1] == "sum: 0 + 1 + 4 + 9 + 16 + 25 + ... + 361 (20 terms) = 2470"


def test_a_step_that_is_shown_whole_has_no_more() -> None:
    lines = steps("MSELoss", {"input": np.arange(12.0), "target": np.zeros(12)}, reduction="sum")
    assert "  [11]: 11 * 11 = 121" in lines
    assert not [line for line in lines if "more" in line]


@pytest.mark.parametrize("number", [1.0, math.nan])
def test_a_sum_of_one_loss_is_no_step(number: float) -> None:
    [_, last] = steps("MSELoss", {"input": np.array(number), "target": np.array(0.0)}, reduction="sum")
    assert last == f"losses: {number:.0f} * {number:.0f} = {number:.0f}"


def test_a_complex_step_has_two_parts() -> None:
    args = {"input": np.array([3 + 4j, 1]), "target": np.array([0.0, 1.0])}
    assert steps("L1Loss", args, reduction="sum") == [
        "Re d",
        "  [0]: 3 - 0 = 3",
        "  [1]: 1 - 1 = 0",
        "Im d",
        "  [0]: 4 - 0 = 4",
        "  [1]: 0 - 0 = 0",
        "losses",
        "  [0]: sqrt(3 * 3 + 4 * 4) = 5",
        "  [1]: sqrt(0 * 0 + 0 * 0) = 0",
        "sum: 5 + 0 = 5",
    ]


def test_no_elements_are_said_to_be_none() -> None:
    lines = steps("MSELoss", {"input": np.zeros((0, 3)), "target": np.zeros((0, 3))}, reduction="sum")
    assert lines == ["d", "  no elements", "sum: 0"]


def test_a_number_without_dimensions_is_its_own_maximum() -> None:
    assert steps("Softmax", {"input": np.array(3.0)}, dim=0) == [
        "logits - max: 3 - 3 = 0",
        "exponentials: exp(0) = 1",
        "softmax: 1 / 1 = 1",
    ]


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_works_its_steps_to_its_value(loss: str) -> None:
    prepared = prepare(loss, PARAMETERS.get(loss, {}), ARGUMENTS[loss])
    last = np.atleast_1d(np.asarray(prepared.value())).ravel()[-1]
    [*_, told] = re.split(" [=≈] |: ", worked_steps(prepared))
    assert float(told) == pytest.approx(last, rel=1e-6)
    convention = LOSSES[loss].convention
    assert formula_of(LOSSES[loss]).endswith(convention.means if convention else ".")


CONFIDENT = {"input": np.array([[0.0, 20.0], [40.0, 0.0], [0.0, 1000.0]]), "target": np.array([1, 0, 1])}


def test_a_certain_answer_costs_what_it_costs() -> None:
    lines = steps("CrossEntropyLoss", CONFIDENT, reduction="sum")
    assert "  [0, 0]: exp(-20) + exp(0) ≈ 1.000000002061154" in lines
    assert "  [0, 1]: 0 - log(1.000000002061154) ≈ -2.061154e-09" in lines
    assert "  [1, 0]: exp(0) + exp(-40) ≈ 1 + 4.248354e-18" in lines
    assert "  [1, 0]: 0 - log(1 + 4.248354e-18) ≈ -4.248354e-18" in lines
    assert "  [2, 1]: 0 - log(1 + 5.075959e-435) ≈ -5.075959e-435" in lines
    assert "  [2]: (-1) * (-5.075959e-435) = 5.075959e-435" in lines


def test_a_difference_of_neighbours_has_all_its_digits() -> None:
    lines = steps("L1Loss", {"input": np.array([0.12345678]), "target": np.array([0.12345677])})
    assert lines[:2] == ["d", "  [0]: 0.12345678 - 0.12345677 = 1e-08"]


def test_what_float64_makes_of_a_decimal_is_told_where_it_counts() -> None:
    args = {"input": np.array([math.log(0.5)]), "target": np.array([0.5])}
    [_, line] = steps("KLDivLoss", args, reduction="sum")
    assert line == "  [0]: 0.5 * log(0.5) - 0.5 * (-0.693147180559945286226764) ≈ -1.159523e-17"


def test_what_is_exact_in_ten_digits_is_printed_exactly() -> None:
    lines = steps("MSELoss", {"input": np.array([65537.0, 2.0**20]), "target": np.zeros(2)}, reduction="sum")
    assert lines[4:] == [
        "  [0]: 65537 * 65537 = 4295098369",
        "  [1]: 1048576 * 1048576 ≈ 1.099512e+12",
        "sum: 4295098369 + 1.099512e+12 ≈ 1.103807e+12",
    ]


def test_a_zero_that_no_precision_proves_says_how_far_it_is_known() -> None:
    args = {"input": np.zeros(2), "target": np.zeros(2), "var": np.array([4.0, 0.25])}
    [*_, last] = steps("GaussianNLLLoss", args, reduction="sum")
    assert last == "sum: 0.6931472 - 0.6931472 = 0 (to 461 decimals)"


def test_what_is_beyond_every_format_stands_as_a_zero_of_many_decimals() -> None:
    lines = steps("Softmax", {"input": np.array([0.0, -3e38])}, dim=0)
    assert "  [1]: exp(-3e+38) ≈ 0 (to 1,000,000 decimals)" in lines


def test_what_cannot_be_told_says_so() -> None:
    args = {"input": np.array([1e39]), "target": np.array([0.0])}
    assert steps("PoissonNLLLoss", args) == ["the steps cannot be certified: a number beyond 1e1000000"]


def text_of(value: Any) -> str:
    return str(value.terms[()].expression().text)


def test_signs_and_parentheses_are_where_they_belong() -> None:
    one: Array = Written.exact(2.0)
    minus: Array = Written.exact(-3.0)
    assert text_of(one - minus) == "2 - (-3)"
    assert text_of(one + minus) == "2 - 3"
    assert text_of(minus * minus) == "(-3) * (-3)"
    assert text_of((one + minus) * one) == "(2 - 3) * 2"
    assert text_of(one / (one * minus)) == "2 / (2 * (-3))"
    assert text_of(-(one - minus)) == "-(2 - (-3))"
    assert text_of(one - (minus + one)) == "2 - (-3 + 2)"
    assert text_of(np.power(minus, one)) == "(-3)^2"
    assert text_of(np.log1p(one)) == "log(1 + 2)"
    assert text_of(np.exp(np.abs(minus))) == "exp(|-3|)"
    assert text_of(np.minimum(one, minus)) == "min(2, -3)"


def test_an_operand_that_grew_long_stands_as_its_number() -> None:
    value = Written.exact(1.0)
    for _ in range(40):
        value = np.sqrt(value + 1.0)
    assert len(text_of(value)) < 100
    assert text_of(value).endswith("+ 1)")

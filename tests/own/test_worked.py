"""The worked steps: what they say, and that they are true."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from test_reference import ARGUMENTS, PARAMETERS

from lossproof.numbers.base import Array
from lossproof.numbers.written import Written, numeral
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import ReferenceWarning, prepare
from lossproof.reference.worked import formula_of, worked_steps

# What the reference advises against is worked like anything else.
pytestmark = pytest.mark.filterwarnings(f"ignore::{ReferenceWarning.__module__}.ReferenceWarning")


def steps(loss: str, args: dict[str, Any], **params: Any) -> list[str]:
    return worked_steps(prepare(loss, params, args)).splitlines()


def text_of(value: Any) -> str:
    return str(value.expressions[()].text)


def test_a_weighted_mean_step_by_step() -> None:
    input = [[1.0, 2.0], [1.0, 3.0]]
    args = {"input": input, "target": np.array([0, 1]), "weight": np.array([1.0, 2.0])}
    assert steps("CrossEntropyLoss", args) == [
        "logits - max",
        "  [0, 0] = 1 - max(1, 2) = -1",
        "  [0, 1] = 2 - max(1, 2) = 0",
        "  [1, 0] = 1 - max(1, 3) = -2",
        "  [1, 1] = 3 - max(1, 3) = 0",
        "sum of exponentials",
        "  [0, 0] = exp(-1) + exp(0) = 1.367879",
        "  [1, 0] = exp(-2) + exp(0) = 1.135335",
        "log-softmax",
        "  [0, 0] = -1 - log(1.367879) = -1.313262",
        "  [0, 1] = 0 - log(1.367879) = -0.3132617",
        "  [1, 0] = -2 - log(1.135335) = -2.126928",
        "  [1, 1] = 0 - log(1.135335) = -0.126928",
        "weights",
        "  [0] = 1",
        "  [1] = 2",
        "picked",
        "  [0] = -1.313262",
        "  [1] = -0.126928",
        "-w log p",
        "  [0] = (-1) * (-1.313262) = 1.313262",
        "  [1] = (-2) * (-0.126928) = 0.253856",
        "sum = 1.313262 + 0.253856 = 1.567118",
        "mean = 1.567118 / (1 + 2) = 0.5223726",
    ]


def test_a_long_sum_shows_its_ends_and_a_long_step_its_beginning() -> None:
    lines = steps("MSELoss", {"input": np.arange(20.0), "target": np.zeros(20)}, reduction="sum")
    assert lines[:2] == ["d", "  [0] = 0 - 0 = 0"]
    assert "  ... and 8 more" in lines
    assert lines[-1] == "sum = 0 + 1 + 4 + 9 + 16 + 25 + ... + 361 (20 terms) = 2470"


def test_a_step_that_is_shown_whole_has_no_more() -> None:
    lines = steps("MSELoss", {"input": np.arange(12.0), "target": np.zeros(12)}, reduction="sum")
    assert "  [11] = 11 * 11 = 121" in lines
    assert not [line for line in lines if "more" in line]


@pytest.mark.parametrize("number", [1.0, math.nan])
def test_a_sum_of_one_loss_is_no_step(number: float) -> None:
    [_, last] = steps("MSELoss", {"input": np.array(number), "target": np.array(0.0)}, reduction="sum")
    assert last == f"losses = {number:.0f} * {number:.0f} = {number:.0f}"


def test_a_complex_step_has_two_parts() -> None:
    args = {"input": np.array([3 + 4j, 1]), "target": np.array([0.0, 1.0])}
    assert steps("L1Loss", args, reduction="sum") == [
        "Re d",
        "  [0] = 3 - 0 = 3",
        "  [1] = 1 - 1 = 0",
        "Im d",
        "  [0] = 4 - 0 = 4",
        "  [1] = 0 - 0 = 0",
        "losses",
        "  [0] = sqrt(3 * 3 + 4 * 4) = 5",
        "  [1] = sqrt(0 * 0 + 0 * 0) = 0",
        "sum = 5 + 0 = 5",
    ]


def test_no_elements_are_said_to_be_none() -> None:
    lines = steps("MSELoss", {"input": np.zeros((0, 3)), "target": np.zeros((0, 3))}, reduction="sum")
    assert lines == ["d", "  no elements", "sum = 0"]


def test_a_number_without_dimensions_is_its_own_maximum() -> None:
    assert steps("Softmax", {"input": np.array(3.0)}, dim=0) == [
        "logits - max = 3 - 3 = 0",
        "exponentials = exp(0) = 1",
        "softmax = 1 / 1 = 1",
    ]


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_works_its_steps_to_its_value(loss: str) -> None:
    prepared = prepare(loss, PARAMETERS.get(loss, {}), ARGUMENTS[loss])
    last = np.atleast_1d(np.asarray(prepared.value())).ravel()[-1]
    assert worked_steps(prepared).splitlines()[-1].endswith(f"= {numeral(last)}")
    assert formula_of(LOSSES[loss])


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_expression_has_the_value_beside_it(loss: str) -> None:
    """A second reading: Python evaluates each line as it is printed."""
    checked = 0
    prepared = prepare(loss, PARAMETERS.get(loss, {}), ARGUMENTS[loss])
    for line in worked_steps(prepared).splitlines():
        parts = line.strip().split(" = ")
        if len(parts) < 3 or "..." in line:
            continue
        value, printed = evaluate(parts[-2]), float(parts[-1])
        assert value == pytest.approx(printed, rel=2e-5, abs=1e-6), line
        checked += 1
    assert checked


def evaluate(text: str) -> float:
    names: dict[str, Any] = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "max": largest, "min": min}
    names |= {"log_sum_exp": lambda *terms: float(np.logaddexp.reduce(terms)), "inf": math.inf}
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text).replace("^", "**").replace("log-sum-exp", "log_sum_exp")
    return float(eval(text, {"__builtins__": {}}, names | {"abs": abs}))


def largest(*numbers: float) -> float:
    return max(numbers)


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

"""Honest computations of kinds that the budget does not cover are wrong, and told as what they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case, examine, named
from pretenders import Pretender

from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Fill, Uniform
from lossproof.judging.calls import CallPlanner
from lossproof.judging.verdict import compare
from lossproof.numbers.rules import Rules
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Observation

MANY = case(
    "MSELoss",
    {
        "input": Uniform(parse_numeral("0"), parse_numeral("4"), (100_000,), 7),
        "target": Fill(parse_numeral("0"), (100_000,)),
    },
    reductions=("sum",),
    dtypes=("float32",),
)
FAR_OFF = case(
    "CrossEntropyLoss",
    {"input": literal([["100000", "100000.25", "99999.5"]]), "target": literal(["1"])},
    reductions=("none",),
    dtypes=("float32",),
)


def one_after_another(call: Call) -> Any:
    """The sum of squares as a plain loop in single precision has it."""
    x = call.args["input"].numbers.astype(np.float32)
    return np.cumsum(x * x, dtype=np.float32)[-1]


def by_subtraction(call: Call) -> Any:
    """Log-sum-exp first, and then the difference, in single precision."""
    x = call.args["input"].numbers.astype(np.float32)
    top = x.max()
    log_sum_exp = top + np.log(np.exp(x - top).sum(dtype=np.float32))
    return (log_sum_exp - x[:, 1]).astype(np.float32)


def judged(examined: Any, compute: Any) -> Record:
    def act(call: Call, answer: Observation) -> Observation:
        return replace(answer, value=np.asarray(compute(call), dtype=np.float64))

    subject = Pretender(act, dtypes=("float32",))
    return named(examine(examined, subject, "float32", with_modes=False), "value")


@pytest.mark.parametrize(
    ("examined", "compute", "words"),
    [
        (MANY, one_after_another, "as far off as a sequential sum may be"),
        (FAR_OFF, by_subtraction, "as far off as x - logsumexp(x) may be"),
    ],
)
def test_it_disagrees_and_is_told_as_what_it_is(examined: Any, compute: Any, words: str) -> None:
    record = judged(examined, compute)
    assert record.outcome == "disagree"
    assert words in record.message


def test_the_simplest_computation_that_may_be_as_far_off_is_told() -> None:
    rows = {"input": literal([["100000", "100000.25", "99999.5"]] * 300), "target": literal(["1"] * 300)}
    many = case("CrossEntropyLoss", rows)
    truth = CallPlanner().plan(many, "float32", "sum").truth.value
    assert truth.bounded_by is not None
    for rules, name in (
        (Rules(sums_are_sequential=True), "a sequential sum"),
        (Rules(subtracts_log_sum_exp=True), "x - logsumexp(x)"),
        (
            Rules(sums_are_sequential=True, subtracts_log_sum_exp=True),
            "x - logsumexp(x) with a sequential sum",
        ),
    ):
        furthest = truth.value + 1.999 * truth.bounded_by(rules).bound
        assert f"as far off as {name} may be" in compare(furthest, truth).message


@pytest.mark.parametrize("examined", [MANY, FAR_OFF])
def test_what_is_further_off_than_that_is_just_wrong(examined: Any) -> None:
    record = judged(examined, lambda call: np.full(() if examined is MANY else (1,), 7.0))
    assert record.outcome == "disagree"
    assert "as far off as" not in record.message

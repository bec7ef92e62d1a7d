"""A case with ``repeats`` must come out right every time, and says nothing that changes from run to run."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from examined_cases import DISTANCE, REFUSAL, cases_of
from examined_cases import examine as examine_case

from lossproof.checks.examination import Examiner
from lossproof.checks.repeats import judge_repeats
from lossproof.corpus.case import ModuleClaim
from lossproof.judging.calls import CallPlanner
from lossproof.judging.verdict import compare
from lossproof.records.record import Record
from lossproof.subjects.call import Observation
from lossproof.subjects.registry import find_subject

[CASE] = cases_of(
    """
loss: KLDivLoss
cases:
  - id: again
    title: the same every time
    args: {input: [-1, -2], target: [0.5, 0.25]}
    reductions: [sum]
    repeats: 4
"""
).values()


def examine() -> dict[str, Record]:
    records = Examiner().examine(CASE, find_subject("torch.nn.functional"), "float64")
    return {record.quantity: record for record in records}


def test_what_is_right_every_time_agrees() -> None:
    records = examine()
    assert set(records) >= {"value", "gradient:input", "vjp:target"}
    assert {record.outcome for record in records.values()} == {"agree"}


def test_what_is_wrong_once_disagrees_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    right, calls = torch.nn.functional.kl_div, itertools.count()
    monkeypatch.setattr(
        torch.nn.functional,
        "kl_div",
        lambda *args, **kwargs: right(*args, **kwargs) + (next(calls) == 2),
    )
    records = examine()
    assert {name for name, record in records.items() if record.outcome != "agree"} == {"value"}
    assert records["value"].message == "not right in every one of 4 runs of the same call"
    assert records["value"].error_over_budget is None
    assert records["value"].detail is not None
    assert "observed" not in records["value"].detail


@pytest.mark.parametrize(
    ("demand", "quantity"),
    [({"raises": REFUSAL}, "raises"), ({"module": ModuleClaim("repr", "MSELoss()")}, "module")],
)
def test_what_is_not_judged_by_its_numbers_is_not_repeated(demand: dict[str, Any], quantity: str) -> None:
    [record] = examine_case(replace(DISTANCE, repeats=2, reductions=("sum",), **demand))
    assert record.quantity == quantity


@pytest.mark.parametrize("first", [1, 2, 3])
def test_how_much_of_the_budget_is_used_is_that_of_the_worst_run(tmp_path: Path, first: int) -> None:
    planned = CallPlanner().plan(CASE, "float64", "sum")
    true = planned.truth.value
    values = [true.value + (first + run) % 4 * true.bound / 4 for run in range(4)]
    (_, verdict, _), *_ = judge_repeats(planned, [Observation(value, "float64") for value in values])
    assert verdict.agrees
    assert verdict.error_over_budget == compare(true.value + 3 * true.bound / 4, true).error_over_budget


@pytest.mark.parametrize(("misshapen", "judged"), [({2}, True), ({0, 1, 2, 3}, False)])
def test_what_has_the_wrong_shape_has_no_gradients(
    monkeypatch: pytest.MonkeyPatch, misshapen: set[int], judged: bool
) -> None:
    right, calls = torch.nn.functional.kl_div, itertools.count()

    def kl_div(*args: Any, **kwargs: Any) -> torch.Tensor:
        result = right(*args, **kwargs)
        return result.reshape(1) if next(calls) in misshapen else result

    monkeypatch.setattr(torch.nn.functional, "kl_div", kl_div)
    records = examine()
    assert records.pop("value").outcome == "disagree"
    assert ("gradient:input" in records) is ("vjp:target" in records) is judged
    assert {record.outcome for record in records.values()} <= {"agree"}

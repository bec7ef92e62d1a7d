"""Records: what they take over from their case, and what they say of a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from defect_specimens import ENTRY

from lossproof.checks.recorder import Recorder
from lossproof.corpus.case import Case, Drifted, Erratum, Flag, ModuleClaim, Printed, Source
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Fill
from lossproof.judging.number_text import observed_digits
from lossproof.judging.verdict import Verdict
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record

DOUBLE = FORMATS["float64"]
CASE = Case(
    id="one",
    title="a case",
    loss="CrossEntropyLoss",
    file="cases/x.yaml",
    line=3,
    source=Source("document", "a section", "d-1"),
    flags=(Flag("first", "a bug", "high", "to see one thing"), Flag("second", "a bug", "low", "and another")),
    loses_digits=True,
)


def recorder(case: Case = CASE) -> Recorder:
    return Recorder(case, "torch.nn", "float32", "cuda")


def test_a_record_says_of_its_case_what_reports_need() -> None:
    shown = {"snippet": "x"}
    assert recorder().record(
        "value", Outcome.DISAGREE, "mean", "strided", 0.5, "a word", lambda: shown
    ) == Record(
        case="one",
        title="a case",
        loss="CrossEntropyLoss",
        subject="torch.nn",
        dtype="float32",
        device="cuda",
        layout="strided",
        reduction="mean",
        quantity=Quantity("value"),
        outcome=Outcome.DISAGREE,
        error_over_budget=0.5,
        source={"document": "document", "place": "a section", "claim": "d-1"},
        file="cases/x.yaml",
        line=3,
        message="a word",
        finding=None,
        flags=["first", "second"],
        detail={"snippet": "x"},
        loses_digits=True,
    )


def test_one_detail_is_enough_for_all_that_an_entry_explains() -> None:
    recording = Recorder(CASE, "torch.nn", "float32", "cpu", [replace(ENTRY, case="another"), ENTRY])
    worked_out = []

    def detail() -> dict[str, str]:
        worked_out.append(1)
        return {"snippet": "import torch"}

    def record(outcome: Outcome, came_out: str) -> Record:
        return recording.record("value", outcome, detail=detail, came_out=[came_out])

    records = [
        record(Outcome.AGREE, "nan"),
        record(Outcome.DISAGREE, "nan"),
        record(Outcome.ERROR, "nan"),
        record(Outcome.DISAGREE, "1.0"),
        record(Outcome.DISAGREE, "nan"),
    ]
    has_detail = [False, True, False, True, False]
    assert [record.detail is not None for record in records] == has_detail
    assert sum(worked_out) == sum(has_detail)


@pytest.mark.parametrize(("size", "shown"), [(50_000, 3), (50_001, 1)])
def test_of_a_case_with_a_hundred_thousand_numbers_one_failure_is_shown(size: int, shown: int) -> None:
    tensor = Fill(parse_numeral("1"), (size,))
    recording = recorder(replace(CASE, args={"input": tensor, "target": tensor}))
    records = [recording.record("value", Outcome.DISAGREE, detail=lambda: {"snippet": "x"}) for _ in range(3)]
    assert [record.detail is not None for record in records] == [place < shown for place in range(3)]


def test_an_entry_for_another_case_explains_nothing() -> None:
    recording = Recorder(CASE, "torch.nn", "float32", "cpu", [replace(ENTRY, case="another")])
    shown = {"snippet": "x"}
    for _ in range(2):
        record = recording.record("value", Outcome.DISAGREE, detail=lambda: shown, came_out=["nan"])
        assert record.detail == shown


def test_a_record_of_a_case_that_says_little_says_little() -> None:
    plain = replace(CASE, source=None, flags=(), loses_digits=False)
    record = recorder(plain).record("value", Outcome.AGREE)
    assert (record.reduction, record.layout, record.error_over_budget) == (None, "contiguous", None)
    assert (record.source, record.finding, record.flags, record.detail) == (None, None, [], None)
    assert not record.loses_digits


def test_what_a_file_of_records_leaves_unsaid_is_not_so() -> None:
    row = asdict(recorder().record("value", Outcome.AGREE))
    for name in ("message", "finding", "flags", "detail", "loses_digits"):
        del row[name]
    record = Record.from_data(row)
    assert (record.message, record.finding, record.flags, record.detail) == ("", None, [], None)
    assert not record.loses_digits


def finding(**changes: Any) -> Mapping[str, str] | None:
    return recorder(replace(CASE, **changes)).record("value", Outcome.AGREE).finding


def test_an_erratum_is_a_finding() -> None:
    pair = Printed((parse_numeral("0.5"), parse_numeral("0.25")), (2,))
    one = Printed((parse_numeral("0.75"),), ())
    assert finding(erratum=Erratum({"none": pair, "sum": one}, "", "a slip")) == {
        "kind": "erratum",
        "says": "none [0.5, 0.25]; sum 0.75",
        "because": "a slip",
    }
    assert finding(erratum=Erratum({}, "it is never negative", "it can be")) == {
        "kind": "erratum",
        "says": "it is never negative",
        "because": "it can be",
    }


def test_what_was_right_once_is_a_finding() -> None:
    told = {"kind": "drifted", "says": "0.5", "because": "until torch 2.0"}
    assert finding(drifted=Drifted("0.5", "2.0")) == told
    counted = finding(drifted=Drifted("8", "1.12", "dictionaries"), module=ModuleClaim("dictionaries", 14))
    assert counted == {
        "kind": "drifted",
        "says": "8 dictionaries",
        "because": "until torch 1.12",
        "now": "14 dictionaries",
    }


def test_the_brackets_of_an_erratum_are_shown_for_they_may_be_what_is_wrong() -> None:
    numbers = tuple(map(parse_numeral, ("1", "2", "3", "4")))
    for shape, text in (((1,), "[1]"), ((1, 1), "[[1]]"), ((2, 2), "[[1, 2], [3, 4]]"), ((0,), "[]")):
        says = {"sum": Printed(numbers[: math.prod(shape)], shape)}
        told = finding(erratum=Erratum(says, "", "a slip"))
        assert told is not None
        assert told["says"] == f"sum {text}"


def test_what_disagrees_is_shown_in_detail_and_with_what_the_case_looks_for() -> None:
    record = recorder().record_verdict(
        "value", Verdict(False, 3.0, "off"), "sum", "strided", lambda: {"snippet": "x"}
    )
    assert (record.quantity, record.outcome, record.reduction, record.layout) == (
        "value",
        "disagree",
        "sum",
        "strided",
    )
    assert (record.error_over_budget, record.message) == (3.0, "off")
    assert record.detail == {"snippet": "x", "why": "to see one thing; and another"}
    plain = recorder(replace(CASE, flags=())).record_verdict(
        "value", Verdict(False, 3.0), detail=lambda: {"a": "b"}
    )
    assert plain.detail == {"a": "b"}
    assert recorder().record_verdict("value", Verdict(False, 3.0)).detail is None


def test_what_passes_by_a_rule_names_it_and_overflow_is_an_outcome_of_its_own() -> None:
    for rule, outcome in (("overflow", "overflowed"), ("kink", "agree")):
        record = recorder().record_verdict("value", Verdict(True, None, "why it passes", rule))
        assert (record.rule, record.outcome, record.message) == (rule, outcome, "why it passes")


def test_the_detail_of_what_agrees_is_not_worked_out() -> None:
    def detail() -> dict[str, str]:
        raise AssertionError

    record = recorder().record_verdict("value", Verdict(True, 0.5), detail=detail)
    assert (record.outcome, record.error_over_budget, record.detail) == ("agree", 0.5, None)


def test_numbers_are_shown_with_all_of_their_digits() -> None:
    numbers = [0.1, 1 / 3, -5e-324, 1.7976931348623157e308]
    assert [float(text) for text in observed_digits(np.array(numbers), DOUBLE).strip("[]").split()] == numbers
    assert observed_digits(np.array(2.5), DOUBLE) == "2.5"


@pytest.mark.parametrize(("count", "is_whole"), [(60, True), (61, False)])
def test_of_many_numbers_both_ends_are_shown(count: int, is_whole: bool) -> None:
    text = observed_digits(np.arange(count, dtype=np.float64) + 0.5, DOUBLE)
    assert ("..." not in text) is is_whole
    assert text.startswith("[ 0.5  1.5") is text.endswith(f" {count - 1}.5]") is True


def test_lines_of_numbers_fit_a_report() -> None:
    lengths = [len(line) for line in observed_digits(np.full(60, 0.5), DOUBLE).splitlines()]
    assert 90 < max(lengths) < 100

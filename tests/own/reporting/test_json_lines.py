"""``results.jsonl``: strict JSON, read back as it was, and the same for the same results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from page_reader import column, page_data, reject
from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, HOSTILE, RUN, UNSUPPORTED, result_of

from lossproof.records.quantity import Quantity
from lossproof.reporting.files import ReportError
from lossproof.reporting.jsonl import read_results
from lossproof.reporting.writing import write_reports


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    hostile = replace(DISAGREES, title=HOSTILE, message="two\nlines\u2028three")
    records = [AGREES, hostile, ERRS, UNSUPPORTED, DEFECT]
    write_reports(tmp_path, RUN, [result_of(*records)])
    run, read = read_results(tmp_path / "results.jsonl")
    assert read == records
    assert [type(record.quantity) for record in read] == [Quantity] * len(records)
    assert {name: run[name] for name in asdict(RUN)} == asdict(RUN)
    assert run["counts"] == {
        "agree": 1,
        "close": 0,
        "overflowed": 0,
        "other convention": 0,
        "accepts": 0,
        "changed convention": 0,
        "disagree": 1,
        "error": 1,
        "unsupported": 1,
        "known defect": 1,
    }


@pytest.mark.parametrize("share", [math.inf, math.nan])
def test_non_finite_numbers_are_strings_in_strict_json(tmp_path: Path, share: float) -> None:
    run = replace(RUN, machine={"load": share}, known_defects=[{"case": "a", "observed": [-math.inf]}])
    write_reports(tmp_path, run, [result_of(replace(DISAGREES, error_over_budget=share))])
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    first, _, trial = (json.loads(line, parse_constant=reject) for line in lines)
    assert trial["trial"]["checks"]["error_over_budget"] == [str(share)]
    assert first["run"]["machine"]["load"] == str(share)
    assert first["run"]["known_defects"][0]["observed"] == ["-inf"]
    (record,) = read_results(tmp_path / "results.jsonl")[1]
    assert str(record.error_over_budget) == str(share)
    assert isinstance(record.error_over_budget, float)
    assert column(page_data(tmp_path / "report.html"), "share") == [str(share)]


def test_two_runs_differ_in_the_first_line_only(tmp_path: Path) -> None:
    tests = [
        result_of(AGREES, name="a"),
        result_of(DISAGREES, name="b"),
        result_of(UNSUPPORTED, name="c", line=3),
    ]
    later = replace(RUN, started="2026-02-02T00:00:00+00:00", seconds=9.0)
    slower = [replace(test, seconds=7.0) for test in reversed(tests)]
    write_reports(tmp_path / "one", RUN, tests)
    write_reports(tmp_path / "two", later, slower)
    one, two = ((tmp_path / name / "results.jsonl").read_text().splitlines() for name in ("one", "two"))
    assert one[0] != two[0]
    assert one[1:] == two[1:]


def test_a_case_and_a_trial_are_stated_once_and_what_says_nothing_is_left_out(tmp_path: Path) -> None:
    gradient = replace(AGREES, quantity=Quantity("gradient:input"), error_over_budget=0.5)
    other = replace(AGREES, subject="torch.nn.functional", layout="strided", picks={"sign": "0"})
    write_reports(tmp_path, RUN, [result_of(AGREES, gradient), result_of(other, name="b", line=13)])
    _, case, *trials = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    assert case["case"]["title"] == AGREES.title
    assert [trial["trial"]["subject"] for trial in trials] == ["torch.nn", "torch.nn.functional"]
    first, second = (trial["trial"]["checks"] for trial in trials)
    assert first == {
        "reduction": ["mean", "mean"],
        "quantity": ["value", "gradient:input"],
        "outcome": ["agree", "agree"],
        "error_over_budget": [0.25, 0.5],
    }
    assert (second["layout"], second["picks"]) == (["strided"], [{"sign": "0"}])


def trial_line(**columns: list[object]) -> str:
    return json.dumps(
        {"trial": {"case": "a", "subject": "b", "dtype": None, "device": "cpu", "checks": columns}}
    )


CASE_LINE = json.dumps({"case": {"case": "a"}})
START = '{"run": {}}\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r":1: the first line should describe the run"),
        ('{"case": {}}\n', r":1: the first line should describe the run"),
        (START + '{"trial": ', r":2: not a line of JSON"),
        (START + "[]\n", r":2: each line should be an object"),
        (START + '{"trial": {}}', r":2: the line should hold a case, or a trial with its checks"),
        (START + '{"test": "a"}', r":2: the line should hold a case, or a trial with its checks"),
        (START + trial_line(), r":2: the trial's case should be on a line before it"),
        (f"{START}{CASE_LINE}\n{trial_line(quantity=['value'])}", r":3: this is no record \(no .*outcome"),
        (f"{START}{CASE_LINE}\n{trial_line(quantity=[], outcome=['agree'])}", r":3: .* do not fit together"),
        (f"{START}{CASE_LINE}\n{trial_line(error_over_budget=['?'])}", r":3: .* do not fit together"),
        (
            f"{START}{CASE_LINE}\n{trial_line(outcome=['agree'], colour=[1])}",
            r":3: this is no record .*colour",
        ),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(ReportError, match=complaint):
        read_results(path)


def test_an_unknown_outcome_is_named_with_its_line(tmp_path: Path) -> None:
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text().replace('"agree"', '"perhaps"'))
    with pytest.raises(ReportError, match=r":3: this is no record .'perhaps' is not a valid Outcome"):
        read_results(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        read_results(tmp_path / "results.jsonl")

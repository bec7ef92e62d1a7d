"""From a run to the file of its release."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from history_specimens import (
    DISAGREES,
    ERRS,
    OTHER,
    RAISES,
    VALUE,
    WHY,
    explain,
    put,
    reports,
    run_of,
    showing,
    without_kernel,
)

from lossproof.corpus.reading import load_corpus
from lossproof.records.outcome import Outcome
from proofs.releases.__main__ import main


def test_it_says_what_the_run_came_to_and_nothing_of_when_and_where(cases: Path) -> None:
    records = [VALUE, showing(VALUE, WHY), showing(VALUE, WHY), without_kernel(VALUE), DISAGREES, ERRS]
    path = put(cases, "2.6.0", *records, status=1)
    told = json.loads(path.read_text())
    assert told == {
        "torch": "2.6.0",
        "python": "3.11",
        "cases": "0123456789ab",
        "counts": {"agree": 1, "known defect": 2, "unsupported": 1, "disagree": 1, "error": 1},
        "defects": {WHY: 2},
        "failing": {"weighted-mean": 2},
        "conventions": {},
        "unsupported": {"no such loss": 1},
    }
    assert path.read_text() == json.dumps(told, indent=1, sort_keys=True) + "\n"


def test_a_later_run_of_the_same_writes_the_same(cases: Path) -> None:
    before = put(cases, "2.6.0", VALUE, showing(RAISES, OTHER)).read_bytes()
    later: dict[str, Any] = {
        "started": "2027-01-01T00:00:00+00:00",
        "seconds": 99.0,
        "machine": {"platform": "Darwin"},
    }
    assert put(cases, "2.6.0", showing(RAISES, OTHER), VALUE, **later).read_bytes() == before


def test_a_local_build_is_its_release(cases: Path) -> None:
    assert json.loads(put(cases, "2.6.0+cpu", VALUE).read_text())["torch"] == "2.6.0"


def test_a_cause_is_read_whole_though_it_holds_a_colon(cases: Path) -> None:
    assert json.loads(put(cases, "2.6.0", showing(RAISES, OTHER)).read_text())["defects"] == {OTHER: 1}


@pytest.mark.parametrize(
    ("record", "defects"),
    [
        (VALUE, {WHY: 0}),
        (replace(VALUE, outcome=Outcome.OVERFLOWED), {WHY: 0}),
        (without_kernel(VALUE), {}),
        (replace(VALUE, dtype="float64"), {}),  # the entry does not speak of it
        (DISAGREES, {}),  # whether it is the same defect, nobody knows
    ],
)
def test_a_defect_that_is_gone_is_told_from_one_that_cannot_show(
    cases: Path, record: Any, defects: dict[str, int]
) -> None:
    assert json.loads(put(cases, "2.6.0", record, status=None).read_text())["defects"] == defects


def test_the_picks_are_those_of_torch(cases: Path) -> None:
    reference = replace(VALUE, subject="reference")
    expression = replace(VALUE, subject="torch-expressions")
    picks = [{"tie": "first"}, {"tie": "none"}, {"bound": "0"}, {"bound": "1"}]
    path = put(cases, "2.6.0", VALUE, reference, expression, VALUE, picks=picks)
    assert json.loads(path.read_text())["conventions"] == {"tie": "first", "bound": "0 or 1"}


def test_checks_that_fail_are_named_in_a_sentence(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(cases, "2.6.0", DISAGREES, ERRS, status=1)
    assert f"torch 2.6.0: 2 checks of 1 case fail; {path} names the cases" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"complete": False}, "was interrupted. Only a whole run goes on record."),
        (
            {"options": {"cases": "ce-*", "dtypes": "float32"}},
            "was asked for some dtypes and cases. Only a",
        ),
    ],
)
def test_a_part_of_a_run_does_not_go_on_record(
    cases: Path, capsys: pytest.CaptureFixture[str], changes: Any, sentence: str
) -> None:
    folder = reports(cases.parent / "run", replace(run_of("2.6.0"), **changes), [VALUE])
    assert main(["--from", str(folder), "--corpus", str(cases)]) == 2
    assert sentence in capsys.readouterr().err
    assert not (cases / "history").exists()


def test_a_folder_without_a_run_is_named(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", "/nowhere", "--corpus", str(cases)]) == 2
    assert "/nowhere/results.jsonl cannot be read" in capsys.readouterr().err


def test_a_broken_file_is_named_with_its_remedy(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(cases, "2.6.0", VALUE)
    path.write_text("{}")
    assert main(["--corpus", str(cases)]) == 2
    told = capsys.readouterr().err
    assert f"{path} cannot be read" in told
    assert "make history VERSIONS=2.6.0" in told


def test_the_case_files_are_read_without_it(cases: Path) -> None:
    before = load_corpus(cases)
    put(cases, "2.6.0", VALUE)
    explain(cases, "[]\n")
    after = load_corpus(cases)
    assert after.releases.of("torch.nn") == ("2.6.0",)
    assert replace(after, releases=before.releases) == before

"""``compare`` from outside: what it says, and how it ends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from command_lines import started, typed

from lossproof.checks.examination import Examiner
from lossproof.corpus.reading import load_corpus
from lossproof.records.outcome import Outcome
from lossproof.records.record import Run, TestResult
from lossproof.reporting.jsonl import results_jsonl
from lossproof.subjects.registry import find_subject

CASE = """\
loss: L1Loss
cases:
  - {id: one, title: x, args: {input: [1, 2], target: [0, 4]}, dtypes: [float64]}
"""


def _results(folder: Path, outcome: str = "agree", quantities: int = 99) -> Path:
    """A folder of reports over one case whose value has that outcome."""
    cases = folder / "cases"
    cases.mkdir(parents=True)
    (cases / "one.yaml").write_text(CASE)
    (case,) = load_corpus(cases).cases
    records = Examiner(with_modes=False).examine(case, find_subject("reference"), "float64")
    records = [
        dataclasses.replace(record, outcome=Outcome(outcome)) if record.quantity == "value" else record
        for record in records
    ]
    options = {"subjects": "", "dtypes": "", "cases": "", "device": "cpu"}
    run = Run({"torch": "2.13.0"}, {}, options, True, [], [], "2026-01-01T00:00:00+00:00", 1.0)
    result = TestResult("one", case.id, case.file, case.line, 0.1, tuple(records[:quantities]))
    (folder / "results.jsonl").write_text(results_jsonl(run, [result]))
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return _results(tmp_path / "old")


def test_two_runs_alike_end_with_0(old: Path, tmp_path: Path) -> None:
    said = typed("compare", str(old), str(_results(tmp_path / "new") / "results.jsonl"))
    assert said.status == 0
    assert said.lines[0] == "Nothing got worse."


def test_what_got_worse_ends_with_1_and_is_named(old: Path, tmp_path: Path) -> None:
    worse = _results(tmp_path / "worse", "disagree")
    said = typed("compare", str(old), str(worse))
    assert said.status == 1
    assert "agree -> disagree" in said.text
    assert typed("compare", str(worse), str(old)).status == 0


def test_what_is_gone_ends_with_1(old: Path, tmp_path: Path) -> None:
    assert typed("compare", str(old), str(_results(tmp_path / "less", quantities=2))).status == 1


def test_what_cannot_be_read_ends_with_2_and_is_named(old: Path, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("{}\n")
    for name in ("nowhere", "other.jsonl"):
        finished = started("compare", str(old), str(tmp_path / name))
        assert finished.returncode == 2
        assert name in finished.stderr
        assert "Traceback" not in finished.stderr

"""A baseline is read from wherever a run was written, and reaches every report of the next."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from page_reader import page_data
from report_specimens import AGREES, ERRS, PLAIN, WRONG, result_of
from suite_runs import Suite

from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.baseline import read_baseline
from lossproof.reporting.comparison import compare, compare_files
from lossproof.reporting.files import ReportError
from lossproof.reporting.writing import write_faults, write_reports


def write(folder: Path, *records: Record, run: Run = PLAIN) -> Path:
    write_reports(folder, run, [result_of(*records)])
    return folder


def test_files_and_folders_are_read(tmp_path: Path) -> None:
    share = replace(ERRS, error_over_budget=math.inf, quantity=Quantity("other"), reduction=None)
    old = write(tmp_path / "old", AGREES, share)
    new = write(tmp_path / "new", WRONG, share)
    comparison = compare_files(old, new / "results.jsonl")
    assert (comparison.counts["changed"], comparison.counts["same"]) == (1, 1)
    records = [AGREES, share]
    read = read_baseline(old)
    assert compare(read.run, read.checks, PLAIN, records).counts["same"] == 2


def test_trials_with_equal_lines_need_not_be_read_to_be_compared(tmp_path: Path) -> None:
    others = [replace(AGREES, subject=f"subject-{number}") for number in range(3)]
    old = write(tmp_path / "old", AGREES, *others, replace(AGREES, case="gone"))
    new = write(tmp_path / "new", WRONG, replace(AGREES, quantity=Quantity("bias")), *others)
    whole = compare(*read_baseline(old), *read_baseline(new))
    assert compare_files(old, new) == whole
    assert (whole.same, whole.counts["changed"], whole.counts["new"], whole.counts["gone"]) == (3, 1, 1, 1)


def test_a_run_of_another_version_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, AGREES) / "results.jsonl"
    first, case, trial = (json.loads(line) for line in path.read_text().splitlines())
    first["run"] |= {"colour": "red"}
    trial["trial"]["checks"]["colour"] = [1]
    del first["run"]["known_defects"], case["case"]["flags"]
    path.write_text("\n".join(json.dumps(line) for line in (first, case, trial)))
    assert compare_files(path, path).same == 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda run, case, checks: run.pop("versions"), r":1: the run's versions is missing or not a dict"),
        (lambda run, case, checks: run.update(started=3), r":1: the run's started is missing or not a str"),
        (lambda run, case, checks: run.update(complete="no"), r":1: .* complete is missing or not a bool"),
        (lambda run, case, checks: run.update(options=[]), r":1: the run's options is missing or not a dict"),
        (lambda run, case, checks: case.pop("case"), r":3: the trial's case should be on a line before it"),
        (lambda run, case, checks: case.pop("loss"), r":3: the check's loss is missing or not a text"),
        (lambda run, case, checks: checks.pop("outcome"), r":3: the check's outcome is missing or no"),
        (lambda run, case, checks: checks.update(reduction=[[]]), r":3: the check's reduction is missing or"),
        (lambda run, case, checks: checks.update(error_over_budget=["a"]), r":3: .* do not fit together"),
        (lambda run, case, checks: checks.update(error_over_budget=[[]]), r":3: .* do not fit together"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, change: object, complaint: str) -> None:
    assert callable(change)
    path = write(tmp_path, AGREES) / "results.jsonl"
    first, case, trial = (json.loads(line) for line in path.read_text().splitlines())
    change(first["run"], case["case"], trial["trial"]["checks"])
    path.write_text("\n".join(json.dumps(line) for line in (first, case, trial)))
    with pytest.raises(ReportError, match=complaint):
        read_baseline(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]\n", b"{}\n", b'{"run": {}', b"[" * 200_000])
def test_what_is_no_run_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=r"Name a|Name the|cut off"):
        compare_files(path, path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"results\.jsonl cannot be read.*Name the results\.jsonl"):
        compare_files(tmp_path, tmp_path)


def test_a_baseline_reaches_all_reports_and_goes_with_the_next_run(tmp_path: Path) -> None:
    write_reports(tmp_path, PLAIN, [result_of(AGREES)])
    assert not (tmp_path / "comparison.json").exists()
    written = write_reports(tmp_path, PLAIN, [result_of(WRONG)], compare(PLAIN, [AGREES], PLAIN, [WRONG]))
    assert tmp_path / "comparison.json" in written
    told = json.loads((tmp_path / "comparison.json").read_text())
    assert told["counts"]["changed"] == 1
    assert page_data(tmp_path / "report.html")["comparison"] == told
    assert "1 check fares worse" in (tmp_path / "summary.md").read_text()
    write_faults(tmp_path, '{"cases": "0", "faults": []}')
    assert page_data(tmp_path / "report.html")["comparison"] == told
    written = write_reports(tmp_path, PLAIN, [result_of(WRONG)])
    assert tmp_path / "comparison.json" not in written
    assert not (tmp_path / "comparison.json").exists()
    assert page_data(tmp_path / "report.html")["comparison"] is None
    assert "baseline" not in (tmp_path / "summary.md").read_text()


def test_non_finite_shares_are_strings_in_strict_json(tmp_path: Path) -> None:
    infinite = replace(WRONG, error_over_budget=math.inf)
    write_reports(tmp_path, PLAIN, [result_of(infinite)], compare(PLAIN, [WRONG], PLAIN, [infinite]))
    told = json.loads((tmp_path / "comparison.json").read_text(), parse_constant=pytest.fail)
    assert told["accuracy"][0]["is"] == "inf"


def test_a_run_is_compared_with_the_one_before_in_the_same_folder(suite: Suite) -> None:
    assert suite.verify("--dtypes", "float32", "--subjects", "torch.nn").returncode == 0
    changed = suite.plant(
        "import torch\nreal = torch.nn.functional.cross_entropy\n"
        "torch.nn.functional.cross_entropy = lambda *a, **k: 2 * real(*a, **k)\n"
    )
    options = ("--dtypes", "float32", "--subjects", "torch.nn", "--baseline", str(suite.reports), changed)
    answer = suite.verify(*options)
    assert answer.returncode == 1
    assert "compared with the baseline: " in answer.stdout
    assert " worse" in answer.stdout
    told = json.loads((suite.reports / "comparison.json").read_text())
    assert told["changed"][0]["was"] == "agree"
    assert told["changed"][0]["is"] == "disagree"
    assert told["counts"]["same"] > 0
    # A call that is wrong by itself is not made in other ways.
    assert told["counts"]["new"] == 0
    assert "weighted-mean: " in (suite.reports / "summary.md").read_text()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_wrong_path_is_a_usage_error_before_anything_runs(suite: Suite, workers: str) -> None:
    answer = suite.verify("--baseline", str(suite.reports / "none.jsonl"), "-n", workers)
    assert answer.returncode == 2
    assert "none.jsonl cannot be read" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    assert not suite.reports.exists()

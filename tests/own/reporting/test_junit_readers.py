"""``junit.xml`` opens in two readers that know nothing of each other, with the counts of the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from junit2htmlreport.case_result import CaseResult
from junit2htmlreport.parser import Junit
from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, HOSTILE, RUN, UNSUPPORTED, result_of
from suite_runs import DEFECTS, Suite

from lossproof.records.record import TestResult
from lossproof.reporting.writing import write_reports

Counts = dict[str, int]


def by_junitparser(path: Path) -> Counts:
    """The counts of the elements, having compared them with those that the file claims."""
    xml = junitparser.JUnitXml.fromfile(str(path))
    claimed = (xml.tests, xml.failures, xml.errors, xml.skipped)
    xml.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has no type for it
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == claimed
    names = ("passed", "failed", "skipped")
    passed = xml.tests - xml.failures - xml.errors - xml.skipped
    return dict(zip(names, (passed, xml.failures + xml.errors, xml.skipped), strict=True))


def by_junit2html(path: Path) -> Counts:
    """The counts of the cases; to this reader, an error is a failure."""
    report = Junit(str(path))
    assert "<html" in report.html()
    outcomes = Counter(case.outcome() for suite in report.suites for case in suite.all())
    kinds = {"passed": CaseResult.PASSED, "failed": CaseResult.FAILED, "skipped": CaseResult.SKIPPED}
    return {name: outcomes[kind] for name, kind in kinds.items()}


def of_run(results: list[TestResult], problems: int = 0) -> Counts:
    """What the results come to: a test fails by any of its checks, and is skipped when none could be made."""
    kinds: Counter[str] = Counter(failed=problems)
    for result in results:
        outcomes = {record.outcome for record in result.records}
        failed = not outcomes or outcomes & {"disagree", "error"}
        kinds["failed" if failed else "skipped" if outcomes == {"unsupported"} else "passed"] += 1
    return {name: kinds[name] for name in ("passed", "failed", "skipped")}


RESULTS = [
    result_of(AGREES, UNSUPPORTED, name="agrees"),
    result_of(AGREES, DEFECT, name="known defect"),
    result_of(AGREES, DISAGREES, ERRS, name="disagrees"),
    result_of(ERRS, name="errs"),
    result_of(replace(DISAGREES, message="", detail=None), name="without a word"),
    result_of(UNSUPPORTED, UNSUPPORTED, name="unsupported"),
    result_of(replace(UNSUPPORTED, message=""), name="unsupported without a word"),
    result_of(name="empty"),
    replace(result_of(replace(DISAGREES, loss=HOSTILE, message=HOSTILE)), id=HOSTILE, file=HOSTILE),
    replace(result_of(replace(UNSUPPORTED, message=HOSTILE)), id=HOSTILE, file=HOSTILE),
]


@pytest.mark.parametrize("reader", [by_junitparser, by_junit2html])
@pytest.mark.parametrize("interrupted", [False, True])
def test_each_outcome_is_counted(tmp_path: Path, reader: object, interrupted: bool) -> None:
    assert callable(reader)
    run = replace(RUN, complete=not interrupted, problems=["An entry matches nothing.", HOSTILE])
    write_reports(tmp_path, run, RESULTS)
    counts = reader(tmp_path / "junit.xml")
    assert counts == of_run(RESULTS, problems=3 if interrupted else 2)
    assert all(counts.values())


@pytest.mark.parametrize("reader", [by_junitparser, by_junit2html])
def test_a_run_without_tests_opens(tmp_path: Path, reader: object) -> None:
    assert callable(reader)
    write_reports(tmp_path, RUN, [])
    assert reader(tmp_path / "junit.xml") == {"passed": 0, "failed": 0, "skipped": 0}


def test_both_count_a_real_run_as_its_records_do(suite: Suite) -> None:
    (suite.cases / "known-defects.yaml").write_text(DEFECTS)  # it has gone, which is a problem of the run
    break_float16 = suite.plant(
        "import torch\nreal = torch.nn.functional.cross_entropy\n"
        "def cross_entropy(input, *a, **k):\n"
        "    return real(input, *a, **k) * (2 if input.dtype == torch.float16 else 1)\n"
        "torch.nn.functional.cross_entropy = cross_entropy\n"
    )
    assert suite.verify(break_float16).returncode == 1
    outcomes: dict[object, set[object]] = {}
    for record in suite.records():
        trial = (record["case"], record["subject"], record["dtype"])
        outcomes.setdefault(trial, set()).add(record["outcome"])
    failed = sum(bool(found & {"disagree", "error"}) for found in outcomes.values())
    skipped = sum(found == {"unsupported"} for found in outcomes.values())
    problems = suite.run_line()["problems"]
    assert isinstance(problems, list)
    assert failed
    assert problems
    counts = {
        "passed": len(outcomes) - failed - skipped,
        "failed": failed + len(problems),
        "skipped": skipped,
    }
    assert by_junitparser(suite.reports / "junit.xml") == counts
    assert by_junit2html(suite.reports / "junit.xml") == counts

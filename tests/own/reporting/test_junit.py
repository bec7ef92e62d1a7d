"""``junit.xml``: an element for each outcome, totals that are right, and text that XML can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import junitparser
from report_specimens import AGREES, DEFECT, DETAIL, DISAGREES, ERRS, HOSTILE, RUN, UNSUPPORTED, result_of

from lossproof.records.record import Run, TestResult
from lossproof.reporting.writing import write_reports


def read(folder: Path, run: Run, results: Sequence[TestResult]) -> dict[str, ElementTree.Element]:
    """Return the test cases by name, having checked the totals with a reader of its own."""
    write_reports(folder, run, results)
    root = ElementTree.parse(folder / "junit.xml").getroot()
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    parsed = junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))
    (suite,) = parsed
    own = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert own == (parsed.tests, parsed.failures, parsed.errors, parsed.skipped)
    suite.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has no type for it
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == own
    assert len(cases) == suite.tests  # names are unique
    return cases


def test_each_outcome_has_its_element(tmp_path: Path) -> None:
    tests = [
        result_of(AGREES, UNSUPPORTED, name="agree"),
        result_of(AGREES, DISAGREES, name="disagree"),
        result_of(AGREES, ERRS, name="error"),
        result_of(DISAGREES, ERRS, name="both"),
        result_of(UNSUPPORTED, UNSUPPORTED, name="unsupported"),
        result_of(AGREES, DEFECT, name="defect"),
        result_of(name="empty"),
    ]
    cases = read(tmp_path, RUN, tests)
    children = {name[10:-1]: [child.tag for child in case] for name, case in cases.items()}
    assert children == {
        "agree": [],
        "disagree": ["failure"],
        "error": ["error"],
        "both": ["failure"],
        "unsupported": ["skipped"],
        "defect": ["system-out"],
        "empty": ["error"],
    }
    assert cases["test_case[unsupported]"][0].attrib["message"] == UNSUPPORTED.message
    assert "ce-weighted-mean" in (cases["test_case[defect]"][0].text or "")
    assert "RuntimeError: no kernel" in (cases["test_case[both]"][0].text or "")


def test_a_failure_holds_what_a_log_reader_needs(tmp_path: Path) -> None:
    cases = read(tmp_path, RUN, [result_of(DISAGREES)])
    case = cases["test_case[a]"]
    assert case.attrib == {
        "classname": "lossproof.CrossEntropyLoss",
        "name": "test_case[a]",
        "time": "0.250",
        "file": "cases/losses/cross_entropy.yaml",
        "line": "12",
    }
    assert case[0].attrib["type"] == "disagree"
    for part in ("off by 0.2428", "0.3642", "0.6070", "import torch", "cross_entropy.yaml:12", "3.5e+06"):
        assert part in (case[0].text or "")


def test_problems_and_interruptions_fail(tmp_path: Path) -> None:
    run = replace(RUN, complete=False, problems=["The entry matches nothing.", "The entry matches nothing."])
    cases = read(tmp_path, run, [result_of(AGREES)])
    failed = [case for case in cases.values() if case.find("failure") is not None]
    assert len(failed) == 3
    assert {case.attrib["classname"] for case in failed} == {"lossproof.run"}


def test_characters_that_xml_forbids_are_shown(tmp_path: Path) -> None:
    hostile = replace(DISAGREES, loss=HOSTILE, message=HOSTILE, detail={**DETAIL, "observed": HOSTILE})
    test = replace(result_of(hostile), id=HOSTILE, file=HOSTILE)
    run = replace(RUN, problems=[HOSTILE], versions={"torch": HOSTILE})
    for case in read(tmp_path, run, [test]).values():
        assert all(
            sign in case.attrib["name"] for sign in (r"\x1b[2J\x00\ud800\ufffe\u202e", "</script><img")
        )


def test_versions_are_properties(tmp_path: Path) -> None:
    read(tmp_path, RUN, [result_of(AGREES)])
    properties = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("property")
    assert {item.attrib["name"]: item.attrib["value"] for item in properties} == RUN.versions


def test_an_empty_run_is_a_suite_without_tests(tmp_path: Path) -> None:
    assert read(tmp_path, RUN, []) == {}

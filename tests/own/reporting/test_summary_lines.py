"""The lines at the end of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, HOSTILE, RUN, result_of

from lossproof.records.quantity import Quantity
from lossproof.reporting.summary import summary_lines


def test_it_counts_and_names_the_worst() -> None:
    results = [result_of(AGREES, DISAGREES, DEFECT, replace(AGREES, subject="mine"))]
    run = replace(RUN, complete=False, problems=["An entry matches nothing."])
    lines = summary_lines(run, results, [Path("reports/report.html")])
    assert (
        "2 agree, 0 overflowed, 0 other convention, 0 changed convention, 1 disagree, 0 error, "
        "0 unsupported, 1 known defect"
    ) in lines
    text = "\n".join(lines)
    assert re.search(r"mine +0\.25 .*value", text)
    assert re.search(r"torch\.nn +3\.5e\+06 .*gradient:input", text)
    assert "interrupted" in text
    assert "An entry matches nothing." in text
    assert "reports/report.html" in text


def test_a_grade_is_no_share_of_a_budget() -> None:
    graded = replace(AGREES, quantity=Quantity("double_backward:input"), error_over_budget=2e15)
    lines = "\n".join(summary_lines(RUN, [result_of(AGREES), result_of(graded)], []))
    assert "0.25" in lines
    assert "2e+15" not in lines


def test_each_subject_has_its_distance_from_correct_rounding() -> None:
    near, far = replace(AGREES, ulps=[0.5, 0.25]), replace(AGREES, ulps=[3.0, 0.75], case="far")
    known = replace(DEFECT, ulps=[1e9, 1e9])
    lines = "\n".join(summary_lines(RUN, [result_of(near, near, far, known, AGREES)], []))
    assert "; in ULP 0.25 at the median, 3 at worst (far)" in lines


def test_nothing_reaches_the_terminal_unseen() -> None:
    hostile = replace(AGREES, case=HOSTILE, subject="a\nb\x1b[31m")
    for line in summary_lines(replace(RUN, problems=[HOSTILE]), [result_of(hostile)], []):
        assert line.encode("utf-8").decode().isprintable()


def test_failures_are_grouped_and_the_largest_group_comes_first() -> None:
    few = [replace(ERRS, case=f"few-{number}") for number in range(2)]
    many = [
        replace(DISAGREES, case=f"many-{number}", message=f"at [{number}, 1] is {number}.5e-3, should be inf")
        for number in range(3)
    ]
    lines = summary_lines(RUN, [result_of(*few, *many)], [])
    start = next(place for place, line in enumerate(lines) if line.startswith("alike: "))
    assert lines[start : start + 5] == [
        "alike: 3 checks of CrossEntropyLoss, gradient, float32, in 3 cases",
        "    cases/losses/cross_entropy.yaml:12: [many-0] torch.nn, float32, gradient:input, mean: "
        "at [0, 1] is 0.5e-3, should be inf",
        "alike: 2 checks of CrossEntropyLoss, value, float32, in 2 cases",
        "    cases/losses/cross_entropy.yaml:12: [few-0] torch.nn, float32, value, mean: "
        "RuntimeError: no kernel",
        "  all failures: the report; the first one in full: "
        "lossproof verify --cases many-0 --dtypes float32 -v; its case: lossproof show many-0",
    ]
    again = ("--corpus", "my cases", "--time-limit", "3")
    assert (
        "lossproof verify --cases many-0 --dtypes float32 --corpus 'my cases' --time-limit 3 -v; "
        "its case: lossproof show many-0 --corpus 'my cases'"
    ) in "\n".join(summary_lines(RUN, [result_of(*few, *many)], [], again=again))


def test_whatever_happens_there_are_at_most_forty_lines() -> None:
    words = ("red", "green", "blue", "white", "black") * 20
    records = [
        replace(
            DISAGREES, case=f"c{place}", subject=f"s{place}", message=f"{'very ' * place}{word}\nand so on"
        )
        for place, word in enumerate(words)
    ]
    sentences = [f"sentence {number} " + 100 * "long " for number in range(50)]
    run = replace(RUN, complete=False, problems=sentences, news=sentences, standing=sentences)
    paths = [Path("reports/report.html"), Path("reports/junit.xml")]
    lines = summary_lines(run, [result_of(AGREES, *records)], paths)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 500
    assert lines[-1] == "report: reports/report.html; beside it junit.xml"
    for kind in ("releases", "news", "groups", "problems", "largest errors"):
        assert sum(line.startswith("  and ") and f"more {kind}" in line for line in lines) == 1, kind

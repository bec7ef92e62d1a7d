"""The lines at the end of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from report_specimens import AGREES, DEFECT, DISAGREES, HOSTILE, RUN, result_of

from lossproof.records.quantity import Quantity
from lossproof.reporting import summary_lines


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


def test_nothing_reaches_the_terminal_unseen() -> None:
    hostile = replace(AGREES, case=HOSTILE, subject="a\nb\x1b[31m")
    for line in summary_lines(replace(RUN, problems=[HOSTILE]), [result_of(hostile)], []):
        assert line.encode("utf-8").decode().isprintable()

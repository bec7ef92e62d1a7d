"""A run of a part of the suite: what it leaves out, and that it says so everywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_specimens import AGREES, RUN, result_of
from suite_runs import Suite

from lossproof.records.quantity import Quantity
from lossproof.reporting.badge import badge_json
from lossproof.reporting.comparison import compare
from lossproof.reporting.markdown import summary_markdown
from lossproof.reporting.summary import summary_lines

SHORT = ("-n", "0", "--subjects", "torch.nn.functional", "--dtypes", "float32")

FLAGS = """\
loss: CrossEntropyLoss
flags:
  Denominator: {bug: wrong value, severity: high, why: "the mean divides by N"}
cases:
  - id: weighted-mean
    title: the weighted mean divides by the sum of the picked weights
    flags: [Denominator]
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
  - id: plain
    title: no flag
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
  - id: out-of-range
    title: a class index of C is refused
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path)
    (made.cases / "losses.yaml").write_text(FLAGS)
    return made


def ran(suite: Suite, name: str) -> set[str]:
    return {str(record[name]) for record in suite.records()}


def test_only_the_quantities_that_are_named_count(suite: Suite) -> None:
    wrong = (
        "import torch\n"
        "right = torch.nn.functional.cross_entropy\n"
        "torch.nn.functional.cross_entropy = lambda *args, **options: right(*args, **options) * 2\n"
    )
    planted = suite.plant(wrong)
    finished = suite.verify(*SHORT, planted, "--quantities", "raises")
    assert finished.returncode == 0, finished.stdout
    assert ran(suite, "quantity") == {"raises"}
    assert "Only a part of the suite ran: quantities raises; dtypes float32." in finished.stdout
    finished = suite.verify(*SHORT, planted, "--quantities", "value,gradient*")
    assert finished.returncode == 1
    assert ran(suite, "quantity") == {"value", "gradient:input"}
    assert ran(suite, "outcome") == {"disagree"}


def test_a_call_that_gives_nothing_counts_whatever_is_asked(suite: Suite) -> None:
    broken = "import torch\ndef cross_entropy(*args, **options): raise MemoryError('none left')\n"
    planted = suite.plant(broken + "torch.nn.functional.cross_entropy = cross_entropy\n")
    finished = suite.verify(*SHORT, planted, "--quantities", "gradient*", "--cases", "plain")
    assert finished.returncode == 1
    assert ran(suite, "outcome") == {"error"}


def test_a_quantity_that_no_check_has_fails_the_run(suite: Suite) -> None:
    finished = suite.verify(*SHORT, "--quantities", "value,gradeint")
    assert finished.returncode == 1
    assert "no check of this run has a quantity 'gradeint'; it has value" in finished.stdout


def test_refusals_are_left_out(suite: Suite) -> None:
    assert suite.verify(*SHORT, "--no-refusals").returncode == 0
    assert ran(suite, "case") == {"weighted-mean", "plain"}


def test_cases_are_selected_by_the_mistakes_that_they_look_for(suite: Suite) -> None:
    assert suite.verify(*SHORT, "--flags", "Denominator").returncode == 0
    assert ran(suite, "case") == {"weighted-mean"}
    finished = suite.verify(*SHORT, "--flags", "Denominatr")
    assert finished.returncode == 2
    assert "no case looks for a flag 'Denominatr'; did you mean 'Denominator'?" in finished.stderr


def test_what_passed_in_part_runs_again(suite: Suite, tmp_path: Path) -> None:
    suite.cache = tmp_path / "cache"
    assert suite.verify(*SHORT, "--cases", "plain", "--quantities", "value").returncode == 0
    finished = suite.verify(*SHORT, "--cases", "plain", "--changed")
    assert "Nothing has changed" not in finished.stdout
    assert "gradient:input" in ran(suite, "quantity")


def test_every_report_says_that_a_part_was_left_out() -> None:
    run = replace(RUN, options=RUN.options | {"losses": "MSELoss", "no_refusals": "yes"})
    said = "Only a part of the suite ran: losses MSELoss; without refusals."
    assert said in summary_lines(run, [result_of(AGREES)], [])
    assert f"**{said}**" in summary_markdown(run, [AGREES], None)
    assert json.loads(badge_json(run, [AGREES]))["message"].startswith("conforms in part: ")
    assert "part" not in "".join(summary_lines(RUN, [result_of(AGREES)], []))


def test_what_a_run_was_not_asked_for_is_not_gone() -> None:
    gradient = replace(AGREES, quantity=Quantity("gradient:input"))
    other = replace(AGREES, case="refused", loss="NLLLoss")
    for options in ({"quantities": "value", "losses": "CrossEntropyLoss"}, {"no_refusals": "yes"}):
        part = replace(RUN, options=RUN.options | options)
        found = compare(RUN, [AGREES, other], part, [AGREES])
        assert [one.check.case for one in found.gone] == []
    value = replace(RUN, options=RUN.options | {"quantities": "value"})
    assert compare(RUN, [AGREES, gradient], value, [AGREES]).gone == []
    assert len(compare(RUN, [AGREES, gradient], RUN, [AGREES]).gone) == 1

"""``--changed`` runs what has changed since it passed, and what has not passed."""

from __future__ import annotations

from pathlib import Path

import pytest
from suite_runs import CASES, Suite

QUICKLY = ("--dtypes", "float32", "--subjects", "torch.nn,reference")
MORE = """
  - id: more
    title: another case
    args: {input: [[1, 2]], target: [0]}
"""
DEFECT = """
defects:
  - {case: weighted-mean, subject: torch.nn, quantities: [value], observed: 7, expected: "8",
     why: nobody knows, kind: defect}
"""
Trial = tuple[object, object]


@pytest.fixture
def changing(suite: Suite, tmp_path: Path) -> Suite:
    """A suite with a cache, whose first run has passed."""
    suite.cache = tmp_path / "cache"
    assert suite.verify(*QUICKLY).returncode == 0
    return suite


def trials(suite: Suite) -> set[Trial]:
    return {(record["case"], record["subject"]) for record in suite.records()}


def test_nothing_has_changed(changing: Suite) -> None:
    finished = changing.verify(*QUICKLY, "--changed")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Nothing has changed since it passed." in finished.stdout
    assert changing.records(), "the reports of the last run stay"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_new_case_and_a_changed_one_run(changing: Suite, workers: str) -> None:
    text = CASES.replace("[[1, 2], [1, 3], [1, 3]]", "[[1, 2], [1, 3], [1, 4]]").replace("0.3642", "0.3422")
    text = text.replace("[1.3133, 0.2539, 0.2539]", "[1.3133, 0.2539, 0.0972]").replace("1.8210", "1.6643")
    (changing.cases / "losses.yaml").write_text("\n" + text + MORE)
    finished = changing.verify(*QUICKLY, "--changed", "-n", workers)
    assert {case for case, _ in trials(changing)} == {"weighted-mean", "more"}, finished.stdout


def test_a_case_that_only_moved_does_not_run(changing: Suite) -> None:
    (changing.cases / "losses.yaml").write_text("# a new first line\n" + CASES)
    assert "Nothing has changed" in changing.verify(*QUICKLY, "--changed").stdout


def test_what_failed_runs_again_until_it_passes(changing: Suite) -> None:
    (changing.cases / "losses.yaml").write_text(CASES.replace("0.3642", "0.3643"))
    for _ in range(2):
        assert changing.verify(*QUICKLY, "--changed").returncode == 1
        assert ("weighted-mean", None) in trials(changing)
    (changing.cases / "losses.yaml").write_text(CASES)
    assert changing.verify(*QUICKLY, "--changed").returncode == 0
    assert "Nothing has changed" in changing.verify(*QUICKLY, "--changed").stdout


def test_other_dtypes_subjects_and_known_defects_are_changes(changing: Suite) -> None:
    changing.verify("--dtypes", "float64,float32", "--subjects", "torch.nn,reference", "--changed")
    assert {record["dtype"] for record in changing.records()} == {"float64"}
    changing.verify("--dtypes", "float32", "--subjects", "torch.nn.functional,reference", "--changed")
    assert {subject for _, subject in trials(changing)} == {"torch.nn.functional"}
    (changing.cases / "known-defects.yaml").write_text(DEFECT)
    changing.verify(*QUICKLY, "--changed")
    assert {case for case, _ in trials(changing)} == {"weighted-mean"}


def test_a_changed_file_of_a_subject_runs_the_subject(changing: Suite) -> None:
    changing.offer({"mine": "mine:Mine"})
    module = changing.plugins / "mine.py"
    code = "from lossproof.subjects.torch.subject import FunctionSubject\n"
    code += "class Mine(FunctionSubject):\n    name = 'mine'\n"
    module.write_text(code)
    options = ("--dtypes", "float32", "--subjects", "mine,reference")
    assert changing.verify(*options).returncode == 0
    assert "Nothing has changed" in changing.verify(*options, "--changed").stdout
    module.write_text(code + "# another version\n")
    assert changing.verify(*options, "--changed").returncode == 0
    assert {subject for _, subject in trials(changing)} == {"mine"}

"""``verify`` on a terminal shows a bar, into a pipe pytest's dots; everything else is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import Said, on_a_terminal, started
from suite_runs import CASES

WRONG = """\
  - id: wrong
    title: a printed number that is wrong
    loss: CrossEntropyLoss
    args: {input: [[1, 2]], target: [0]}
    expect: {mean: 1.5}
"""


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    """A short run over cases of its own."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "losses.yaml").write_text(CASES)
    folders = ["--corpus", str(tmp_path / "cases"), "--reports", str(tmp_path / "reports")]
    return ["verify", *folders, "--dtypes", "float32", "--subjects", "torch.nn", "-p", "no:cacheprovider"]


def _letters(said: Said) -> list[str]:
    return [line for line in said.lines if line.strip().startswith("...")]


def test_a_terminal_shows_how_far_the_run_is(asked: list[str]) -> None:
    said = on_a_terminal(*asked)
    assert said.status == 0, said.text
    assert "trials" in said.text
    assert "0/4" in said.text
    assert not _letters(said)
    assert "Everything conforms" in said.text
    assert "\x1b[?25h" in said.text.rpartition("0/4")[2], "the cursor is shown again"


def test_a_terminal_shows_it_of_workers_too(asked: list[str]) -> None:
    said = on_a_terminal(*asked, "-n", "1")
    assert said.status == 0, said.text
    assert "0/4" in said.text
    assert not _letters(said)


def test_what_fails_is_told_after_the_bar_as_ever(asked: list[str], tmp_path: Path) -> None:
    with (tmp_path / "cases" / "losses.yaml").open("a") as file:
        file.write(WRONG)
    said = on_a_terminal(*asked)
    assert said.status == 1
    assert "[wrong] certified, printed, mean: stated 1.5" in said.text
    assert "1 disagree" in said.text


def test_whoever_wants_details_gets_pytest_itself(asked: list[str]) -> None:
    said = on_a_terminal(*asked, "-v")
    assert said.status == 0, said.text
    assert "0/4" not in said.text


def test_a_pipe_gets_dots(asked: list[str]) -> None:
    finished = started(*asked)
    assert finished.returncode == 0
    assert _letters(Said(0, finished.stdout))
    assert "0/4" not in finished.stdout
    assert "\x1b" not in finished.stdout


def test_verify_runs_from_any_folder(asked: list[str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "lossproof", *asked], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (tmp_path / "reports" / "report.html").exists()

"""``verify`` on a terminal draws a line, and prints lines into a pipe; everything else is the same."""

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


MANY_WRONG = "".join(WRONG.replace("wrong\n", f"wrong-{number}\n", 1) for number in range(30))


def _letters(said: Said) -> list[str]:
    return [line for line in said.lines if line.strip().startswith("..")]


def _add(folder: Path, cases: str) -> None:
    with (folder / "cases" / "losses.yaml").open("a") as file:
        file.write(cases)


def test_a_terminal_shows_how_far_the_run_is(asked: list[str]) -> None:
    said = on_a_terminal(*asked)
    assert said.status == 0, said.text
    assert "checks, 0 failures" in said.text
    assert "  0%" in said.text
    assert not _letters(said)
    assert "Everything conforms" in said.text
    assert "\x1b[?25h" in said.text.rpartition("0 failures")[2], "the cursor is shown again"


def test_a_terminal_shows_it_of_workers_too(asked: list[str]) -> None:
    said = on_a_terminal(*asked, "-n", "1")
    assert said.status == 0, said.text
    assert "checks, 0 failures" in said.text
    assert not _letters(said)


def test_what_fails_is_named_when_it_happens_and_at_the_end(asked: list[str], tmp_path: Path) -> None:
    _add(tmp_path, WRONG)
    said = on_a_terminal(*asked)
    assert said.status == 1
    during, _, after = said.text.partition("= lossproof =")
    for text in (during, after):
        assert "[wrong] certified, printed, mean: stated 1.5" in text
    assert "1 disagree" in after
    assert "alike: 1 check of CrossEntropyLoss, printed, no dtype, in 1 case" in after
    folders = f"--corpus {tmp_path / 'cases'} --reports {tmp_path / 'reports'}"
    assert f"--cases wrong {folders} -v" in after


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_of_many_failures_five_are_named_and_groups_counted(
    asked: list[str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    _add(tmp_path, MANY_WRONG)
    finished = started(*asked, *options)
    assert finished.returncode == 1
    during, _, after = finished.stdout.partition("= lossproof =")
    assert during.count(": [wrong-") == 5
    assert after.count(": [wrong-") == 1
    assert "alike: 30 checks of CrossEntropyLoss, printed, no dtype, in 30 cases" in after
    assert len(after.splitlines()) <= 40


def test_whoever_wants_details_gets_pytest_itself(asked: list[str]) -> None:
    said = on_a_terminal(*asked, "-v")
    assert said.status == 0, said.text
    assert "0 failures" not in said.text
    assert "test session starts" in said.text


def test_a_pipe_gets_a_line_every_ten_percent(asked: list[str]) -> None:
    finished = started(*asked)
    assert finished.returncode == 0
    assert not _letters(Said(0, finished.stdout))
    lines = [line for line in finished.stdout.splitlines() if "%" in line.partition("checks")[0]]
    assert 1 < len(lines) <= 10
    assert lines[-1].startswith("100 %  ")
    assert "\x1b" not in finished.stdout


def test_verify_runs_from_any_folder(asked: list[str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "lossproof", *asked], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (tmp_path / "reports" / "report.html").exists()


def test_the_help_of_verify_and_init_has_every_option() -> None:
    for verb in ("verify", "init"):
        said = subprocess.run(
            [sys.executable, "-m", "lossproof", verb, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for name in ("--subject", "--as", "--losses", "--quick", "--strict-budgets", "--time-limit"):
            assert f"\n  {name} " in said


def test_a_misspelt_option_of_verify_is_answered_with_the_one_that_was_meant() -> None:
    finished = started("verify", "--lossses", "MSELoss", "--quick")
    assert finished.returncode == 2
    assert (
        "did you mean --losses by --lossses? 'lossproof verify --help' lists all options" in finished.stderr
    )
    assert "by --quick" not in finished.stderr


def test_the_numbers_of_cases_are_no_subject_and_can_be_judged_alone(tmp_path: Path) -> None:
    finished = started("verify", "--subjects", "certified")
    assert finished.returncode == 2
    assert "'certified' is no subject: every run judges the numbers that its cases state" in finished.stderr
    words = ("--cases", "mse-four", "--quantities", "printed,erratum", "--reports", str(tmp_path))
    finished = started("verify", *words, "-p", "no:cacheprovider")
    assert finished.returncode == 1  # no case of these has an erratum
    finished = started("verify", *words[:3], "printed", *words[4:], "-p", "no:cacheprovider")
    assert finished.returncode == 0, finished.stdout
    assert "of certified" in finished.stdout
    assert "of torch.nn " not in finished.stdout

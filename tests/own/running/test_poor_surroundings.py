"""A run judges the same, and reports it, where it finds little: no streams, no settings, no assertions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from repository import ROOT
from suite_runs import REPORTS, Suite

from lossproof.command_line.app import main

SHELL = '"$PYTHON" -m lossproof "$@"'


def in_a_shell(
    line: str, words: list[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command whose streams a shell closes or redirects, in an environment that holds nothing else."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", *words],
        cwd=ROOT,
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{SHELL} <&-", ""),
        (f"{SHELL} >&-", ""),
        (f"{SHELL} 2>&- <&- >&-", ""),
        (f"{SHELL} | head -n 1", "Not all output could be written (Broken pipe)"),
        (f"{SHELL} > /dev/full", "Not all output could be written (No space left on device)"),
    ],
)
def test_a_run_that_cannot_say_anything_reports_everything(suite: Suite, line: str, said: str) -> None:
    finished = in_a_shell(line, [*suite.command("--subjects", "reference", "-n", "0")[3:]])
    assert finished.returncode == 0, finished.stderr
    assert said in finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
    assert suite.run_line()["complete"] is True


@pytest.mark.parametrize(("line", "status"), [(f"{SHELL} >&-", 0), (f"{SHELL} > /dev/full", 2)])
def test_a_verb_that_cannot_say_anything_ends_in_order(line: str, status: int) -> None:
    finished = in_a_shell(line, ["list", "dtypes"])
    assert finished.returncode == status
    assert "Traceback" not in finished.stderr
    assert ("The output could not be written" in finished.stderr) is (status == 2)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "COLUMNS": "1", "LINES": "x", "HOME": "/proc/none", "TMPDIR": "/proc/none"},
        {"PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error"},
        # For the tests of somebody else: by the first, a run would leave out most trials.
        {
            "PYTEST_ADDOPTS": "-k certified",
            "PYTEST_PLUGINS": "nonsense",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    ],
    ids=lambda environment: ",".join(environment) or "empty",
)
def test_a_run_heeds_no_environment(suite: Suite, environment: Mapping[str, str]) -> None:
    finished = in_a_shell(SHELL, suite.command("--subjects", "reference", "-n", "0")[3:], environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "32 agree" in finished.stdout
    assert "4 passed" in finished.stdout


# Makes torch wrong, or the judge blind.
WRONG = """
import torch
right = torch.nn.functional.cross_entropy
torch.nn.functional.cross_entropy = lambda *given, **options: right(*given, **options) * 1.01
"""
BLIND = """
import dataclasses, lossproof.checks.question as question
right = question.compare
question.compare = lambda *given: dataclasses.replace(right(*given), agrees=True)
"""


@pytest.mark.parametrize(
    ("code", "said"), [(WRONG, "should be"), (BLIND, "planted on purpose was not caught"), ("", "")]
)
def test_python_without_assertions_judges_the_same(suite: Suite, code: str, said: str) -> None:
    words = suite.command(suite.plant(code), "--subjects", "torch.nn", "--dtypes", "float64", "-n", "0")[3:]
    finished = in_a_shell(
        '"$PYTHON" -O -m lossproof "$@"', words, {"PYTHONPATH": suite.environment()["PYTHONPATH"]}
    )
    assert finished.returncode == bool(code), finished.stdout + finished.stderr
    assert said in finished.stdout


def test_a_folder_for_the_workflow_that_cannot_be_made_is_a_sentence(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / ".github").write_text("a file")
    words = ["--corpus", str(suite.cases), "--reports", str(suite.reports), "-p", "no:cacheprovider"]
    assert main(["init", "--subjects", "reference", "-n", "0", *words]) == 2
    said = "".join(capfd.readouterr())
    assert "lossproof.toml is written, but the folder .github/workflows cannot be made" in said
    assert "Traceback" not in said

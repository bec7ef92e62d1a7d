"""The command line as a whole: help, completion, pipes, colours, and mistakes in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import folder_of_cases, on_a_terminal, started, typed
from repository import ROOT

VERBS = ("verify", "list", "show", "explain", "run", "new", "check", "export", "merge", "compare")
ESCAPE = "\x1b["
RUN = ("run", "CrossEntropyLoss", "--input", "[[1, 2]]", "--target", "[0]")


def test_help_names_every_verb_with_what_it_does() -> None:
    said = typed("--help")
    assert said.status == 0
    for verb in VERBS:
        line = next(line for line in said.lines if line.split()[:1] == [verb])
        assert len(line.split()) > 4
        assert not line.endswith("...")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_of_its_own(verb: str) -> None:
    said = typed(verb, "--help")
    assert said.status == 0
    assert f"lossproof {verb}" in said.text


def test_no_word_at_all_shows_the_verbs() -> None:
    assert "explain" in typed().text


def test_help_needs_neither_torch_nor_the_corpus() -> None:
    code = """
import sys
from lossproof.command_line.app import main
main(["--help"])
main(["list", "--help"])
loaded = [name for name in ("torch", "yaml", "pytest", "flint", "rich.progress") if name in sys.modules]
sys.exit(f"loaded: {loaded}" if loaded else 0)
"""
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_listing_cases_needs_no_torch(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    code = f"""
import sys
from lossproof.command_line.app import main
assert main(["list", "--corpus", {str(cases)!r}]) == 0
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0


def test_the_installed_command_is_the_same() -> None:
    command = Path(sys.executable).with_name("lossproof")
    finished = subprocess.run([command, "list", "dtypes"], capture_output=True, text=True, cwd="/")
    assert finished.stdout == typed("list", "dtypes").text
    assert finished.stdout.startswith("float64")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed(shell: str) -> None:
    # Whoever starts the tests may do so from any shell, or none.
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    finished = started("--show-completion", shell, environment=environment)
    assert finished.returncode == 0
    assert "_LOSSPROOF_COMPLETE=" in finished.stdout
    assert "complete" in finished.stdout


def _completed(words: str, typed_so_far: str) -> list[str]:
    environment = {
        "_LOSSPROOF_COMPLETE": "complete_bash",
        "COMP_WORDS": f"lossproof {words}{typed_so_far}",
        "COMP_CWORD": str(len(words.split()) + 1),
    }
    return started(environment=environment).stdout.split()


def test_the_shell_completes_verbs_cases_losses_and_kinds() -> None:
    assert _completed("", "ex") == ["explain", "export"]
    assert "ce-weight" in _completed("show ", "ce-weigh")
    assert "CrossEntropyLoss" in _completed("run ", "Cross")
    assert _completed("list ", "su") == ["subjects"]


def test_a_pipe_gets_neither_colours_nor_progress_nor_line_breaks(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    finished = started("list", "--corpus", str(cases), environment={"COLUMNS": "40"})
    assert finished.stderr == ""
    assert ESCAPE not in finished.stdout
    assert len(finished.stdout.splitlines()) == 6
    title = "the weighted mean divides by the sum of the picked weights"
    assert title in finished.stdout
    narrow = {"COLUMNS": "40"}
    explained = started("explain", "ce-weighted-mean", "--corpus", str(cases), environment=narrow)
    assert f"ce-weighted-mean: {title}\n" in explained.stdout
    assert ESCAPE not in explained.stdout + explained.stderr


def test_a_terminal_gets_colours_and_one_line_a_case(tmp_path: Path) -> None:
    cases = folder_of_cases(tmp_path)
    said = on_a_terminal("list", "--corpus", str(cases), environment={"COLUMNS": "60"})
    assert said.status == 0
    assert f"{ESCAPE}2mcases/some.yaml:6" in said.text
    lines = [line for line in said.lines if "CrossEntropyLoss" in line]
    assert len(lines) == 5
    assert any("\u2026" in line for line in lines)


def test_colours_go_where_nobody_wants_them(tmp_path: Path) -> None:
    said = on_a_terminal(*RUN, environment={"NO_COLOR": "1"})
    assert said.status == 0
    assert "agrees" in said.text
    assert f"{ESCAPE}32m" not in said.text
    assert f"{ESCAPE}32m" in on_a_terminal(*RUN).text


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m lossproof export | head -c 100"
    finished = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert finished.stdout.startswith('{"format": "lossproof-corpus"')
    assert "Traceback" not in finished.stderr
    assert "Exception" not in finished.stderr


def test_a_terminal_that_knows_few_characters_gets_escapes(tmp_path: Path) -> None:
    cases = folder_of_cases(
        tmp_path, "loss: L1Loss\ncases:\n  - {id: a, title: h\u00e4, args: {input: 1, target: 2}}\n"
    )
    finished = started(
        "list", "--corpus", str(cases), environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    )
    assert finished.returncode == 0
    assert "h\\xe4" in finished.stdout


def test_a_corpus_with_complaints_is_refused_with_all_of_them(tmp_path: Path) -> None:
    cases = folder_of_cases(
        tmp_path, "loss: L1Los\ncases:\n  - {id: A, title: x, args: {input: 1, target: 2}}\n"
    )
    said = typed("list", "--corpus", str(cases))
    assert said.status == 2
    assert "cases/some.yaml:1: loss is 'L1Los', which is not known; did you mean 'L1Loss'?" in said.text
    assert "cases/some.yaml:3: [A] id is 'A'" in said.text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = typed("list", "--corpus", str(tmp_path / "cases"))
    assert said.status == 2
    assert "cases: the folder cannot be read" in said.text


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["lst"], "lst"),
        (["list", "cases", "--losss", "x"], "--losss"),
        (["show"], "CASE"),
        (["run", "CrossEntropyLoss", *RUN[2:], "--dtype", "float33"], "did you mean 'float32'?"),
    ],
)
def test_a_mistyped_word_is_named_with_status_2(words: list[str], answer: str) -> None:
    finished = started(*words)
    assert finished.returncode == 2
    assert answer in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_unforeseen_error_is_not_dressed_up() -> None:
    """A fault of ours must be told with all that mends it: no frame, no status that means something else."""
    code = """
import lossproof.command_line.listing as listing
from lossproof.command_line.app import main
def broken(*args): raise ZeroDivisionError("ours")
listing.list_things = broken
main(["list"])
"""
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 1
    assert "ZeroDivisionError: ours" in finished.stderr
    assert os.linesep.join(finished.stderr.splitlines()).startswith("Traceback")

"""README.md: every command in it does what it says, and every link leads somewhere."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from report_specimens import AGREES, DEFECT, RUN, result_of
from repository import ROOT

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.reporting.summary import summary_lines

README = (ROOT / "README.md").read_text(encoding="utf-8")

# What makes the commands that take minutes take seconds; `.ci/run` runs the first three as they stand.
# The last is told the shell, which it would look for among the processes that these tests run under.
NARROWED = {
    "make verify": "CASES='mse-four' DTYPES=float32",
    "make test": "TESTS=tests/own/numbers/test_formats.py",
    "make faults": "FAULTS='mse-weight*'",
    "make faults FULL=1": "FAULTS='mse-weight*'",
    ".venv/bin/lossproof --install-completion": "bash",
}

# What says nothing, and writes instead.
WRITTEN = {
    ".venv/bin/lossproof export --output corpus.json": "corpus.json",
    "cp -r reports baseline": "baseline",
}


def commands() -> list[str]:
    """The lines of the shell blocks, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, in which a command may write; its environment is the one of these tests."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("cases", "tests", "lossproof", "proofs", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml", "constraints.txt", "Makefile", "README.md"):
        shutil.copy(ROOT / name, folder)
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("python", "pytest", "lossproof"):
        found = Path(sys.executable).parent / name
        # Started by its own name, each finds the environment that it belongs to.
        binaries.joinpath(name).write_text(f'#!/bin/sh\nexec "{found}" "$@"\n')
        binaries.joinpath(name).chmod(0o755)
    folder.joinpath(".venv", "installed").touch()
    (folder / "reports").mkdir()
    return folder


def test_the_python_in_it_gives_what_it_says() -> None:
    text = "\n".join(re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL))
    examples = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert len(examples.examples) > 5
    said: list[str] = []
    assert doctest.DocTestRunner().run(examples, out=said.append).failed == 0, "".join(said)


def test_there_are_commands() -> None:
    assert {"make verify", "make test"} <= set(commands())
    assert set(NARROWED) <= set(commands())


@pytest.mark.parametrize("command", commands())
def test_a_command_works(checkout: Path, command: str) -> None:
    narrowed = f"{command} {NARROWED.get(command, '')}"
    # What make told its own children is not meant for these.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment |= {"PYTHONPATH": str(checkout), "HOME": str(checkout)}
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    ended = subprocess.run(
        ["sh", "-c", narrowed],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if command in WRITTEN:
        assert (checkout / WRITTEN[command]).exists()
    else:
        assert ended.stdout.strip()


def form_of(line: str) -> str:
    """A line without its numbers."""
    return re.sub(r"<?\d[\d,.]*", "#", line)


def test_the_sample_of_last_lines_has_the_form_of_the_real_ones() -> None:
    (sample,) = re.findall(r"^```\n(torch [0-9.]+ is on record.*?)^```", README, re.MULTILINE | re.DOTALL)
    kinds = {"defect": 2, "undefined": 2, "convention": 2}
    entries = [{"kind": kind, "why": f"{kind} {one}"} for kind, many in kinds.items() for one in range(many)]
    worst = replace(
        AGREES,
        case="margin-ranking-loss-margin-edges-float64",
        dtype="float64",
        quantity=Quantity("gradient:input1"),
        error_over_budget=0.9999,
    )
    infinite = replace(worst, outcome=Outcome.OVERFLOWED, rule="overflow", error_over_budget=None)
    far = replace(AGREES, case="cosine-similarity-combination-b4fcd3", ulps=[2.2e58, 0.11])
    results = [result_of(far, worst, infinite, infinite, DEFECT, DEFECT)]
    known = "2 defects, 2 undefined results, 2 conventions"
    standing = [f"torch 2.13.0 is on record. Known before in these cases: {known}."]
    run = replace(RUN, known_defects=entries, standing=standing)
    names = ("report.html", "junit.xml", "results.jsonl", "summary.md", "badge.json")
    real = summary_lines(run, results, [Path("reports", name) for name in names])
    # Where it overflowed is a long line, and left out of the sample.
    told = [line for line in real if not line.startswith("overflowed")]
    spaced = [" ".join(form_of(line).split()) for line in told]
    assert [" ".join(form_of(line).split()) for line in sample.splitlines()] == spaced


def test_every_verb_of_the_command_line_is_shown() -> None:
    from lossproof.command_line.app import app

    verbs = {command.name for command in app.registered_commands}
    assert {verb for verb in verbs if f"lossproof {verb}" not in README} == set()


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README)
    assert targets
    assert [name for name in targets if "://" not in name and not (ROOT / name).exists()] == []

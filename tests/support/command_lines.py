"""What the tests of the command line share: small case files, and ways to type a command."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repository import ROOT
from typer.testing import CliRunner

from lossproof.command_line.app import app

CASES = """\
loss: CrossEntropyLoss
flags:
  MeanDenominator: {bug: wrong value, severity: high, why: "the mean divides by N"}
  Unstable: {bug: overflow, severity: low, why: "exp of a large score"}
cases:
  - id: ce-weighted-mean
    title: the weighted mean divides by the sum of the picked weights
    source: {document: 002_76d7edb28dd97171, place: "2, CE", claim: D002-6}
    flags: [MeanDenominator]
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
    expect: {none: [1.3133, 0.2539, 0.2539], sum: 1.8210, mean: 0.3642}
  - id: ce-erratum
    title: the document drops the sign
    source: {document: 001_113b8fc9ac6c9825, place: "2", claim: D001-2}
    args: {input: [[1, 2]], target: [0]}
    erratum: {says: {mean: -1.3133}, because: a loss is no log-probability}
  - id: ce-large
    title: large scores
    flags: [Unstable]
    args: {input: {uniform: [-100, 100], shape: [40, 50], seed: 3}, target: {index: 50, shape: [40], seed: 4}}
  - id: ce-refused
    title: a class index of C is refused
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
  - id: chain
    title: the chain of classes
    module: {aspect: class_chain, expected: [CrossEntropyLoss]}
  - id: mse-wrong
    title: a number that is wrong
    loss: MSELoss
    args: {input: [1, 2], target: [0, 4]}
    expect: {mean: 2.51}
"""

CE = ("CrossEntropyLoss", "--input", "[[1, 2], [3, 4]]", "--target", "[0, 1]")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def typed(*words: str) -> Said:
    """A command in this process; its exit status, and all that it said."""
    result = CliRunner().invoke(app, list(words), prog_name="lossproof")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.output)


def started(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, into pipes."""
    return subprocess.run(
        [sys.executable, "-m", "lossproof", *words],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"} | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=300,
    )


def on_a_terminal(*words: str, environment: Mapping[str, str] | None = None) -> Said:
    """A command whose output is a terminal."""
    controller, terminal = pty.openpty()
    asked = {"TERM": "xterm-256color", "COLUMNS": "200"} | dict(environment or {})
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | asked
    command = [sys.executable, "-m", "lossproof", *words]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not part:
                break
            shown += part
        os.close(controller)
        status = process.wait(timeout=300)
    return Said(status, shown.decode())


def folder_of_cases(folder: Path, text: str = CASES) -> Path:
    """A folder with one file of cases, to be named by ``--corpus``."""
    cases = folder / "cases"
    cases.mkdir()
    (cases / "some.yaml").write_text(text, encoding="utf-8")
    return cases

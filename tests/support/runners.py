"""Runners in Python, whose source a test changes, and what was said between one and lossproof."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT

from lossproof.adapters.command import CommandSubject
from lossproof.adapters.runner import Runner

GUIDE = (ROOT / "docs" / "any-language.md").read_text(encoding="utf-8")
# The runner of the guide: MSELoss in float64.
[SOURCE] = re.findall(r"```python\n(.*?)```", GUIDE, re.S)


def command_of(path: Path) -> str:
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def write_runner(folder: Path, *changes: tuple[str, str]) -> str:
    """Write the runner of the guide with parts of its source replaced, and return the command."""
    source = SOURCE
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    (folder / "runner.py").write_text(source, encoding="utf-8")
    return command_of(folder / "runner.py")


def before_answering(code: str) -> tuple[str, str]:
    """A change: the runner does this when it gets a message ``run``, and before it answers."""
    return "def run(message):\n", f"def run(message):\n    {code}\n"


@contextmanager
def subject_of(command: str, **options: Any) -> Iterator[CommandSubject]:
    """The subject, whose runner is ended afterwards."""
    subject = CommandSubject(command, **options)
    try:
        yield subject
    finally:
        subject.close()


def overhear(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list to which all lines that are exchanged from now on are added."""
    said: list[str] = []
    ask = Runner.ask

    def overheard(self: Runner, line: str) -> bytes:
        said.append(f"> {line}")
        answer = ask(self, line)
        said.append(f"< {answer.decode()}")
        return answer

    monkeypatch.setattr(Runner, "ask", overheard)
    return said

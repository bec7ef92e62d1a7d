"""Ctrl-C ends the command in a sentence, whatever it is importing or doing, and with the status of shells."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Python runs a file of this name before anything else. It presses Ctrl-C when a module is looked for.
_PRESSED = """\
import os, signal, sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            signal.signal(signal.SIGINT, {handler} or signal.getsignal(signal.SIGINT))
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Finder)
"""


def _interrupted_at(
    module: str, folder: Path, *words: str, handler: str = "None"
) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(_PRESSED.format(module=module, handler=handler))
    return subprocess.run(
        [sys.executable, "-m", "lossproof", *words],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        # What a shell has started in the background ignores Ctrl-C, and so does what that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("lossproof.command_line.app", ("list", "losses")),
        ("typer", ("list", "losses")),
        ("lossproof.command_line.listing", ("list", "losses")),
        ("numpy", ("list", "losses")),
        ("pytest", ("verify",)),
    ],
)
def test_an_interruption_is_a_sentence(module: str, words: tuple[str, ...], tmp_path: Path) -> None:
    ended = _interrupted_at(module, tmp_path, *words)
    assert ended.returncode == 130
    assert ended.stdout + ended.stderr == "Interrupted.\n"


def test_ctrl_c_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    ended = _interrupted_at(
        "lossproof.command_line.entry", tmp_path, "list", "losses", handler="signal.SIG_IGN"
    )
    assert ended.returncode == 0
    assert "MSELoss" in ended.stdout

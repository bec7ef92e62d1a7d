"""Ends what subjects have started and taken out of the group in which it would have ended with them.

On Linux, a run adopts all processes below it whose parents end. Those of another session that it has not
started itself are a subject's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lossproof.adapters.keeper import STARTED

_PR_SET_CHILD_SUBREAPER = 36
_MOST_GENERATIONS = 100


def adopt_orphans() -> None:
    """Become the parent of all processes below this one whose parents end, where there is such a thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_orphans() -> None:
    """End the adopted processes, and those that are adopted because they have ended."""
    if sys.platform != "linux":
        return
    for _ in range(_MOST_GENERATIONS):
        orphans = list(_orphans())
        for process in orphans:
            with suppress(OSError):  # it has ended, or belongs to somebody else
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
        if not orphans:
            return


def _orphans() -> Iterator[int]:
    session = os.getsid(0)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            # The name, in parentheses, may hold anything.
            _, parent, _, of_process = (folder / "stat").read_text("latin-1").rpartition(")")[2].split()[:4]
            is_ours = int(of_process) == session or int(folder.name) in STARTED
            if int(parent) == os.getpid() and not is_ours:
                yield int(folder.name)

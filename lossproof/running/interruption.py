"""What a run does when somebody ends it: with Ctrl-C, by a signal, or by killing it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import pytest

_PR_SET_PDEATHSIG = 1


def report_when_terminated(config: pytest.Config) -> None:
    """Write the reports of what has run so far if the run is terminated, as with Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        return  # in Python, only the main thread receives signals

    def end(number: int, frame: FrameType | None) -> NoReturn:
        pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)

    previous = signal.signal(signal.SIGTERM, end)

    def restore() -> None:
        signal.signal(signal.SIGTERM, previous)

    config.add_cleanup(restore)


@contextmanager
def held_back() -> Iterator[Sequence[signal.Signals]]:
    """Let nothing but SIGKILL end what is inside; yields the signals that would have, as they arrive."""
    received: list[signal.Signals] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number))

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """Let a worker end when the run is killed; its gateway would give it a quarter of a minute."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)  # it was killed before

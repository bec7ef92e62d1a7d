"""Where the command ``lossproof`` starts: from here on, Ctrl-C ends it in a sentence."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130  # the status that shells expect


def main() -> int:
    """Run the command line and return the exit status."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it may be ignored
        # An exception would come out of the middle of whatever is imported.
        signal.signal(signal.SIGINT, _end)
    from lossproof.command_line.app import main as run

    return run()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise an exception inside, where there may be something to put in order."""
    if signal.getsignal(signal.SIGINT) is not _end:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)

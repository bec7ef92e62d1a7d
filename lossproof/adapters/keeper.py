"""Ends a runner as soon as the process that started it is gone, even if that was killed.

It runs as a script, with the process group of the runner as its argument, and reads from a pipe that nobody
writes to: its end is the end of the process that holds the other end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

if __name__ == "__main__":
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(int(sys.argv[1]), signal.SIGKILL)

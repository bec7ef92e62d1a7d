"""Ends a process group as soon as the process that started it is gone, even if that was killed.

It runs as a script, with the group as its argument, and reads from a pipe that nobody writes to: its end is
the end of the process that holds the other end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


# The processes that lead the groups, and those of the script: who ends strangers shall spare them.
STARTED: set[int] = set()


def keep(group: int) -> subprocess.Popen[bytes]:
    """Start the script for a process group; kill what is returned when the group has ended.

    Raises:
        OSError: if it cannot be started.
    """
    import subprocess  # here, since the script starts sooner without it

    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    STARTED.update((group, keeper.pid))
    return keeper


if __name__ == "__main__":
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(int(sys.argv[1]), signal.SIGKILL)

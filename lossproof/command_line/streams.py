"""Standard streams that may be closed, full, or read by nobody."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

# What writing to a disk that is full, or to a file that is too large, ends with.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_closed_streams() -> None:
    """Let what is written to a closed stream vanish; else the next file that is opened would get it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # as Python says that it was closed
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # it stays open


def status_of(command: Callable[[], object]) -> int:
    """Run a command, and return its exit status; 2 if standard output is full."""
    status = 0
    try:
        try:
            command()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # Python flushes it at its end
        print(f"The output could not be written ({error.strerror}).", file=sys.stderr)
        return 2
    return status


class LastingStream(io.TextIOWrapper):
    """A duplicate of a stream; when that cannot be written to any more, the rest vanishes.

    Attributes:
        problem: why it could not be written to; empty if it could.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(
            os.fdopen(os.dup(stream.fileno()), "wb"), stream.encoding, stream.errors, line_buffering=True
        )
        self.problem = ""

    def write(self, text: str, /) -> int:
        """Write, as far as that can be done."""
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Flush, as far as that can be done."""
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = self.problem or str(error.strerror)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)

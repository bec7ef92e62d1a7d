"""The process of a runner: it gets a line and must answer with one, in time, or it is ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence
from typing import IO, Any

from lossproof.adapters.keeper import keep
from lossproof.adapters.tensor_json import NoAnswer
from lossproof.corpus.complaints import quoted
from lossproof.subjects.isolated import ending_of

_CHUNK = 1 << 16
# Longer than the answer to any case, so that what never ends does not fill the memory.
_LONGEST_LINE = 1 << 26
_CHUNKS_OF_A_PIPE = 16
_KEPT_BYTES = 4000
_SECONDS_TO_END = 1.0


class Gone(Exception):
    """A runner has ended or does not answer; the message says how."""


class Runner:
    """A running program, with all processes that it starts.

    They end when this object is closed or collected, and when this process ends, however it does.

    Args:
        command: the program and its arguments.
        seconds: how long each answer may take.

    Raises:
        OSError: if the program cannot be started.
    """

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group of its own, which ends as a whole, and which Ctrl-C passes over
        )
        watch = keep(self._process.pid)
        self._end = weakref.finalize(self, _end, self._process, watch)
        self._received = bytearray()
        self._printed = bytearray()
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)

    @property
    def _streams(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        return process.stdin, process.stdout, process.stderr

    def ask(self, line: str) -> bytes:
        """Send a line, and return the line that answers it.

        Raises:
            Gone: if the process ends or takes too long.
            NoAnswer: if it writes a line without end, or before it has read its message.
        """
        stdin, stdout, stderr = self._streams
        unsent = memoryview(line.encode() + b"\n")
        deadline = time.monotonic() + self._seconds
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            while b"\n" not in self._received[-_CHUNK:]:
                left = deadline - time.monotonic()
                ready = [key.fileobj for key, _ in selector.select(left)] if left > 0 else []
                if not ready:
                    raise Gone(f"no answer within {self._seconds:g} seconds")
                if stderr in ready and not self._read(stderr, self._printed):
                    selector.unregister(stderr)
                del self._printed[:-_KEPT_BYTES]
                if stdout in ready and not self._read(stdout, self._received):
                    raise Gone(self._ending())
                if stdin in ready:
                    unsent = self._write(stdin, unsent)
                    if not unsent:
                        selector.unregister(stdin)
                if len(self._received) > _LONGEST_LINE:
                    raise NoAnswer(f"it is a line of more than {_LONGEST_LINE} bytes; end each answer's line")
        if unsent:
            raise NoAnswer("it came before its message had been read; read each line to its end")
        answer, _, self._received = self._received.partition(b"\n")
        return bytes(answer)

    def demand_silence(self) -> None:
        """Raise NoAnswer if it has written more than the lines that it was asked for."""
        _, stdout, _ = self._streams
        self._read(stdout, self._received)
        if self._received:
            text = quoted(self._received.decode("utf-8", "backslashreplace").strip())
            raise NoAnswer(
                f"{text} was not asked for; write one line for each message, and all else to stderr"
            )

    def take_printed(self) -> str:
        """The end of what it wrote to stderr since this was asked."""
        _, _, stderr = self._streams
        # A pipe holds no more than this, and a process that prints without end shall not be waited for.
        for _ in range(_CHUNKS_OF_A_PIPE):
            self._read(stderr, self._printed)
        del self._printed[:-_KEPT_BYTES]
        text = self._printed.decode("utf-8", "backslashreplace")
        self._printed.clear()
        return text

    def close(self, farewell: str = "") -> None:
        """End it: with a last line, if it listens to one, and a second to end by itself."""
        stdin, _, _ = self._streams
        if farewell and not stdin.closed:
            with contextlib.suppress(OSError):
                stdin.write(farewell.encode() + b"\n")
                stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_SECONDS_TO_END)
        self._end()

    def _ending(self) -> str:
        try:
            return ending_of(self._process.wait(_SECONDS_TO_END))
        except subprocess.TimeoutExpired:
            return "it closed its stdout, but did not end"

    @staticmethod
    def _read(stream: IO[bytes], received: bytearray) -> bool:
        """Keep what there is to read; whether there may be more."""
        try:
            chunk = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return False
        received += chunk
        return bool(chunk)

    @staticmethod
    def _write(stream: IO[bytes], unsent: memoryview) -> memoryview:
        """Write what there is room for, and return the rest; there is none for a process that has ended."""
        try:
            return unsent[os.write(stream.fileno(), unsent[:_CHUNK]) :]
        except BrokenPipeError:
            return unsent[:0]


def _end(process: subprocess.Popen[Any], watch: subprocess.Popen[Any]) -> None:
    """Kill a process with its group; its number is free for others only once it has been waited for."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    watch.kill()
    for one in (watch, process):
        one.wait()
        for stream in (one.stdin, one.stdout, one.stderr):
            if stream is not None:
                stream.close()

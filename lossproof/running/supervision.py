"""Checks are examined in a second process, so that no subject can hang, end or spoil the run.

The second process serves until it ends, exceeds the time limit or is found spoiled; that trial is then on
record as an error, and a new process serves the next one.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from lossproof.running.selection import PlannedTrial
from lossproof.running.session import Answer, ConformanceSession
from lossproof.subjects.apart import how_it_ended
from lossproof.subjects.surroundings import Surroundings

_KEPT_CHARACTERS = 4000
# What is asked for is a trial, by its place in the selection, or the sentinel.
_SENTINEL = -1


class Supervisor:
    """Carries out the trials of a session one after another.

    Attributes:
        session: what to examine, and with what.
        seconds: the time limit of a trial.
        captures: whether the subject's prints are kept from the terminal.
        method: how to start the process, as ``multiprocessing`` names it.
    """

    def __init__(
        self, session: ConformanceSession, seconds: float, captures: bool = True, method: str | None = None
    ) -> None:
        self.session = session
        self.seconds = seconds
        self.captures = captures
        self.method = method or _usual_method(session.selection.device)
        self._places = {trial.id: place for place, trial in enumerate(session.selection.trials)}
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def examine(self, trial: PlannedTrial) -> Answer:
        """Carry out a trial in the second process."""
        answer = self._ask(self._places[trial.id])
        return answer if isinstance(answer, Answer) else self.session.error_answer(trial, answer)

    def examine_sentinel(self) -> Answer:
        """Examine the sentinel in the second process."""
        answer = self._ask(_SENTINEL)
        return answer if isinstance(answer, Answer) else Answer(failure=answer)

    def _ask(self, place: int) -> Answer | str:
        """The answer, or why there is none."""
        connection = self._connection or self._start()
        try:
            connection.send(place)
            if not connection.poll(self.seconds):
                self.close()
                return f"no answer within {self.seconds:g} seconds"
            answer, changes = connection.recv()
        except (EOFError, OSError):
            return self._how_it_ended()
        if changes:
            self.close()
            return f"the subject changed {', '.join(changes)}"
        assert isinstance(answer, Answer)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._connection is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process = self._connection = None

    def _start(self) -> Connection:
        context = multiprocessing.get_context(self.method)
        our_end, other_end = context.Pipe()
        arguments = (self.session, our_end, other_end, self.captures)
        self._process = context.Process(target=_serve, args=arguments)  # type: ignore[attr-defined]  # typeshed's base class of contexts lacks it
        with warnings.catch_warnings():
            # From 3.12 on, Python warns of any fork beside a thread. A worker of pytest-xdist has one, which
            # waits for orders from the controller and holds nothing that the second process uses.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self._process.start()
        other_end.close()
        self._connection = our_end
        return our_end

    def _how_it_ended(self) -> str:
        assert self._process is not None
        self._process.join()
        status = self._process.exitcode
        self.close()
        return how_it_ended(status)


def _usual_method(device: str) -> str:
    """Forking costs nothing, but neither macOS nor an accelerator's driver survives it."""
    return "fork" if sys.platform == "linux" and device == "cpu" else "spawn"


def _serve(session: ConformanceSession, far_end: Connection, connection: Connection, captures: bool) -> None:
    """Answer for one trial after another, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which will end this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    far_end.close()  # or this process would itself keep open what it waits to see closed
    tail = _Tail()
    if captures:
        _silence(tail)
    surroundings = Surroundings(session.subjects)
    while True:
        try:
            place = connection.recv()
        except EOFError:
            return
        answer = _answer(session, place)
        connection.send((replace(answer, printed=tail.take()), surroundings.changes()))


def _answer(session: ConformanceSession, place: int) -> Answer:
    try:
        if place == _SENTINEL:
            return session.examine_sentinel()
        return session.examine(session.selection.trials[place])
    except BaseException:
        # Whatever a subject raises is on record; what arrives here is the harness's own failure.
        return Answer(failure=traceback.format_exc())


class _Tail(io.TextIOBase):
    """A stream that keeps the end of what is written to it."""

    def __init__(self) -> None:
        self._text = ""

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Keep the end of it."""
        self._text = (self._text + text[-_KEPT_CHARACTERS:])[-_KEPT_CHARACTERS:]
        return len(text)

    def take(self) -> str:
        """What was kept, once."""
        text, self._text = self._text, ""
        return text


def _silence(tail: _Tail) -> None:
    """Keep the end of what Python prints; what is written to the file descriptors themselves is lost."""
    sys.stdout = sys.stderr = tail
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

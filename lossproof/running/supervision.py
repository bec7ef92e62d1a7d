"""Examines trials in a second process, so that no subject can hang, end or corrupt the run.

The second process serves until it ends, exceeds the time limit or turns out to be corrupted. The trial is
then recorded as an error, and a new process serves the next one.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import secrets
import signal
import subprocess
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from lossproof.adapters.keeper import keep
from lossproof.running.deadline import Deadline
from lossproof.running.messages import LONGEST, NoAnswer, answer_in, message_of
from lossproof.running.orphans import adopt_orphans, end_orphans
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.session import Answer, ConformanceSession
from lossproof.subjects.isolated import ending_of
from lossproof.subjects.surroundings import Surroundings

_KEPT_CHARACTERS = 4000
# A request is the place of a trial in the selection, or this number for the sentinel.
_SENTINEL = -1
_STARTING_SECONDS = 120.0
# For a process that has closed its connection: its memory may take a while to be freed.
_ENDING_SECONDS = 10.0
# A process that has held more bytes serves no further trial: compilers keep what they have compiled.
_MOST_MEMORY = 2_000_000_000


class Supervisor:
    """Carries out the trials of a session, one after another, in a second process.

    Attributes:
        session: the session of the run.
        seconds: the time limit of a trial.
        captures: whether the subject's output is kept off the terminal.
        method: the start method of ``multiprocessing``.
    """

    def __init__(
        self, session: ConformanceSession, seconds: float, captures: bool = True, method: str | None = None
    ) -> None:
        self.session = session
        self.seconds = seconds
        self.captures = captures
        self.method = method or _usual_method(session.selection)
        self._places = {trial.id: place for place, trial in enumerate(session.selection.trials)}
        self._process: BaseProcess | None = None
        self._kill: Callable[[], object] = lambda: None
        self._deadline = Deadline(self._kill)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._is_ready = False
        self._end = -1

    def examine(self, trial: PlannedTrial) -> Answer:
        """Carry out a trial in the second process."""
        answer = self._ask(self._places[trial.id])
        return answer if isinstance(answer, Answer) else self.session.error_answer(trial, answer)

    def examine_sentinel(self) -> Answer:
        """Examine the sentinel in the second process."""
        answer = self._ask(_SENTINEL)
        return answer if isinstance(answer, Answer) else Answer(failure=answer)

    def _ask(self, place: int) -> Answer | str:
        """The answer, or the reason why there is none."""
        connection = self._connection or self._start()
        try:
            # What a new process imports is no part of a trial.
            if not self._is_ready and not connection.poll(max(self.seconds, _STARTING_SECONDS)):
                self.close()
                return f"the process did not start within {_STARTING_SECONDS:g} seconds"
            if not self._is_ready:
                connection.recv()
                self._is_ready = True
            token = secrets.token_hex()
            connection.send((place, token))
            # A process that the subject has started may hold the connection open after this one has ended.
            if not wait([connection, self._end], self.seconds):
                self.close()
                return f"not done within {self.seconds:g} seconds, the time limit of a trial"
            if not connection.poll():
                return self._how_it_ended()
            with self._deadline.within(self.seconds):
                answer, changes = answer_in(connection.recv_bytes(LONGEST), token)
            if connection.poll():
                raise NoAnswer("the subject wrote into the connection of the harness")
        except NoAnswer as problem:
            self.close()
            return str(problem)
        except (EOFError, OSError):
            return self._how_it_ended()
        if changes:
            self.close()
            return f"the subject changed {', '.join(changes)}"
        if answer.is_last:
            self.close()
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._connection is not None:
            self._deadline.close()
            self._kill()
            self._process.join()
            self._connection.close()
            if self._keeper is not None:
                self._keeper.kill()
                self._keeper.communicate()
            if self._end != self._process.sentinel:
                os.close(self._end)
            end_orphans()
        self._process = self._connection = self._keeper = None
        self._is_ready = False

    def _start(self) -> Connection:
        adopt_orphans()
        context = multiprocessing.get_context(self.method)
        our_end, other_end = context.Pipe()
        arguments = (self.session, our_end, other_end, self.captures)
        self._process = context.Process(target=_serve, args=arguments)  # type: ignore[attr-defined]  # typeshed's base class of contexts lacks it
        # Now, since Ctrl-C may come at any time: Python waits for this process before it ends.
        self._kill = weakref.finalize(self, _end_group, self._process)
        with warnings.catch_warnings():
            # From 3.12 on, Python warns about forking with several threads. The second thread of a worker of
            # pytest-xdist waits for orders and holds nothing that the second process uses.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self._process.start()
        if hasattr(os, "killpg") and self._process.pid is not None:
            self._keeper = keep(self._process.pid)
        other_end.close()
        # After the fork, so that the copy does not have half a thread.
        self._deadline = Deadline(self._kill)
        self._deadline.start()
        self._end = _end_of(self._process)
        self._connection = our_end
        return our_end

    def _how_it_ended(self) -> str:
        assert self._process is not None
        has_ended = wait([self._end], _ENDING_SECONDS)
        if has_ended:
            self._process.join()
        status = self._process.exitcode
        self.close()
        return (
            ending_of(status)
            if has_ended
            else "the subject wrote into the connection of the harness, or closed it"
        )


def _usual_method(selection: Selection) -> str:
    """Forking is fast, but does not work on macOS, with an accelerator's driver, or with others' threads."""
    is_safe = sys.platform == "linux" and selection.device == "cpu"
    is_ours = not any(subject.is_foreign for subject in selection.subjects.values())
    return "fork" if is_safe and is_ours else "spawn"


def _end_of(process: BaseProcess) -> int:
    """A descriptor that is ready when the process ends, even if a copy of it goes on, where there is one."""
    if hasattr(os, "pidfd_open") and process.pid is not None:
        with suppress(OSError):  # the kernel does not have it
            return os.pidfd_open(process.pid)
    return process.sentinel


def _end_group(process: BaseProcess) -> None:
    """End a process that serves, with all that its subjects have started and not taken out of its group."""
    if process.pid is None:
        return  # it has not started
    if hasattr(os, "killpg"):
        with suppress(OSError):  # it has not made its group yet, or is gone
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _serve(session: ConformanceSession, far_end: Connection, connection: Connection, captures: bool) -> None:
    """Answer requests until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, which ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "setsid"):
        os.setsid()  # what subjects start ends with it
    own_id = os.getpid()
    far_end.close()  # or this process would keep open the end whose closing it waits for
    tail = _Tail()
    if captures:
        _silence(tail)
    surroundings = Surroundings(session.selection.subjects.values())
    connection.send(None)  # ready
    while True:
        try:
            place, token = connection.recv()
        except EOFError:
            if hasattr(os, "killpg"):
                os.killpg(0, signal.SIGKILL)
            return
        answer = _answer(session, place)
        if os.getpid() != own_id:
            os._exit(0)  # this is a copy that the subject forked: only one of them may answer
        changes = surroundings.changes()
        if not changes:
            session.keep_truth()
        is_last = answer.is_last or _peak_memory() > _MOST_MEMORY
        answer = replace(answer, printed=tail.take(), is_last=is_last)
        connection.send_bytes(message_of(token, answer, changes))


def _peak_memory() -> int:
    """The most memory that this process has held so far, in bytes; 0 where nobody knows."""
    try:
        import resource
    except ImportError:  # on Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _answer(session: ConformanceSession, place: int) -> Answer:
    try:
        if place == _SENTINEL:
            return session.examine_sentinel()
        return session.examine(session.selection.trials[place])
    except BaseException:
        # Exceptions of subjects are recorded; what arrives here is a failure of the harness itself.
        return Answer(failure=traceback.format_exc())


class _Tail(io.TextIOBase):
    """A stream that keeps the end of the text written to it."""

    def __init__(self) -> None:
        self._text = ""

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, text: str, /) -> int:
        """Keep the end of the text."""
        self._text = (self._text + text[-_KEPT_CHARACTERS:])[-_KEPT_CHARACTERS:]
        return len(text)

    def take(self) -> str:
        """Return the text, and forget it."""
        text, self._text = self._text, ""
        return text


def _silence(tail: _Tail) -> None:
    """Keep the end of Python's output; output of other code to the file descriptors is lost."""
    sys.stdout = sys.stderr = tail
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

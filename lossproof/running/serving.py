"""The second process: it carries out the trials that it is asked for, and looks for what they change."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection

from lossproof.running.answer import Answer
from lossproof.running.messages import message_of
from lossproof.running.session import ConformanceSession
from lossproof.subjects.surroundings import Surroundings

# What is asked for: the place of a trial in the selection, or this number for the sentinel.
SENTINEL = -1
_KEPT_CHARACTERS = 4000
# A process that has held more bytes serves no further trial: compilers keep what they have compiled.
_MOST_MEMORY = 2_000_000_000
# Garbage is looked for after so many: most of what a trial makes is gone without it.
_NEW_OBJECTS = 20_000


def serve(session: ConformanceSession, far_end: Connection, connection: Connection, captures: bool) -> None:
    """Answer requests until the other end is closed.

    A request is a list of places and a token; each place has a message of its own, and the last message says
    what the subject has changed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, which ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "setsid"):
        os.setsid()  # what subjects start ends with it
    own_id = os.getpid()
    far_end.close()  # or this process would keep open the end whose closing it waits for
    tail = _Tail()
    if captures:
        _silence(tail)
    gc.callbacks.append(_exempt_survivors)
    gc.set_threshold(_NEW_OBJECTS)
    surroundings = Surroundings(session.selection.subjects.values())
    connection.send(None)  # ready
    while True:
        try:
            places, token = connection.recv()
        except EOFError:
            if hasattr(os, "killpg"):
                os.killpg(0, signal.SIGKILL)
            return
        for place in places:
            started = time.perf_counter()
            answer = _answer(session, place)
            seconds = time.perf_counter() - started
            if os.getpid() != own_id:
                os._exit(0)  # this is a copy that the subject forked: only one of them may answer
            is_last = answer.is_last or _is_full()
            answer = replace(answer, printed=tail.take(), seconds=seconds, is_last=is_last)
            is_end = is_last or place == places[-1]
            changes = surroundings.changes() if is_end else []
            if is_end and not changes:
                session.keep()
            connection.send_bytes(message_of(token, answer, changes))
            if is_end:
                break


def _exempt_survivors(phase: str, info: dict[str, int]) -> None:
    """Exempt what a full collection leaves, such as modules, which the next would visit all over again."""
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


def _is_full() -> bool:
    """Whether this process has held so much memory that it should serve no further trial."""
    return _peak_memory() > _MOST_MEMORY


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
        if place == SENTINEL:
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

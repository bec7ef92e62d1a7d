"""Examines trials in a second process, so that no subject can hang, end or corrupt the run.

The second process serves until it ends, exceeds the time limit or turns out to be corrupted. The trial is
then recorded as an error, and a new process serves the next one. It is asked for the trials of a case at
once, since to wake it, and to look for what a subject has changed, costs more than many a trial.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import subprocess
import weakref
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from lossproof.adapters.keeper import keep
from lossproof.running.answer import Answer
from lossproof.running.deadline import Deadline
from lossproof.running.messages import LONGEST, NoAnswer, answer_in
from lossproof.running.orphans import adopt_orphans, end_orphans
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.serving import SENTINEL, serve
from lossproof.running.session import ConformanceSession
from lossproof.subjects.isolated import ending_of, may_fork, start

_STARTING_SECONDS = 120.0
# For a process that has closed its connection: its memory may take a while to be freed.
_ENDING_SECONDS = 10.0


@dataclass(frozen=True)
class _Exchange:
    """What came of a request.

    Attributes:
        answers: to its first trials; all of them, unless there is a problem or the process had to end.
        problem: why there is no answer to the next trial; empty if there is one.
        changes: what the subject has changed in its process by one of its trials, in words.
    """

    answers: Sequence[Answer]
    problem: str = ""
    changes: str = ""


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
        self._expected: Collection[str] = self._places.keys()
        self._answers: dict[int, Answer | str] = {}
        self._process: BaseProcess | None = None
        self._kill: Callable[[], object] = lambda: None
        self._deadline = Deadline(self._kill)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._is_ready = False
        self._end = -1

    def expect(self, ids: Collection[str]) -> None:
        """Say which trials are to be carried out: no other one is, along with those of its case."""
        self._expected = ids

    def examine(self, trial: PlannedTrial) -> Answer:
        """Carry out a trial in the second process, and with it the next ones of its case."""
        place = self._places[trial.id]
        if place not in self._answers:
            places = self._of_one_case(place)
            self._answers = dict(zip(places, self._answers_to(places), strict=True))
        answer = self._answers.pop(place)
        return answer if isinstance(answer, Answer) else self.session.error_answer(trial, answer)

    def examine_sentinel(self) -> Answer:
        """Examine the sentinel in the second process."""
        (answer,) = self._answers_to([SENTINEL])
        return answer if isinstance(answer, Answer) else Answer(failure=answer)

    def _of_one_case(self, first: int) -> list[int]:
        """The place of a trial, and those of the expected ones that follow and have the same case."""
        trials = self.session.selection.trials
        following = range(first + 1, len(trials))
        same = takewhile(lambda place: trials[place].case is trials[first].case, following)
        return [first, *(place for place in same if trials[place].id in self._expected)]

    def _answers_to(self, places: Sequence[int]) -> list[Answer | str]:
        """The answer to each, or the reason why there is none."""
        if not places:
            return []
        exchange = self._ask(places)
        answered, rest = places[: len(exchange.answers)], places[len(exchange.answers) :]
        if exchange.problem:
            # Whether those before it changed anything, nobody has looked.
            return [*self._answers_to(answered), exchange.problem, *self._answers_to(rest[1:])]
        if not exchange.changes:
            return [*exchange.answers, *self._answers_to(rest)]
        if len(answered) == 1:
            return [exchange.changes, *self._answers_to(rest)]
        alone = [answer for place in places for answer in self._answers_to([place])]
        if all(isinstance(answer, Answer) for answer in alone):
            alone[-1] = exchange.changes  # none repeats what was seen, which must not be lost
        return alone

    def _ask(self, places: Sequence[int]) -> _Exchange:
        """Send a request, and wait for each of its answers."""
        connection = self._connection or self._start()
        answers: list[Answer] = []
        changes: list[str] = []
        try:
            # What a new process imports is no part of a trial.
            if not self._is_ready and not connection.poll(max(self.seconds, _STARTING_SECONDS)):
                self.close()
                return _Exchange(answers, f"the process did not start within {_STARTING_SECONDS:g} seconds")
            if not self._is_ready:
                connection.recv()
                self._is_ready = True
            token = secrets.token_hex()
            connection.send((places, token))
            while len(answers) < len(places) and not (answers and answers[-1].is_last):
                # What the subject has started may hold the connection open after the process has ended.
                ready = wait([connection, self._end], self.seconds)
                if not ready:
                    self.close()
                    limit = f"{self.seconds:g} seconds, the time limit of a trial"
                    return _Exchange(answers, f"not done within {limit}")
                if connection not in ready:
                    return _Exchange(answers, self._how_it_ended())
                with self._deadline.within(self.seconds):
                    answer, changes = answer_in(connection.recv_bytes(LONGEST), token)
                answers.append(answer)
            if connection.poll():
                raise NoAnswer("the subject wrote into the connection of the harness")
        except NoAnswer as problem:
            self.close()
            return _Exchange(answers[: len(places) - 1], str(problem))
        except (EOFError, OSError):
            return _Exchange(answers[: len(places) - 1], self._how_it_ended())
        if changes or answers[-1].is_last:
            self.close()
        return _Exchange(answers, changes=f"the subject changed {', '.join(changes)}" if changes else "")

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
        self._process = context.Process(target=serve, args=arguments)  # type: ignore[attr-defined]  # typeshed's base class of contexts lacks it
        # Now, since Ctrl-C may come at any time: Python waits for this process before it ends.
        self._kill = weakref.finalize(self, _end_group, self._process)
        start(self._process)
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
    return "fork" if may_fork(selection.device, selection.subjects.values()) else "spawn"


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

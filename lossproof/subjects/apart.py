"""A subject in a process of its own, for calls that may corrupt memory or end the process."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.subject import Subject

# Far longer than any call of a case takes; a call that hangs must not hang the run.
_SECONDS = 120


class Apart(Subject):
    """A subject that is made without arguments, each of its calls run in a new process."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.name = subject.name
        self.dtypes = subject.dtypes
        self.has_construction = subject.has_construction
        self.shows_steps = subject.shows_steps
        self.programs = subject.programs

    def version(self) -> str:
        """The subject's version."""
        return self._subject.version()

    def devices(self) -> tuple[str, ...]:
        """The subject's devices."""
        return self._subject.devices()

    def illustrates(self, loss: str) -> bool:
        """As the subject does."""
        return self._subject.illustrates(loss)

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """Looking at a module needs no process of its own."""
        return self._subject.inspect(aspect, loss, params, expected)

    def run(self, call: Call) -> Observation:
        """Run the call; the end of the process is a refusal of the type ``ProcessEnded``.

        Raises:
            Unsupported, Refused: as the subject does.
        """
        here, there = _context.Pipe(duplex=False)
        process = _context.Process(target=_answer, args=(type(self._subject), call, there), daemon=True)
        process.start()
        there.close()
        try:
            answer = here.recv() if here.poll(_SECONDS) else None
        except EOFError:
            process.join()
            raise Refused("ProcessEnded", how_it_ended(process.exitcode), "call") from None
        finally:
            process.kill()
            process.join()
            here.close()
        if answer is None:
            raise Refused("ProcessEnded", f"no answer within {_SECONDS} seconds", "call")
        if isinstance(answer, Observation):
            return answer
        raise answer


def _preloaded() -> multiprocessing.context.BaseContext:
    """A server that has torch loaded forks a process in milliseconds; elsewhere each starts anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lossproof.subjects.torch.subject"])
    return context


_context: Any = _preloaded()


def _answer(kind: type[Subject], call: Call, there: Connection) -> None:
    """Run the call in the new process, and send what came out."""
    answer: object
    try:
        answer = kind().run(call)
    except (Unsupported, Refused) as raised:
        answer = raised
    there.send(answer)


def how_it_ended(status: int | None) -> str:
    """How a process ended, in words, from its exit status."""
    if status is not None and status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"the process ended with status {status}"

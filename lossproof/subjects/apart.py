"""A call in a process of its own, since it may corrupt memory or end the process."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection
from typing import Any

from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.subject import Subject

# Far longer than any call of a case takes; a call that hangs must not hang the run.
_SECONDS = 120


def run_apart(subject: Subject, call: Call) -> Observation:
    """Run a call of a subject, which is made anew without arguments; the process's end is a refusal.

    Raises:
        Unsupported, Refused: as the subject does, or of the type ``ProcessEnded``.
    """
    here, there = _context.Pipe(duplex=False)
    process = _context.Process(target=_answer, args=(type(subject), call, there), daemon=True)
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

"""Runs a call in a process of its own, since it may corrupt memory or end the process."""

from __future__ import annotations

import faulthandler
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Iterable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from lossproof.subjects.call import NO_ANSWER, PROCESS_ENDED, Call, Observation, Refused, Unsupported
from lossproof.subjects.subject import Subject

# Far longer than the call of any case takes, so that a call that hangs does not hang the run.
_SECONDS = 120


def run_isolated(subject: Subject, call: Call) -> Observation:
    """Run a call on a copy of the subject, which is pickled unless the process is forked.

    Raises:
        Unsupported, Refused: as the subject does; ``Refused(PROCESS_ENDED, ...)`` if the process ends.
    """
    context: Any = multiprocessing.get_context("fork") if may_fork(call.device, [subject]) else _preloaded
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(subject, call, sender), daemon=True)
    try:
        start(process)
    except Exception as error:  # whatever somebody else's objects raise when they are pickled
        problem = f"the subject cannot be sent to a process of its own ({type(error).__name__}: {error})"
        raise Refused(NO_ANSWER, problem, "call") from error
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(_SECONDS) else None
    except EOFError:
        process.join()
        raise Refused(PROCESS_ENDED, ending_of(process.exitcode), "call") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if answer is None:
        raise Refused(PROCESS_ENDED, f"no answer within {_SECONDS} seconds", "call")
    if isinstance(answer, Observation):
        return answer
    raise answer


def may_fork(device: str, subjects: Iterable[Subject]) -> bool:
    """Forking is fast, but does not work on macOS, with an accelerator's driver, or with others' threads."""
    is_ours = not any(subject.is_foreign for subject in subjects)
    return sys.platform == "linux" and device == "cpu" and is_ours


def start(process: BaseProcess) -> None:
    """Start a process, which may be forked."""
    with warnings.catch_warnings():
        # From 3.12 on, Python warns about forking with several threads. The second thread of a worker of
        # pytest-xdist waits for orders and holds nothing that the new process uses.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        process.start()


def _preload() -> multiprocessing.context.BaseContext:
    """A server that has loaded torch forks processes in milliseconds; if there is none, each loads torch."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # Modules that are not installed are passed over.
    context.set_forkserver_preload(["lossproof.subjects.torch.subject", "lossproof.running.conforms"])
    return context


_preloaded: Any = _preload()


def _answer(subject: Subject, call: Call, sender: Connection) -> None:
    """Run the call in the new process, and send what came out."""
    # The end of this process is an answer, which needs no traceback on the terminal.
    faulthandler.disable()
    answer: object
    try:
        answer = subject.run(call)
    except (Unsupported, Refused) as error:
        answer = error
    except Exception as error:  # whatever somebody else's code may raise
        answer = Refused(type(error).__name__, str(error), "call", is_staged=subject.has_construction)
    sender.send(answer)


def ending_of(status: int | None) -> str:
    """How a process ended, in words, by its exit status."""
    if status is not None and status < 0:
        return f"the process was ended by {signal.Signals(-status).name}"
    return f"the process ended with status {status}"

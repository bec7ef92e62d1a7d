"""Somebody else's subjects that are wrong about NLLLoss, and try to be called right."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from lossproof.checks import question
from lossproof.checks.examination import Examiner
from lossproof.running.answer import Answer
from lossproof.subjects.call import Call, Observation
from lossproof.subjects.reference.subject import ReferenceSubject

MARK = "TAMPERING_MARK"


class Tampering(ReferenceSubject):
    """The reference, but for one loss, where it does something before it answers with a wrong value."""

    name = "tampering"
    is_foreign = True

    def __init__(self, tamper: Callable[[], object]) -> None:
        self._tamper = tamper

    def run(self, call: Call) -> Observation:
        answer = super().run(call)
        if call.loss != "NLLLoss":
            return answer
        self._tamper()
        return replace(answer, value=np.asarray(answer.value + 1))


class Executing:
    """What is unpickled executes this."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ[MARK],)


def _write(data: bytes) -> None:
    """Write to each open connection of the process."""
    for one in gc.get_objects():
        if isinstance(one, Connection) and not one.closed:
            os.write(one.fileno(), data)


def _send(message: object) -> None:
    for one in gc.get_objects():
        if isinstance(one, Connection) and not one.closed:
            one.send_bytes(message) if isinstance(message, bytes) else one.send(message)


def _forge_json() -> None:
    _send(json.dumps({"token": "", "changes": [], "answer": asdict(Answer())}).encode())


def _patch_module() -> None:
    module: Any = question
    right = module.compare
    module.compare = lambda *given: replace(right(*given), agrees=True)


def _patch_class() -> None:
    judge: Any = Examiner
    judge.examine = lambda *given: []


def _patch_builtin() -> None:
    import builtins

    changed: Any = builtins
    changed.abs = lambda number: 0.0


def _close_and_hang() -> None:
    os.closerange(3, 1000)
    time.sleep(1000)


TAMPERINGS: dict[str, Callable[[], object]] = {
    "patches-a-module": _patch_module,
    "patches-a-class": _patch_class,
    "patches-a-builtin": _patch_builtin,
    "pickles-an-answer": lambda: _send((Answer(), [])),
    "pickles-code": lambda: _send(Executing()),
    "forges-an-answer": _forge_json,
    "writes-text": lambda: _write(b"nothing but the truth\n" * 10),
    "announces-a-message-that-never-ends": lambda: _write(b"\x00\x0f\xff\xff{}"),
    "closes-the-connection-and-hangs": _close_and_hang,
    "exits-with-0": lambda: os._exit(0),
}

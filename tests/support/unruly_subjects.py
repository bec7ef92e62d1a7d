"""Subjects that are right about every loss but NLLLoss, where each of them misbehaves in its own way."""

from __future__ import annotations

import ctypes
import locale
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lossproof.subjects.call import Call, Observation
from lossproof.subjects.reference.subject import ReferenceSubject


class Unruly(ReferenceSubject):
    """The reference, but for one loss."""

    def __init__(self, name: str, misbehave: Callable[[Call, Observation], Any]) -> None:
        self.name = name
        self.misbehave = misbehave

    def run(self, call: Call) -> Observation:
        answer = super().run(call)
        if call.loss != "NLLLoss":
            return answer
        other = self.misbehave(call, answer)
        told: Observation = answer if other is Ellipsis else other
        return told


def _wrong_shape(call: Call, answer: Observation) -> Observation:
    return replace(answer, value=np.stack([answer.value, answer.value]), gradients=())


def _nan_gradient(call: Call, answer: Observation) -> Observation:
    return replace(answer, gradients=tuple({"input": set["input"] * np.nan} for set in answer.gradients))


def _mistyped(answer: Observation, **changes: Any) -> Observation:
    """An answer with parts that no answer may have."""
    return replace(answer, **changes)


def _raise(error: BaseException) -> None:
    raise error


def _hang(call: Call, answer: Observation) -> None:
    if "UNRULY_MARK" in os.environ:
        Path(os.environ["UNRULY_MARK"]).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def _leave_a_daemon() -> Any:
    """Start one process in a session of its own, whose parent ends; it ends by itself after ten minutes."""
    mark = Path(os.environ["UNRULY_MARK"])
    if mark.exists():
        return None
    if child := os.fork():
        return os.waitpid(child, 0)
    os.setsid()
    if daemon := os.fork():
        mark.write_text(str(daemon))
        os._exit(0)
    time.sleep(600)
    os._exit(0)


def _segmentation_fault(call: Call, answer: Observation) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


def _write(call: Call, answer: Observation) -> Any:
    call.args["input"].numbers[...] += 1
    return ...


def _print(call: Call, answer: Observation) -> Any:
    for _ in range(100):
        print("much" * 10_000)
        os.write(1, b"more" * 10_000)
        os.write(2, b"more" * 10_000)
    print("the last words", file=sys.stderr)
    return replace(answer, value=answer.value + 1)


def _print_and_be_right(call: Call, answer: Observation) -> Any:
    _print(call, answer)
    return ...


def _change(change: Callable[[], object]) -> Callable[[Call, Observation], Any]:
    def misbehave(call: Call, answer: Observation) -> Any:
        change()
        return ...

    return misbehave


def _patch_numpy() -> None:
    # What the judge works with: by this, everything would agree.
    numpy: Any = np
    numpy.abs = lambda *args, **options: np.zeros(())


def _patch_torch() -> None:
    torch.nn.functional.nll_loss = torch.nn.functional.cross_entropy


def _eat_memory(call: Call, answer: Observation) -> Any:
    # The limit, so that the machine survives, is ours and not the subject's.
    _, hard = before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 33, hard))
    try:
        return [np.empty(1 << 27) for _ in range(1000)]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


MISBEHAVIOURS: dict[str, Callable[[Call, Observation], Any]] = {
    "wrong-shape": _wrong_shape,
    "wrong-dtype": lambda call, answer: replace(answer, dtype="float32"),
    "no-dtype": lambda call, answer: _mistyped(answer, dtype=None),
    "nan": lambda call, answer: replace(answer, value=answer.value * np.nan),
    "nan-gradient": _nan_gradient,
    "no-gradient": lambda call, answer: replace(answer, gradients=()),
    "other-gradient": lambda call, answer: _mistyped(answer, gradients=({"x": 0},) * len(answer.gradients)),
    "nothing": lambda call, answer: None,
    "list": lambda call, answer: [answer.value],
    "list-of-numbers": lambda call, answer: replace(answer, value=answer.value.tolist()),
    "objects": lambda call, answer: replace(answer, value=answer.value.astype(object)),
    "raises": lambda call, answer: _raise(ZeroDivisionError("of my own")),
    "raises-in-words": lambda call, answer: _raise(UnicodeError("<b>\x00\u202e")),
    "leaves": lambda call, answer: sys.exit("enough"),
    "recurses": lambda call, answer: (lambda f: f(f))(lambda f: f(f)),
    "hangs": _hang,
    "segmentation-fault": _segmentation_fault,
    "ends": lambda call, answer: os._exit(0),
    "ends-badly": lambda call, answer: os._exit(7),
    "killed": lambda call, answer: os.kill(os.getpid(), signal.SIGKILL),
    "closes-files": lambda call, answer: os.closerange(3, 1000),
    "writes": _write,
    "prints": _print,
    "prints-and-is-right": _print_and_be_right,
    "no-memory": lambda call, answer: np.empty(1 << 50),
    "eats-memory": _eat_memory,
    "default-dtype": _change(lambda: torch.set_default_dtype(torch.float64)),
    "seed": _change(lambda: torch.manual_seed(7)),
    "threads": _change(lambda: torch.set_num_threads(3)),
    "grad-mode": _change(lambda: torch.set_grad_enabled(False)),
    "numpy": _change(_patch_numpy),
    "numpy-errors": _change(lambda: np.seterr(all="raise")),
    "numpy-seed": _change(lambda: np.random.seed(7)),
    "python-seed": _change(lambda: random.seed(7)),
    "torch-functions": _change(_patch_torch),
    "folder": _change(lambda: os.chdir("/")),
    "environment": _change(lambda: os.environ.clear()),
    "other-locale": _change(lambda: locale.setlocale(locale.LC_ALL, "C")),
    "signals": _change(lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN)),
    "limits": _change(lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))),
    "streams": _change(lambda: os.close(0)),
    "subnormals": _change(lambda: torch.set_flush_denormal(True)),
    "anomalies": _change(lambda: torch.autograd.set_detect_anomaly(True)),
    "forks": lambda call, answer: (os.fork(), answer)[1],
    "forks-and-ends": lambda call, answer: os._exit(3) if os.fork() else time.sleep(1000),
}  # fmt: skip

# What these leave behind is out of reach of whoever ends their group.
DAEMONS: dict[str, Callable[[Call, Observation], Any]] = {
    "leaves-a-daemon": _change(_leave_a_daemon),
    "leaves-a-daemon-and-ends": _change(lambda: _leave_a_daemon() and os._exit(3)),
    "leaves-a-daemon-and-hangs": _change(lambda: _leave_a_daemon() and threading.Event().wait()),
}


class Shy(ReferenceSubject):
    """A subject that will not say its version."""

    def version(self) -> str:
        raise OSError("I would rather not")


_ACTS = {**MISBEHAVIOURS, **DAEMONS}
globals().update({name.replace("-", "_"): partial(Unruly, name, act) for name, act in _ACTS.items()})

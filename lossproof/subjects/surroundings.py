"""State that a subject shares with everything else in its process, and must not change."""

from __future__ import annotations

import builtins
import locale
import math
import os
import random
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from operator import is_
from typing import Any

import numpy as np

from lossproof.subjects.subject import Subject


class Surroundings:
    """A snapshot of the state of the process: what any code shares, and what the subjects add."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        subjects = tuple(subjects)
        self._probes = dict(_PROBES)
        for subject in subjects:
            self._probes |= subject.probes()
        modules = dict.fromkeys(["numpy", *(name for subject in subjects for name in subject.namespaces)])
        owners: dict[str, object] = {name: sys.modules[name] for name in modules}
        if any(subject.is_foreign for subject in subjects):
            owners |= _judging()
        self._environment = dict(os.environ)
        self._state = {name: probe() for name, probe in self._probes.items()}
        self._namespaces = {name: (vars(owner), dict(vars(owner))) for name, owner in owners.items()}

    def changes(self) -> list[str]:
        """The changes since the snapshot, in words."""
        changes = [name for name, probe in self._probes.items() if probe() != self._state[name]]
        # New names are fine: libraries set some for themselves when they are first used.
        if any(os.environ.get(name) != value for name, value in self._environment.items()):
            changes.append("the environment")
        for owner, (now, before) in self._namespaces.items():
            # New names are fine, and come last: submodules are imported when they are first used.
            if len(now) < len(before) or not all(map(is_, now.values(), before.values())):
                changes += [f"{owner}.{name}" for name, value in before.items() if now.get(name) is not value]
        return changes


def _judging() -> dict[str, object]:
    """What judges somebody else's subject: the modules and classes of lossproof, and Python's own functions.

    A subject of torch has no reason to change them, and looking costs a tenth of its trials.
    """
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == _PACKAGE}
    classes: dict[str, object] = {
        f"{name}.{one.__qualname__}": one
        for name, module in modules.items()
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == name
    }
    return {"builtins": builtins, "math": math, **modules, **classes}


def _numpy_random_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), state["pos"]


def _signal_handlers() -> tuple[Any, ...]:
    return tuple(map(signal.getsignal, _SIGNALS))


def _limits() -> tuple[Any, ...]:
    """The limits of the process's resources; none where the system has no such thing."""
    return tuple(resource.getrlimit(limit) for limit in _LIMITS)


def _is_subnormal_kept() -> bool:
    """Whether the processor computes with subnormal numbers rather than taking them for 0."""
    return bool(_SUBNORMAL * _HALF > 0)


def _standard_streams() -> list[Any]:
    return [_identity(descriptor) for descriptor in (0, 1, 2)]


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


# Those that code changes; Windows has few of them.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in (
        "SIGINT",
        "SIGTERM",
        "SIGALRM",
        "SIGCHLD",
        "SIGPIPE",
        "SIGHUP",
        "SIGUSR1",
        "SIGUSR2",
        "SIGFPE",
    )
    if hasattr(signal, name)
)
_LIMITS: list[int] = []
with suppress(ImportError):  # on Windows
    import resource

    _LIMITS += [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
_SUBNORMAL, _HALF = np.float32(1e-40), np.float32(0.5)

_PACKAGE = __name__.partition(".")[0]

# For each state that calls must not change, a function that reads it.
_PROBES: Mapping[str, Callable[[], Any]] = {
    "the locale": partial(locale.setlocale, locale.LC_ALL),
    "the handlers of signals": _signal_handlers,
    "the limits of the process": _limits,
    "the standard streams": _standard_streams,
    "the handling of subnormal numbers": _is_subnormal_kept,
    "the working folder": os.getcwd,
    "NumPy's handling of floating-point errors": np.geterr,
    "NumPy's global random state": _numpy_random_state,
    "Python's global random state": random.getstate,
}

"""State that a subject shares with everything else in its process, and must not change."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterable, Mapping
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
        self._state = {name: probe() for name, probe in self._probes.items()}
        self._namespaces = {module: dict(vars(sys.modules[module])) for module in modules}

    def changes(self) -> list[str]:
        """The changes since the snapshot, in words."""
        changes = [name for name, probe in self._probes.items() if probe() != self._state[name]]
        for module, before in self._namespaces.items():
            now = vars(sys.modules[module])
            # New names are fine: submodules are imported when they are first used.
            if not all(map(is_, map(now.get, before), before.values())):
                changes += [
                    f"{module}.{name}" for name, value in before.items() if now.get(name) is not value
                ]
        return changes


def _numpy_random_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), state["pos"]


# For each state that calls must not change, a function that reads it.
_PROBES: Mapping[str, Callable[[], Any]] = {
    "the working folder": os.getcwd,
    "NumPy's handling of floating-point errors": np.geterr,
    "NumPy's global random state": _numpy_random_state,
    "Python's global random state": random.getstate,
}

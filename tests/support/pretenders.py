"""Subjects that are right, being the reference under another name, but for what a test tells them to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, ModeObservation, Observation
from lossproof.subjects.promise import Promise
from lossproof.subjects.reference.subject import ReferenceSubject
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.torch.modes.table import MODES

Directions = Mapping[str, Float64Array]


class Pretender(ReferenceSubject):
    """The reference under another name, but for what it is told to do instead."""

    def __init__(
        self,
        act: Callable[[Call, Observation], Any] = lambda call, answer: answer,
        name: str = "torch.nn",
        dtypes: tuple[str, ...] = ("float64", "float32"),
    ) -> None:
        self.act, self.name, self.dtypes = act, name, dtypes
        # It speaks as the one of that name does.
        self._named = find_subject(name) if name in default_subjects() else None
        self.has_construction = self._named is not None and self._named.has_construction
        self.shows_steps = self._named is not None and self._named.shows_steps
        self.programs = None if self._named is None else self._named.programs
        self.calls: list[Call] = []

    def illustrates(self, loss: str) -> bool:
        return self._named is not None and self._named.illustrates(loss)

    def run(self, call: Call) -> Observation:
        self.calls.append(call)
        answer: Observation = self.act(call, super().run(call))
        return replace(answer, value=np.asarray(answer.value))


class Refusing(Pretender):
    """Refuses whatever it is asked."""

    def __init__(self, error: Exception, name: str = "torch.nn") -> None:
        super().__init__(name=name)
        self.error = error

    def run(self, call: Call) -> Observation:
        raise self.error


class Modal(Pretender):
    """Has modes, in which it does what it is told to."""

    def __init__(
        self,
        names: tuple[str, ...],
        in_mode: Callable[[str, Call, Observation, Directions], ModeObservation],
        act: Callable[[Call, Observation], Any] = lambda call, answer: answer,
    ) -> None:
        super().__init__(act, "torch.nn.functional")
        self.names, self.in_mode = names, in_mode

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """All of them, for any call; they promise what torch's of that name do."""
        return {name: MODES[name].promise for name in self.names}

    def run_mode(self, mode: str, call: Call, directions: Directions) -> ModeObservation:
        """What it was told to do with the plain answer."""
        return self.in_mode(mode, call, self.run(call), directions)

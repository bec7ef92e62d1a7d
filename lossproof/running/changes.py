"""Remembers in pytest's cache what passing trials depended on, so that a run can leave out the unchanged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.states import States

_KEY = "lossproof/passed"


class Changes:
    """Which trials need not run again: they passed, and nothing that they depend on has changed since."""

    def __init__(self, config: pytest.Config, states: States, selection: Selection) -> None:
        self._cache: Any = getattr(config, "cache", None)
        self._states = states
        # A trial of which only a part was judged has not passed.
        self._is_whole = not selection.quantities
        self._passed: dict[str, str] = self._cache.get(_KEY, {}) if self._cache is not None else {}

    def has_changed(self, trial: PlannedTrial) -> bool:
        """Whether a trial has not passed yet as it is now."""
        return self._passed.get(trial.id) != self._states.of(trial)

    def keep(self, passed: Iterable[PlannedTrial], failed: Iterable[PlannedTrial]) -> None:
        """Remember the trials of a run."""
        if self._cache is None:
            return
        for trial in failed:
            self._passed.pop(trial.id, None)
        if self._is_whole:
            self._passed |= {trial.id: self._states.of(trial) for trial in passed}
        self._cache.set(_KEY, self._passed)

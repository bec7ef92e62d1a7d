"""Remembers in pytest's cache what passing trials depended on, so that a run can leave out the unchanged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from lossproof.corpus.reading import Corpus
from lossproof.judging.known_defects import by_case
from lossproof.judging.stored_truth import code_digest
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.subjects.subject import Subject

_KEY = "lossproof/passed"


class Changes:
    """Which trials need not run again: they passed, and nothing that they depend on has changed since.

    A trial depends on its case and the known defects of it, on the conventions, on the subject's version and
    source files, and on all code of lossproof.
    """

    def __init__(self, config: pytest.Config, corpus: Corpus, selection: Selection) -> None:
        self._cache: Any = getattr(config, "cache", None)
        self._cases = {case.id: replace(case, file="", line=0) for case in corpus.cases}
        self._defects = by_case(replace(entry, file="", line=0) for entry in corpus.known_defects)
        self._for_all = corpus.picks, corpus.releases
        self._subjects = selection.subjects
        # A trial of which only a part was judged has not passed.
        self._is_whole = not selection.quantities
        self._code = code_digest(rooms=(".",))
        self._passed: dict[str, str] = self._cache.get(_KEY, {}) if self._cache is not None else {}
        self._digest_of_case = cache(self._case_digest)
        self._digest_of_subject = cache(self._subject_digest)

    def has_changed(self, trial: PlannedTrial) -> bool:
        """Whether a trial has not passed yet as it is now."""
        return self._passed.get(trial.id) != self._state(trial)

    def keep(self, passed: Iterable[PlannedTrial], failed: Iterable[PlannedTrial]) -> None:
        """Remember the trials of a run."""
        if self._cache is None:
            return
        for trial in failed:
            self._passed.pop(trial.id, None)
        if self._is_whole:
            self._passed |= {trial.id: self._state(trial) for trial in passed}
        self._cache.set(_KEY, self._passed)

    def _state(self, trial: PlannedTrial) -> str:
        subject = self._digest_of_subject(trial.subject) if trial.subject else ""
        return _digest(self._code, self._digest_of_case(trial.case.id), subject)

    def _case_digest(self, id: str) -> str:
        return _digest(self._cases[id], self._defects.get(id), self._for_all)

    def _subject_digest(self, name: str) -> str:
        subject = self._subjects[name]
        return _digest(subject.version(), [path.read_bytes() for path in _sources(subject)])


def _sources(subject: Subject) -> list[Path]:
    return sorted(path for path in map(Path, {*subject.source_files()}) if path.is_file())


def _digest(*values: object) -> str:
    return blake2b(repr(values).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()

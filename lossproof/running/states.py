"""What a trial depends on: as long as nothing of it changes, equal answers are judged alike."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from lossproof.corpus.case import Case
from lossproof.corpus.reading import Corpus
from lossproof.judging.known_defects import by_case
from lossproof.judging.stored_truth import code_digest
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.subjects.subject import Subject


class States:
    """Digests of what the trials of a run depend on.

    That is its case and the known defects of it, the conventions, the subject's version and source files, and
    all code of lossproof; but not where in its file a case stands.
    """

    def __init__(self, corpus: Corpus, selection: Selection) -> None:
        self.code = code_digest(rooms=(".",))
        self._defects = by_case(replace(entry, file="", line=0) for entry in corpus.known_defects)
        self._for_all = digest(corpus.picks, corpus.releases)
        self._subjects = selection.subjects
        # By the ids of cases and the names of subjects.
        self._of_cases: dict[str, str] = {}
        self._of_subjects: dict[str, str] = {}

    def of(self, trial: PlannedTrial) -> str:
        """The digest of what a trial depends on."""
        if trial.case.id not in self._of_cases:
            self._of_cases[trial.case.id] = self._case_digest(trial.case)
        if trial.subject and trial.subject not in self._of_subjects:
            self._of_subjects[trial.subject] = self._subject_digest(trial.subject)
        subject = self._of_subjects[trial.subject] if trial.subject else ""
        return digest(self.code, self._of_cases[trial.case.id], subject)

    def _case_digest(self, case: Case) -> str:
        return digest(replace(case, file="", line=0), self._defects.get(case.id), self._for_all)

    def _subject_digest(self, name: str) -> str:
        subject = self._subjects[name]
        return digest(subject.version(), [path.read_bytes() for path in _sources(subject)])


def _sources(subject: Subject) -> list[Path]:
    return sorted(path for path in map(Path, {*subject.source_files()}) if path.is_file())


def digest(*values: object) -> str:
    """A digest of the ``repr`` of values."""
    return sha256(repr(values).encode("utf-8", "backslashreplace")).hexdigest()[:32]

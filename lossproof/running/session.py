"""Carries out the trials of a run in this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from lossproof.checks.certification import certify
from lossproof.checks.examination import Examiner
from lossproof.checks.recorder import Recorder
from lossproof.corpus.case import KnownDefect
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import Corpus
from lossproof.judging.choices import reclassify_conventions
from lossproof.judging.known_defects import by_case, excuse, relevant
from lossproof.judging.stored_truth import storing
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.running.answer import Answer
from lossproof.running.kept_trials import KeptTrials
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.sentinel import MistakenSubject, sentinel_trial
from lossproof.running.stores import Stores
from lossproof.subjects.transcript import Transcript


class ConformanceSession:
    """The state that the trials of a process share: corpus, selection, examiner and known defects.

    Attributes:
        stores: of the truth and of the trials of earlier runs; None computes and judges everything.
    """

    def __init__(
        self,
        corpus: Corpus,
        selection: Selection,
        stores: Stores | None = None,
        *,
        is_strict: bool = False,
    ) -> None:
        self.corpus = corpus
        self.selection = selection
        self.stores = stores
        layout_dtype = "float32" if "float32" in selection.dtypes else selection.dtypes[0]
        setting = layout_dtype, is_strict
        self._kept = KeptTrials(stores.trials, stores.states, selection, setting) if stores else None
        self._examiner = Examiner(layout_dtype, is_strict=is_strict, picks=corpus.picks)
        self._sentinel = sentinel_trial()
        self._sentinel_subject = MistakenSubject()
        self._devices = {name: selection.device_of(name) for name in selection.subjects}
        self._defects = {
            name: by_case(relevant(corpus.known_defects, name, subject.version(), self._devices[name]))
            for name, subject in selection.subjects.items()
        }
        self._picks = {
            name: picks_of(corpus.picks, name, subject.version())
            for name, subject in selection.subjects.items()
        }
        self._is_strict = {
            name: corpus.releases.is_strict(name, subject.version())
            for name, subject in selection.subjects.items()
        }

    def examine(self, trial: PlannedTrial) -> Answer:
        """Carry out a trial in this process."""
        with storing(self.stores.truth if self.stores else None):
            if trial.subject is None:
                return self._answer(certify(trial.case))
            known = self._defects[trial.subject].get(trial.case.id, [])
            examine = partial(self._examine, trial, trial.subject, known)
            return self._kept.examine(trial, known, examine) if self._kept else examine(None)

    def _examine(
        self, trial: PlannedTrial, name: str, known: Sequence[KnownDefect], transcript: Transcript | None
    ) -> Answer:
        subject, picks, device = self.selection.subjects[name], self._picks[name], self._devices[name]
        records = self._examiner.examine(trial.case, subject, trial.dtype, device, known, transcript)
        if not self._is_strict[name]:
            picks = {}
        records, gone = excuse(reclassify_conventions(records, picks), known)
        answer = self._answer(records, gone if self._is_strict[name] else [])
        return replace(answer, is_last=subject.is_foreign and _has_accepted(records))

    def _answer(self, records: Sequence[Record], problems: Sequence[str] = ()) -> Answer:
        """The answer that consists of the records that count in this run, and of these problems."""
        wanted = [record for record in records if self._is_wanted(record)]
        if not wanted and not problems:
            return Answer(skipped="none of its checks is among the quantities of this run")
        return Answer.of(wanted, problems)

    def _is_wanted(self, record: Record) -> bool:
        """Whether a check counts in this run; a call that gave nothing counts for all of its quantities."""
        patterns = self.selection.quantities
        gave_nothing = record.quantity == "value" and record.outcome in (Outcome.ERROR, Outcome.UNSUPPORTED)
        return not patterns or gave_nothing or record.quantity.is_among(patterns)

    def examine_sentinel(self) -> Answer:
        """Carry out the sentinel's trial, which must fail."""
        trial = self._sentinel
        return Answer.of(self._examiner.examine(trial.case, self._sentinel_subject, trial.dtype))

    def keep(self) -> None:
        """Keep trials and truth for later runs: call this if no subject has changed the process."""
        if self.stores is not None:
            self.stores.keep()

    def error_answer(self, trial: PlannedTrial, reason: str) -> Answer:
        """The answer for a trial that could not be carried out, which may be a known defect, too."""
        records = [failed_record(trial, self.selection, reason)]
        if trial.subject is not None:
            records, _ = excuse(records, self._defects[trial.subject].get(trial.case.id, []))
        return Answer.of(records)


def _has_accepted(records: Iterable[Record]) -> bool:
    """Whether a call that must be refused was accepted: an index out of range may have hit other memory."""
    refusals = (record for record in records if record.quantity == "raises")
    return any(record.outcome in (Outcome.ACCEPTS, Outcome.DISAGREE) for record in refusals)


def failed_record(trial: PlannedTrial, selection: Selection, reason: str) -> Record:
    """The only record of a trial that could not be carried out."""
    device = selection.device_of(trial.subject) if trial.subject else "cpu"
    recorder = Recorder(trial.case, trial.subject, trial.dtype, device)
    return recorder.record("value", Outcome.ERROR, message=reason)

"""Carries out the trials of a run in this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lossproof.checks.certification import certify
from lossproof.checks.examination import Examiner
from lossproof.checks.recorder import Recorder
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import Corpus
from lossproof.judging.choices import reclassify_conventions
from lossproof.judging.known_defects import by_case, excuse, relevant
from lossproof.judging.stored_truth import storing
from lossproof.judging.truth_store import TruthStore
from lossproof.records.lines import lines_of
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.failure_groups import failure_sentence
from lossproof.reporting.shown_program import shown_program
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.sentinel import MistakenSubject, sentinel_trial


@dataclass(frozen=True)
class Answer:
    """The result of a trial, as it travels from process to process.

    Attributes:
        lines: its records, as lines of JSON; see ``records.lines``.
        complaints: the sentences on why the trial fails; it passes if there are none.
        program: the program that shows the first failure, or a sentence about it; see ``shown_program``.
        skipped: why nothing could be checked; None if something was.
        problems: a sentence per known defect that is gone, if the release is on record.
        printed: the end of the subject's output.
        seconds: how long it took; 0 if nobody knows.
        failure: the traceback of a failure of the harness itself; then there are no records.
        is_last: whether the process must not carry out another trial, since its memory may be corrupted or
            is large.
    """

    lines: str = ""
    complaints: Sequence[str] = ()
    program: str = ""
    skipped: str | None = None
    problems: Sequence[str] = ()
    printed: str = ""
    seconds: float = field(default=0.0, compare=False)
    failure: str = ""
    is_last: bool = False

    @classmethod
    def of(cls, records: Sequence[Record], problems: Sequence[str] = ()) -> Answer:
        """The answer that consists of these records and problems."""
        failures = [record for record in records if record.outcome.is_failing]
        outcomes = {record.outcome for record in records}
        reasons = sorted({record.message for record in records})
        return cls(
            "\n".join(lines_of(records)),
            (*map(failure_sentence, failures), *problems),
            shown_program(failures, "the report holds it."),
            "; ".join(reasons) if outcomes == {Outcome.UNSUPPORTED} else None,
            tuple(problems),
        )


class ConformanceSession:
    """The state that the trials of a process share: corpus, selection, examiner and known defects.

    Attributes:
        store: the truth of earlier runs; None computes all of it.
    """

    def __init__(
        self,
        corpus: Corpus,
        selection: Selection,
        store: TruthStore | None = None,
        *,
        is_strict: bool = False,
    ) -> None:
        self.corpus = corpus
        self.selection = selection
        self.store = store
        layout_dtype = "float32" if "float32" in selection.dtypes else selection.dtypes[0]
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
        with storing(self.store):
            return self._examine(trial)

    def _examine(self, trial: PlannedTrial) -> Answer:
        if trial.subject is None:
            return self._answer(certify(trial.case))
        subject, picks = self.selection.subjects[trial.subject], self._picks[trial.subject]
        known = self._defects[trial.subject].get(trial.case.id, [])
        device = self._devices[trial.subject]
        records = self._examiner.examine(trial.case, subject, trial.dtype, device, known)
        if not self._is_strict[trial.subject]:
            picks = {}
        records, gone = excuse(reclassify_conventions(records, picks), known)
        answer = self._answer(records, gone if self._is_strict[trial.subject] else [])
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

    def keep_truth(self) -> None:
        """Keep what trials have computed for later runs: call this if no subject has changed the process."""
        if self.store is not None:
            self.store.keep()

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

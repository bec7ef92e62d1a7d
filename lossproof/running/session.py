"""Carries out the trials of a run in this process."""

from __future__ import annotations

from dataclasses import dataclass, field

from lossproof.checks.certification import certify
from lossproof.checks.examination import Examiner
from lossproof.checks.recorder import Recorder
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import Corpus
from lossproof.judging.choices import reclassify_conventions
from lossproof.judging.known_defects import by_case, excuse, relevant
from lossproof.judging.stored_truth import storing
from lossproof.judging.truth_store import TruthStore
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.sentinel import SUBJECT, plant_mistake, sentinel_trial
from lossproof.subjects.registry import find_subject
from lossproof.subjects.subject import Subject


@dataclass(frozen=True)
class Answer:
    """The result of a trial.

    Attributes:
        records: one per check.
        problems: a sentence per known defect that is gone, if the release is on record.
        printed: the end of the subject's output.
        failure: the traceback of a failure of the harness itself; then there are no records.
    """

    records: list[Record] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    printed: str = ""
    failure: str = ""

    @property
    def complaints(self) -> list[str]:
        """The sentences on why the trial fails; it passes if there are none."""
        wrong = [record for record in self.records if record.outcome.is_failing]
        return [*map(_sentence, wrong), *self.problems]


class ConformanceSession:
    """The state that the trials of a process share: corpus, selection, examiner and known defects.

    Attributes:
        store: the truth of earlier runs; None computes all of it.
    """

    def __init__(self, corpus: Corpus, selection: Selection, store: TruthStore | None = None) -> None:
        self.corpus = corpus
        self.selection = selection
        self.store = store
        layout_dtype = "float32" if "float32" in selection.dtypes else selection.dtypes[0]
        self._examiner = Examiner(layout_dtype, picks=corpus.picks)
        self._sentinel = sentinel_trial()
        self._sentinel_subject = find_subject(SUBJECT)
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

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All subjects of the run, including the sentinel's."""
        return (*self.selection.subjects.values(), self._sentinel_subject)

    def examine(self, trial: PlannedTrial) -> Answer:
        """Carry out a trial in this process."""
        self._keep_truth()
        with storing(self.store):
            return self._examine(trial)

    def _examine(self, trial: PlannedTrial) -> Answer:
        if trial.subject is None:
            return Answer(certify(trial.case))
        subject, picks = self.selection.subjects[trial.subject], self._picks[trial.subject]
        known = self._defects[trial.subject].get(trial.case.id, [])
        device = self._devices[trial.subject]
        records = self._examiner.examine(trial.case, subject, trial.dtype, device, known)
        if not self._is_strict[trial.subject]:
            picks = {}
        records, gone = excuse(reclassify_conventions(records, picks), known)
        return Answer(records, gone if self._is_strict[trial.subject] else [])

    def examine_sentinel(self) -> Answer:
        """Carry out the sentinel's trial, which must fail."""
        self._keep_truth()
        trial = self._sentinel
        with plant_mistake():
            return Answer(self._examiner.examine(trial.case, self._sentinel_subject, trial.dtype))

    def _keep_truth(self) -> None:
        """Keep what earlier trials computed: if a subject had changed this process, it would have ended."""
        if self.store is not None:
            self.store.keep()

    def error_answer(self, trial: PlannedTrial, reason: str) -> Answer:
        """The answer for a trial that could not be carried out."""
        return Answer([failed_record(trial, self.selection, reason)])


def failed_record(trial: PlannedTrial, selection: Selection, reason: str) -> Record:
    """The only record of a trial that could not be carried out."""
    device = selection.device_of(trial.subject) if trial.subject else "cpu"
    recorder = Recorder(trial.case, trial.subject, trial.dtype, device)
    return recorder.record("value", Outcome.ERROR, message=reason)


def _sentence(record: Record) -> str:
    layout = "" if record.layout == "contiguous" else record.layout
    parts = (record.subject_name, record.dtype, record.quantity, record.reduction, layout)
    place = ", ".join(filter(None, parts))
    return f"{record.file}:{record.line}: [{record.case}] {place}: {record.message}"

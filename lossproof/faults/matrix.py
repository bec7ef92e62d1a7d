"""The kill matrix: which case catches which planted fault.

A case catches a fault when, with the fault planted, one of its checks disagrees or errs that is no known
defect. The short way finds one case for each fault and one fault for each case; the full matrix tries
every fault on every case of its loss in every dtype.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.reading import Corpus
from lossproof.faults.fault import Fault
from lossproof.judging.examination import Examiner
from lossproof.judging.known_defects import excuse, relevant
from lossproof.judging.record import Record
from lossproof.numbers.formats import FORMATS
from lossproof.subjects import find_subject
from lossproof.subjects.call import Subject

# A claim about modules has no dtype; the harness calls it so.
_NO_DTYPE = "none"


@dataclass(frozen=True)
class Kill:
    """A case that catches a fault in a dtype, and the first of its checks that does."""

    fault: str
    case: str
    dtype: str
    reduction: str | None
    quantity: str
    outcome: str
    message: str


@dataclass
class Hunt:
    """The search of one loss's cases for its faults.

    Attributes:
        loss: the loss.
        faults: its faults.
        cases: its cases, those first that say what they kill.
        known_defects: what torch gets wrong without any fault.
        purposes: ids of cases that need not catch anything, as they document something.
        is_full: whether the full matrix is wanted.
    """

    loss: str
    faults: Sequence[Fault]
    cases: Sequence[Case]
    known_defects: Sequence[KnownDefect]
    purposes: frozenset[str]
    is_full: bool = False
    _caught: set[str] = field(default_factory=set)

    def kills(self) -> Iterator[Kill]:
        """What is caught by what, case by case."""
        examiners = {modes: Examiner(with_modes=modes) for modes in (False, True)}
        subjects = {name: find_subject(name) for name in {fault.subject for fault in self.faults}}
        defects = {
            name: relevant(self.known_defects, name, subject.version(), "cpu")
            for name, subject in subjects.items()
        }
        for case in self.cases:
            caught_here: set[str] = set()
            for dtype in dtypes_of(case):
                for fault in self._wanted(case, caught_here):
                    subject = subjects[fault.subject]
                    kill = caught_by(
                        fault, case, dtype, subject, examiners[fault.shows_in_modes], defects[fault.subject]
                    )
                    if kill is not None:
                        caught_here.add(fault.id)
                        self._caught.add(fault.id)
                        yield kill

    def _wanted(self, case: Case, caught_here: set[str]) -> Iterator[Fault]:
        """The faults to try on a case, in a dtype, after those that it has caught in another."""
        if self.is_full:
            yield from self.faults
            return
        rest = []
        for fault in self.faults:
            if fault.id in caught_here:
                continue
            if fault.id in case.kills or fault.id not in self._caught:
                yield fault
            else:
                rest.append(fault)
        for fault in rest:
            if caught_here or case.id in self.purposes:
                return
            yield fault


def hunts(corpus: Corpus, faults: Sequence[Fault], is_full: bool) -> list[Hunt]:
    """One hunt for each loss that has faults."""
    losses = dict.fromkeys(fault.loss for fault in faults)
    purposes = frozenset(documenting(corpus))
    return [
        Hunt(
            loss,
            [fault for fault in faults if fault.loss == loss],
            sorted(_cases_of(corpus, loss), key=lambda case: not case.kills),
            corpus.known_defects,
            purposes,
            is_full,
        )
        for loss in losses
    ]


def documenting(corpus: Corpus) -> set[str]:
    """The ids of the cases that have a purpose beside catching faults.

    They hold a document's number or statement, a known defect of torch, digits that it loses, or names that
    it has or lacks.
    """
    defective = {entry.case for entry in corpus.known_defects}
    return {
        case.id
        for case in corpus.cases
        if case.source
        or case.loses_digits
        or case.id in defective
        or (case.module is not None and case.module.aspect in ("present", "absent"))
    }


def caught_by(
    fault: Fault,
    case: Case,
    dtype: str,
    subject: Subject,
    examiner: Examiner,
    defects: Sequence[KnownDefect],
) -> Kill | None:
    """The first check of a case that catches a fault, if any does."""
    with fault.planted():
        for record in examiner.records(case, subject, dtype):
            [judged], _ = excuse([record], defects)
            if judged.outcome in ("disagree", "error"):
                return _kill(fault, judged)
    return None


def dtypes_of(case: Case) -> tuple[str, ...]:
    """The dtypes that a case runs in."""
    return (_NO_DTYPE,) if case.module is not None else case.dtypes or tuple(FORMATS)


def _cases_of(corpus: Corpus, loss: str) -> list[Case]:
    # A fault is planted in this process; a case with one of its own would not meet it.
    return [case for case in corpus.cases if case.loss == loss and not case.own_process]


def _kill(fault: Fault, record: Record) -> Kill:
    return Kill(
        fault.id,
        record.case,
        record.dtype,
        record.reduction,
        record.quantity,
        record.outcome,
        record.message,
    )

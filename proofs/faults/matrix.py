"""The kill matrix: which case catches which planted fault.

A case catches a fault if one of its checks fails with the fault planted, passes without it, and is no known
defect. The short search finds one case for each fault and one fault for each case; the full one tries every
fault on every case of its loss in every dtype.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, KnownDefect
from lossproof.corpus.picks import Pick
from lossproof.corpus.reading import Corpus
from lossproof.judging.known_defects import excuse, relevant
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject
from lossproof.subjects.subject import Subject
from proofs.combinations import FILE as COMBINATIONS
from proofs.faults.fault import Fault

# One of a case's checks in a dtype: its reduction, layout and quantity.
Place = tuple[str | None, str, str]

# The subject that answers claims about modules.
_OF_MODULES = "torch.nn"


@dataclass(frozen=True)
class Kill:
    """A case that catches a fault in a dtype, with the first check that does."""

    fault: str
    case: str
    dtype: str
    reduction: str | None
    quantity: str
    outcome: str
    message: str


@dataclass(frozen=True)
class Search:
    """The search of one loss's cases for its faults.

    Attributes:
        loss: the loss.
        faults: its faults.
        cases: its cases.
        known_defects: what torch gets wrong without any fault.
        picks: torch's picks where a formula leaves something open.
        documenting: ids of the cases that need not catch anything.
    """

    loss: str
    faults: Sequence[Fault]
    cases: Sequence[Case]
    known_defects: Sequence[KnownDefect]
    picks: Sequence[Pick]
    documenting: frozenset[str]

    @cached_property
    def obstacles(self) -> Mapping[str, str]:
        """By id, why a fault cannot be planted in this torch."""
        return {fault.id: fault.obstacle for fault in self.faults if fault.obstacle}

    @cached_property
    def plantable(self) -> Sequence[Fault]:
        """The faults that can be planted in this torch."""
        return [fault for fault in self.faults if fault.id not in self.obstacles]

    def full(self) -> Iterator[Kill]:
        """Every fault on every case in every dtype."""
        for case in self.cases:
            for dtype in dtypes_of(case):
                yield from self._attempts.on(case, dtype, self.plantable)

    def short(self) -> Iterator[Kill]:
        """The first catch of each fault, and the first catch by each case that needs one."""
        attempts, faults = self._attempts, self.plantable
        catches: Counter[str] = Counter()
        for case in self.cases:
            listed = [fault for fault in faults if fault.id in case.kills]
            kills = list(attempts.first(case, listed))
            if not kills and case.id not in self.documenting:
                # The faults that cases caught most often are the likeliest.
                likeliest_first = sorted(faults, key=lambda fault: -catches[fault.id])
                kills = list(islice(attempts.first(case, likeliest_first), 1))
            catches.update(kill.fault for kill in kills)
            yield from kills
        for fault in faults:
            if not catches[fault.id]:
                yield from islice((kill for case in self.cases for kill in attempts.first(case, [fault])), 1)

    def unable(self, kills: Sequence[Kill]) -> Mapping[str, str]:
        """By id, why a case cannot catch a fault as it should: it does not run, or fails anyway."""
        catching, uncaught = {kill.case for kill in kills}, self._uncaught(kills)
        reasons = (
            (case.id, self._attempts.reason_against(case))
            for case in self.cases
            if uncaught & {*case.kills} or case.id not in catching | self.documenting
        )
        return {case: reason for case, reason in reasons if reason}

    def inapplicable(self, kills: Sequence[Kill], unable: Mapping[str, str]) -> Mapping[str, str]:
        """By id, why a fault does not apply to this torch.

        This torch lacks what the fault replaces or uses; or no case catches it, and the cases that should are
        unable to, since what the fault breaks is missing here, or is broken anyway.
        """
        reasons_by_fault = dict(self.obstacles)
        for fault in self._uncaught(kills):
            reasons = [unable.get(case.id, "") for case in self.cases if fault in case.kills]
            if reasons and all(reasons):
                reasons_by_fault[fault] = reasons[0]
        return reasons_by_fault

    def _uncaught(self, kills: Sequence[Kill]) -> set[str]:
        return {fault.id for fault in self.plantable} - {kill.fault for kill in kills}

    @cached_property
    def _attempts(self) -> _Attempts:
        return _Attempts(self)


class _Attempts:
    """Plants faults and runs cases; what several faults need is computed once."""

    def __init__(self, search: Search) -> None:
        self._examiners = {
            modes: Examiner(with_modes=modes, with_illustrations=False, picks=search.picks)
            for modes in (False, True)
        }
        # The function comes before the module, which lacks parameters in every release.
        names = sorted({_OF_MODULES, *(fault.subject for fault in search.faults)}, reverse=True)
        self._subjects = {name: find_subject(name) for name in names}
        self._defects = {
            name: relevant(search.known_defects, name, subject.version(), "cpu")
            for name, subject in self._subjects.items()
        }
        self._wrong: dict[tuple[str, str | None, str, bool], frozenset[Place]] = {}

    def on(self, case: Case, dtype: str | None, faults: Iterable[Fault]) -> Iterator[Kill]:
        """The faults that a case catches in a dtype."""
        for fault in faults:
            subject, defects = self._subjects[fault.subject], self._defects[fault.subject]
            examiner = self._examiners[fault.shows_in_modes]
            kill = caught_by(fault, case, dtype, subject, examiner, defects)
            if kill is None:
                continue
            key = (case.id, dtype, subject.name, fault.shows_in_modes)
            if key not in self._wrong:
                failures = _failures(case, dtype, subject, examiner, defects)
                self._wrong[key] = frozenset(map(_place, failures))
            if self._wrong[key]:
                kill = caught_by(fault, case, dtype, subject, examiner, defects, self._wrong[key])
            if kill is not None:
                yield kill

    def reason_against(self, case: Case) -> str:
        """Why a case cannot catch anything: it does not run, or fails anyway; empty if it can."""
        lacking, runs = "", False
        for name, subject in self._subjects.items():
            for dtype in dtypes_of(case):
                for record in self._examiners[False].records(case, subject, dtype):
                    [result], _ = excuse([record], self._defects[name])
                    if result.outcome == "unsupported":
                        lacking = lacking or result.message
                    elif result.outcome.is_passing:
                        runs = True
                    else:
                        return f"{case.id}, which should catch it, is as wrong without it"
        return "" if runs else lacking

    def first(self, case: Case, faults: Sequence[Fault]) -> Iterator[Kill]:
        """The faults that a case catches, each in the first dtype that shows it."""
        rest = list(faults)
        for dtype in dtypes_of(case):
            for kill in self.on(case, dtype, tuple(rest)):
                rest = [fault for fault in rest if fault.id != kill.fault]
                yield kill


def searches(corpus: Corpus, faults: Sequence[Fault]) -> list[Search]:
    """One search for each loss that has faults."""
    documents = frozenset(documenting(corpus))
    return [
        Search(
            loss,
            [fault for fault in faults if fault.loss == loss],
            # A fault is planted in this process; a case with one of its own would not meet it.
            [case for case in corpus.cases if case.loss == loss and not case.own_process],
            corpus.known_defects,
            corpus.picks,
            documents,
        )
        for loss in dict.fromkeys(fault.loss for fault in faults)
    ]


def documenting(corpus: Corpus) -> set[str]:
    """The ids of the cases that have a purpose besides catching faults.

    They hold a document's number or statement, a known defect of torch, digits that it loses, names that
    it has or lacks, or two circumstances that meet in no other case of an array.
    """
    defective = {entry.case for entry in corpus.known_defects}
    return {
        case.id
        for case in corpus.cases
        if case.source
        or case.loses_digits
        or case.id in defective
        or case.file.endswith(COMBINATIONS.name)
        or (case.module is not None and case.module.aspect in ("present", "absent"))
    }


def caught_by(
    fault: Fault,
    case: Case,
    dtype: str | None,
    subject: Subject,
    examiner: Examiner,
    defects: Sequence[KnownDefect],
    wrong: Container[Place] = (),
) -> Kill | None:
    """The first check of a case that catches a fault, if any does.

    Args:
        fault: what is planted.
        case: the case.
        dtype: the dtype of the run.
        subject: where it is planted.
        examiner: what judges.
        defects: what is known to be wrong.
        wrong: the checks that fail without the fault as well.
    """
    with fault.planted():
        for record in _failures(case, dtype, subject, examiner, defects):
            if _place(record) not in wrong:
                return _kill(fault, record)
    return None


def _failures(
    case: Case, dtype: str | None, subject: Subject, examiner: Examiner, defects: Sequence[KnownDefect]
) -> Iterator[Record]:
    for record in examiner.records(case, subject, dtype):
        [result], _ = excuse([record], defects)
        if result.outcome.is_failing:
            yield result


def _place(record: Record) -> Place:
    return record.reduction, record.layout, record.quantity


def dtypes_of(case: Case) -> tuple[str | None, ...]:
    """The dtypes that a case runs in; a claim about a module has none."""
    return (None,) if case.module is not None else case.dtypes


def _kill(fault: Fault, record: Record) -> Kill:
    return Kill(
        fault.id,
        record.case,
        record.dtype_name,
        record.reduction,
        record.quantity,
        record.outcome,
        record.message,
    )

"""The findings of a search: faults that no case catches, and cases that catch and document nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lossproof.corpus.case import Case
from proofs.faults.fault import Fault
from proofs.faults.matrix import Kill


@dataclass(frozen=True)
class Findings:
    """The result of the search of all cases.

    Attributes:
        faults: the faults that were planted.
        kills: the checks that caught them.
        cases: the cases that were tried, or on which no fault could be tried.
        documenting: ids of the cases that need not catch anything.
        crashed: losses with a fault that ended its process, so that the others were not tried.
        is_full: whether every fault met every case of its loss.
        unable: ids of the cases that can catch nothing in this torch.
        inapplicable: by id, why a fault does not apply to this torch.
    """

    faults: Sequence[Fault]
    kills: Sequence[Kill]
    cases: Sequence[Case]
    documenting: frozenset[str]
    crashed: frozenset[str]
    is_full: bool
    unable: frozenset[str] = frozenset()
    inapplicable: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def caught(self) -> Mapping[str, Mapping[str, list[Kill]]]:
        """By fault, then by case: the kills, one per dtype."""
        caught: dict[str, dict[str, list[Kill]]] = {}
        for kill in self.kills:
            caught.setdefault(kill.fault, {}).setdefault(kill.case, []).append(kill)
        return caught

    @property
    def survivors(self) -> list[Fault]:
        """The faults that no case catches, though they apply."""
        done = self.caught.keys() | self.inapplicable.keys()
        return [fault for fault in self.faults if fault.id not in done]

    @property
    def cases_without_purpose(self) -> list[Case]:
        """The cases that catch no fault and document nothing, though they could."""
        purposeful = {kill.case for kill in self.kills} | self.documenting | self.unable
        return [case for case in self.cases if case.id not in purposeful]

    @property
    def false_claims(self) -> list[str]:
        """A sentence for each fault that a case claims to kill, but does not."""
        planted = {fault.id: fault for fault in self.faults}
        return [
            f"{case.file}:{case.line}: [{case.id}] says that it kills {name}, "
            f"{_why_not(planted.get(name), case)}"
            for case in self.cases
            for name in case.kills
            if case.loss not in self.crashed
            and case.id not in self.unable
            and name not in self.inapplicable
            and case.id not in self.caught.get(name, {})
        ]

    @cached_property
    def problems(self) -> list[str]:
        """Everything that is wrong, in sentences."""
        crashes = [
            f"{loss}: one of its faults ended the process that it was planted in, so that nothing is known "
            "of any; name some of them as FAULTS to find the one"
            for loss in sorted(self.crashed)
        ]
        survived = [
            f"{fault.loss}: no case catches {fault.id}: {fault.mistake}"
            for fault in self.survivors
            if fault.loss not in self.crashed
        ]
        purposeless = [
            f"{case.file}:{case.line}: [{case.id}] catches no planted fault and documents nothing; plant the "
            "fault that it is there for, or remove it"
            for case in self.cases_without_purpose
            if case.loss not in self.crashed
        ]
        return [*crashes, *survived, *self.false_claims, *purposeless]


def by_loss(faults: Iterable[Fault]) -> Mapping[str, list[Fault]]:
    """The faults of each loss."""
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        groups.setdefault(fault.loss, []).append(fault)
    return groups


def _why_not(fault: Fault | None, case: Case) -> str:
    if fault is None:
        return "which is no fault of the catalogue"
    if fault.loss != case.loss:
        return f"which is a fault of {fault.loss}"
    return "and does not"

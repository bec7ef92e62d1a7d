"""Groups of records, or of anything else; and all records of a run, of which several reports ask the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property, wraps
from operator import attrgetter
from typing import Any, TypeVar

from lossproof.records.outcome import FAILING, Outcome
from lossproof.records.record import Record

Answer = TypeVar("Answer")
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by their keys, in the order in which each key first occurs."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


class Records(tuple[Record, ...]):
    """Records that remember what was asked of them: those of a run are hundreds of thousands."""

    @cached_property
    def answers(self) -> dict[Callable[[Iterable[Record]], Any], Any]:
        """What was asked, and the answers."""
        return {}


def remembered(question: Callable[[Iterable[Record]], Answer]) -> Callable[[Iterable[Record]], Answer]:
    """Let a function of records be computed once for the same ``Records``; nobody may change its answer."""

    @wraps(question)
    def ask(records: Iterable[Record]) -> Answer:
        if not isinstance(records, Records):
            return question(records)
        if question not in records.answers:
            records.answers[question] = question(records)
        answer: Answer = records.answers[question]
        return answer

    return ask


@remembered
def by_outcome(records: Iterable[Record]) -> Mapping[Outcome, Sequence[Record]]:
    """The records by outcome, in order; an outcome that none has is missing."""
    return grouped(records, attrgetter("outcome"))


@remembered
def failures_in(records: Iterable[Record]) -> Sequence[Record]:
    """The records that fail the run, in order."""
    return [record for record in records if record.outcome in FAILING]

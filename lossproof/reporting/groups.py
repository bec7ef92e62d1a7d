"""Groups of records, or of anything else; and all records of a run, of which several reports ask the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Any, TypeVar

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

    @classmethod
    def of(cls, records: Iterable[Record]) -> Records:
        """The records, with what they remember if they do so already."""
        return records if isinstance(records, cls) else cls(records)

    def ask(self, question: Callable[[Records], Answer]) -> Answer:
        """The answer to a question, which nobody may change: it is the same whenever the same is asked."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: Answer = self._answers[question]
        return answer

    @cached_property
    def _answers(self) -> dict[Callable[[Records], Any], Any]:
        return {}

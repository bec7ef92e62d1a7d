"""Groups failing checks by what they have in common, since one mistake may show in thousands of checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lossproof.records.record import Record
from lossproof.reporting.groups import failures_in, grouped
from lossproof.reporting.text import count

# Numbers, lists of numbers, and what is said of how many elements are wrong.
_NUMBERS = re.compile(
    r" \(\d+ of \d+ elements[^)]*\)|\[[-+\d., e]*\]|[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|\binf\b|\bnan\b)"
)


@dataclass(frozen=True)
class FailureGroup:
    """Failing checks of a loss, a kind of quantity and a dtype, whose sentences differ in numbers only."""

    records: Sequence[Record]

    @property
    def heading(self) -> str:
        """What the checks have in common, and how many they are."""
        first = self.records[0]
        cases = count(len({record.case for record in self.records}), "case")
        checks = count(len(self.records), "check")
        return f"{checks} of {first.loss}, {first.quantity.kind}, {first.dtype_name}, in {cases}"


def failure_groups(records: Iterable[Record]) -> list[FailureGroup]:
    """Return the groups of the failing records, the largest first."""

    def in_common(record: Record) -> tuple[str, str, str, str]:
        return record.loss, record.quantity.kind, record.dtype_name, _NUMBERS.sub("0", record.message)

    groups = map(FailureGroup, grouped(failures_in(records), in_common).values())
    return sorted(groups, key=lambda group: -len(group.records))


def failure_sentence(record: Record) -> str:
    """Return a failing check in one line: its file and line, its case, the quantity, and what is wrong."""
    layout = "" if record.layout == "contiguous" else record.layout
    parts = (record.subject_name, record.dtype, record.quantity, record.reduction, layout)
    place = ", ".join(filter(None, parts))
    return f"{record.file}:{record.line}: [{record.case}] {place}: {record.message}"

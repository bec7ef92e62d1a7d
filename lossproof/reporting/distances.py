"""How far each subject is from correctly rounded results, in units in the last place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record


@dataclass(frozen=True)
class Distance:
    """The distances of a subject's values and gradients from the true ones.

    Attributes:
        worst: that of the worst element of all.
        median: the median of all results, each counted by the median of its elements.
        case: the case with the worst element.
    """

    worst: float
    median: float
    case: str

    def __str__(self) -> str:
        return f"{self.median:.2g} at the median, {self.worst:.2g} at worst ({self.case})"


def distances(records: Iterable[Record]) -> dict[str, Distance]:
    """The distances by subject. A correctly rounded number is at most 0.5 off; known defects do not count."""
    found: dict[str, list[tuple[float, float, str]]] = {}
    for record in records:
        if record.ulps is not None and record.outcome != Outcome.KNOWN_DEFECT:
            worst, middle = record.ulps
            found.setdefault(record.subject_name, []).append((worst, middle, record.case))
    return {
        subject: Distance(max(ones)[0], median(middle for _, middle, _ in ones), max(ones)[2])
        for subject, ones in found.items()
    }

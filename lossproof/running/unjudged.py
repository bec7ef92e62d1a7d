"""What a run was asked for and judges nothing of: it must not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.text import count


def unjudged(names: Sequence[str], records: Iterable[Record]) -> list[str]:
    """A sentence for each of these subjects without a judged check: why there is none."""
    reasons: dict[str | None, Counter[str]] = {name: Counter() for name in names}
    judged: set[str | None] = set()
    for record in records:
        if record.outcome != Outcome.UNSUPPORTED:
            judged.add(record.subject)
        elif record.subject in reasons:
            reasons[record.subject][record.message] += 1
    return [_sentence(name, reasons[name]) for name in names if name not in judged]


def unmatched_quantities(patterns: Iterable[str], records: Iterable[Record]) -> list[str]:
    """A sentence for each of these shell patterns that no check matches: it may be misspelt."""
    found = {record.quantity for record in records}
    some = ", ".join(sorted(found)[:5])
    return [
        f"no check of this run has a quantity '{pattern}'; it has {some}; reports/README.md lists all"
        for pattern in patterns
        if not any(quantity.is_among([pattern]) for quantity in found)
    ]


def _sentence(name: str, reasons: Counter[str]) -> str:
    if not reasons:
        return f"nothing of {name} was judged: no selected case is of a loss and a dtype that it has"
    (reason, _), *others = reasons.most_common()
    more = f", and {count(len(others), 'more reason')}" if others else ""
    return f"nothing of {name} was judged: {reason}{more}"

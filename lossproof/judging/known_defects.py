"""Known defects of subjects: what they excuse, and which of them a run no longer shows."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatch
from typing import Any

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.keys import TAKING_TURNS
from lossproof.corpus.releases import is_within
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record


def relevant(entries: Iterable[KnownDefect], subject: str, version: str, device: str) -> list[KnownDefect]:
    """The entries that apply to a subject as it is installed here."""
    return [
        entry
        for entry in entries
        if fnmatch(subject, entry.subject)
        and is_within(version, entry.since, entry.until)
        and entry.platform in ("", platform.system().lower())
        and entry.device in ("", device)
    ]


def by_case(entries: Iterable[KnownDefect]) -> dict[str, list[KnownDefect]]:
    """Entries by the ids of their cases."""
    grouped: dict[str, list[KnownDefect]] = {}
    for entry in entries:
        grouped.setdefault(entry.case, []).append(entry)
    return grouped


def as_data(entry: KnownDefect) -> dict[str, Any]:
    """An entry as the reports hold it, with what was observed in words."""
    return asdict(entry) | {"observed": str(entry.observed)}


def covers(entry: KnownDefect, record: Record) -> bool:
    """Whether an entry is about a record; ``relevant`` looks at release, platform and device."""
    return (
        entry.case == record.case
        and record.subject is not None
        and (not entry.dtypes or record.dtype in entry.dtypes)
        and (not entry.reductions or (record.reduction or "none") in entry.reductions)
        and (not entry.quantities or any(fnmatch(record.quantity, one) for one in entry.quantities))
        and (not entry.layouts or record.layout in entry.layouts)
        and fnmatch(record.subject, entry.subject)  # last, since it takes longest
    )


def excuse(records: Sequence[Record], entries: Sequence[KnownDefect]) -> tuple[list[Record], list[str]]:
    """Mark the records of a trial that known defects explain; also return a sentence for each obsolete entry.

    If the release is on record, an obsolete entry fails the run, so that the list cannot go stale.
    """
    excused: list[Record] = []
    obsolete: list[str] = []
    for record in records:
        covering = [entry for entry in entries if covers(entry, record)]
        if not covering or record.outcome == Outcome.UNSUPPORTED:
            excused.append(record)
            continue
        entry = covering[0]
        if record.outcome.is_passing:
            obsolete += [_obsolete_message(one, record) for one in covering[:1] if not one.pattern]
            excused.append(record)
        elif (explanation := _explaining_entry(covering, record)) is None:
            came_out = ", ".join(record.came_out) or "no number"
            expected = str(entry.observed)
            if entry.elements:
                expected += f" in {' or '.join(map(str, entry.elements))} elements"
                came_out += f" in {record.off}"
            mismatch = f"a defect is known here, but {expected} is on record for it, not {came_out}"
            message = f"{record.message}; {mismatch} ({entry.file}:{entry.line})"
            excused.append(replace(record, message=message))
        else:
            message = f"{record.message} (known: {explanation.why})"
            excused.append(
                replace(record, outcome=Outcome.KNOWN_DEFECT, message=message, cause=explanation.why)
            )
    return excused, obsolete


def _obsolete_message(entry: KnownDefect, record: Record) -> str:
    return (
        f"{entry.file}:{entry.line}: [{record.case}] {record.subject} in {record.dtype_name} agrees on "
        f"{record.quantity} ({record.reduction}, {record.layout}): the defect is gone; "
        "remove the entry or narrow it"
    )


def explaining_entry(entries: Iterable[KnownDefect], record: Record) -> KnownDefect | None:
    """The first entry that is about a record and explains what came out."""
    return _explaining_entry((entry for entry in entries if covers(entry, record)), record)


def _explaining_entry(entries: Iterable[KnownDefect], record: Record) -> KnownDefect | None:
    for entry in entries:
        is_counted = not entry.elements or record.off in entry.elements
        if is_counted and entry.observed.explains(record.came_out, record.error_over_budget):
            return entry
    return None


def takes_turns(entry: KnownDefect) -> bool:
    """Whether an entry is about modes alone that a case need not meet."""
    return bool(entry.quantities) and TAKING_TURNS.issuperset(entry.quantities)


def unmatched_entries(
    entries: Iterable[KnownDefect], records: Iterable[Record], selected: Iterable[tuple[str, str, str | None]]
) -> list[KnownDefect]:
    """The entries whose trials ran without any record that they are about.

    An entry about modes that take turns may wait for another turn.

    ``selected`` holds the case, the subject and the dtype of every trial that ran.
    """
    entries, selected = [entry for entry in entries if not takes_turns(entry)], list(selected)
    of_case: dict[str, list[Record]] = {}
    for record in records:
        of_case.setdefault(record.case, []).append(record)

    def is_selected(entry: KnownDefect) -> bool:
        return any(
            entry.case == case
            and fnmatch(subject, entry.subject)
            and (not entry.dtypes or dtype in entry.dtypes)
            for case, subject, dtype in selected
        )

    def is_matched(entry: KnownDefect) -> bool:
        records = (record for record in of_case.get(entry.case, ()) if covers(entry, record))
        return any(not entry.pattern or record.outcome == Outcome.KNOWN_DEFECT for record in records)

    idle = [entry for entry in entries if is_selected(entry) and not is_matched(entry)]
    # One case is enough for a pattern, which stands on one line of its file.
    matched = {(entry.file, entry.line) for entry in entries if entry.pattern and is_matched(entry)}
    of_patterns = {(entry.file, entry.line): entry for entry in idle if entry.pattern}
    unmatched = [entry for place, entry in of_patterns.items() if place not in matched]
    return [entry for entry in idle if not entry.pattern] + unmatched


def blame(entry: KnownDefect) -> str:
    """The advice on an entry that matches no record, if the release is on record."""
    if entry.pattern:
        return (
            f"{entry.file}:{entry.line}: no check of '{entry.pattern}' differs in this way; remove the entry"
        )
    return (
        f"{entry.file}:{entry.line}: [{entry.case}] this known defect matches no check; "
        "mend its dtypes, reductions, quantities or layouts, or remove it"
    )

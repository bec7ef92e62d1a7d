"""The claims of the documents, and the verdict on each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.groups import grouped


def documents(records: Iterable[Record], summaries: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return every document that a record cites, with its claims in order and the verdict on each.

    ``summaries`` holds {title, about} by the name of a document.
    """
    cited = [record for record in records if record.source is not None]
    by_document = grouped(cited, lambda record: _source(record, "document"))
    return [
        {"document": name}
        | {key: summaries.get(name, {}).get(key, "") for key in ("title", "about")}
        | {"claims": _claims(by_document[name])}
        for name in sorted(by_document)
    ]


def _claims(records: Iterable[Record]) -> list[dict[str, Any]]:
    claims = grouped(records, lambda record: _source(record, "claim"))
    return [_claim(name, claims[name]) for name in sorted(claims, key=_natural)]


def _source(record: Record, part: str) -> str:
    return (record.source or {}).get(part, "")


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts D002-10 after D002-9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _claim(name: str, records: list[Record]) -> dict[str, Any]:
    return {
        "claim": name,
        "places": list(dict.fromkeys(_source(record, "place") for record in records)),
        "verdict": _verdict(records),
        "by": sorted({record.subject_name for record in records if record.outcome.is_failing}),
        "cases": [_case(group) for group in grouped(records, attrgetter("case")).values()],
    }


def _case(records: Sequence[Record]) -> dict[str, Any]:
    """A claim in one case: the verdict, what is wrong with its document, the numbers, what contradicts it."""
    first = records[0]
    statements = [record for record in records if record.quantity.kind in ("printed", "erratum")]
    messages = [record.message for record in statements if record.message and not record.numbers]
    return {
        "case": first.case,
        "title": first.title,
        "verdict": _verdict(records),
        "finding": next((record.finding for record in records if record.finding), None),
        "numbers": [_numbers(record) for record in statements if record.numbers],
        "messages": list(dict.fromkeys(messages)),
        "given": _given([record for record in records if record.outcome.is_failing]),
    }


def _given(failing: Sequence[Record]) -> dict[str, Any] | None:
    """What contradicts a claim: a check that fails, if any does, and where; preferably one of a subject."""
    if not failing:
        return None
    first = next((record for record in failing if record.subject), failing[0])
    on = (first.subject_name, first.dtype, first.reduction, first.quantity)
    return {"on": list(filter(None, on)), "message": first.message}


def _numbers(record: Record) -> dict[str, Any]:
    """The numbers of a claim and the true ones, what they are, and a note if they are wrong."""
    note = record.message if record.outcome.is_failing else ""
    what = {"kind": record.quantity.kind, "of": record.quantity.argument}
    return what | {"reduction": record.reduction or "", "note": note} | (record.numbers or {})


def _verdict(records: Sequence[Record]) -> str:
    outcomes = {record.outcome for record in records}
    kinds = {record.finding["kind"] for record in records if record.finding}
    if any(outcome.is_failing for outcome in outcomes):
        return "contradicted"
    if not outcomes & {Outcome.AGREE, Outcome.KNOWN_DEFECT}:
        return "not checked"
    for kind in ("erratum", "drifted"):
        if kind in kinds:
            return kind
    return "confirmed" if Outcome.AGREE in outcomes else "known defect"

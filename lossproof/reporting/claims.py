"""The documents' claims and what the records say of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lossproof.judging.record import Record
from lossproof.reporting.digest import FAILING

# How judging.printed words its findings on numbers that a document or a case prints.
_CLAIMED = re.compile(r"printed (?!with shape)(?P<printed>[^:]*?), true (?P<true>[^:]*)(?:: .*)?", re.DOTALL)
_SEEN = re.compile(
    r"seen in (?P<dtype>\w+): (?P<printed>[^:;]*); true (?P<true>.*?)(?:\. (?P<note>.+))?", re.DOTALL
)


def documents(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return every document that a record cites, with its claims in order and the verdict on each."""
    cited: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        if record.source is not None:
            claims = cited.setdefault(record.source.get("document", ""), {})
            claims.setdefault(record.source.get("claim", ""), []).append(record)
    return [
        {"document": name, "claims": [_claim(claim, claims[claim]) for claim in sorted(claims, key=_natural)]}
        for name, claims in sorted(cited.items())
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts D002-10 after D002-9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _claim(name: str, records: list[Record]) -> dict[str, Any]:
    cases: dict[str, list[Record]] = {}
    for record in records:
        cases.setdefault(record.case, []).append(record)
    return {
        "claim": name,
        "places": list(dict.fromkeys(record.source.get("place", "") for record in records if record.source)),
        "verdict": _verdict(records),
        "by": sorted({record.subject for record in records if record.outcome in FAILING}),
        "cases": [_case(group) for group in cases.values()],
    }


def _case(records: Sequence[Record]) -> dict[str, Any]:
    """What was tried of a claim in one case: its title, what it says of its document, the numbers."""
    first = records[0]
    prints = [record for record in records if record.message and _on_print(record)]
    numbers = [number for record in prints if (number := _numbers(record))]
    told = [record.message for record in prints if not _numbers(record)]
    return {
        "case": first.case,
        "title": first.title,
        "verdict": _verdict(records),
        "finding": next((record.finding for record in records if record.finding), None),
        "numbers": numbers,
        "messages": list(dict.fromkeys(told)),
    }


def _numbers(record: Record) -> dict[str, str] | None:
    """A printed number beside the true one, as the record words them; None where it says something else."""
    found = _CLAIMED.fullmatch(record.message) or _SEEN.fullmatch(record.message)
    if found is None:
        return None
    kind, _, argument = record.quantity.partition(":")
    facts = {name: text for name, text in found.groupdict().items() if text}
    return facts | {"kind": kind, "of": argument, "reduction": record.reduction or ""}


def _on_print(record: Record) -> bool:
    return record.quantity.partition(":")[0] in ("printed", "erratum")


def _verdict(records: Sequence[Record]) -> str:
    outcomes = {record.outcome for record in records}
    kinds = {record.finding["kind"] for record in records if record.finding}
    if outcomes & set(FAILING):
        return "contradicted"
    if outcomes == {"unsupported"}:
        return "not checked"
    for kind in ("erratum", "drifted"):
        if kind in kinds:
            return kind
    return "confirmed" if "agree" in outcomes else "known defect"

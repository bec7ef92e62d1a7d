"""The documents' claims and what the records say of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lossproof.judging.record import Record
from lossproof.reporting.digest import FAILING


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
    titles = {record.case: record.title for record in records}
    findings = {tuple(sorted(record.finding.items())): record.finding for record in records if record.finding}
    return {
        "claim": name,
        "places": list(dict.fromkeys(record.source.get("place", "") for record in records if record.source)),
        "verdict": _verdict(records),
        "by": sorted({record.subject for record in records if record.outcome in FAILING}),
        "cases": [{"case": case, "title": title} for case, title in titles.items()],
        "findings": list(findings.values()),
        "messages": list(dict.fromkeys(r.message for r in records if r.message and _on_print(r))),
    }


def _on_print(record: Record) -> bool:
    return record.quantity.partition(":")[0] in ("printed", "erratum")


def _verdict(records: list[Record]) -> str:
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

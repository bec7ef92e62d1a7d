"""What the records come to: counts, the verdict, the table of losses and subjects, failures, lost digits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lossproof.judging.record import OUTCOMES, Record, Run
from lossproof.reporting.text import count

FAILING = ("disagree", "error")
# What a group of checks is called by: the first of these that any of its checks has.
_GRAVITY = ("disagree", "error", "known defect", "overflowed", "agree", "unsupported")


@dataclass(frozen=True)
class Verdict:
    """Whether everything conforms, and that in one sentence."""

    conforms: bool
    sentence: str


def outcome_counts(records: Iterable[Record]) -> dict[str, int]:
    """Return how many records have each outcome, in the order of OUTCOMES."""
    counts = Counter(record.outcome for record in records)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def gravest(outcomes: Iterable[str]) -> str:
    """Return the outcome that a group of checks is called by."""
    return min(outcomes, key=_GRAVITY.index)


def budget_share(record: Record) -> float | None:
    """Return the share of its budget that a check used; None also where its excess is only a grade."""
    share = record.error_over_budget
    return None if record.outcome == "agree" and share is not None and share > 1 else share


def largest_share(records: Iterable[Record]) -> float | None:
    """Return the largest share of the budget among these records, a NaN above all; None without any."""
    shares = [share for record in records if (share := budget_share(record)) is not None]
    return max(shares, key=lambda share: (share != share, share), default=None)


def verdict(run: Run, records: Sequence[Record]) -> Verdict:
    """Return the verdict on a run: it conforms when something agrees, nothing fails, and the run is sound."""
    counts = outcome_counts(records)
    ran = sum(counts.values()) - counts["unsupported"]
    if not ran:
        return Verdict(False, "Nothing was checked.")
    if failed := " and ".join(_failing(counts)):
        return Verdict(False, f"Not everything conforms: of {count(ran, 'check')}, {failed}.")
    cases = len({record.case for record in records if record.outcome == "agree"})
    verb = "agrees" if counts["agree"] == 1 else "agree"
    agreed = f"{count(counts['agree'], 'check')} of {count(cases, 'case')} {verb}"
    if run.problems or not run.complete:
        return Verdict(False, f"No check fails, but the run does not count as passed: {agreed}.")
    if known := counts["known defect"]:
        verb = "shows" if known == 1 else "show"
        shown = f"{count(known, 'check')} {verb} what is known to be wrong"
        return Verdict(True, f"Everything conforms but for known defects: {agreed}, {shown}.")
    return Verdict(True, f"Everything conforms: {agreed}.")


def _failing(counts: dict[str, int]) -> list[str]:
    verbs = {"disagree": ("disagrees", "disagree"), "error": ("ends in an error", "end in an error")}
    return [
        f"{counts[outcome]:,} {one if counts[outcome] == 1 else more}"
        for outcome, (one, more) in verbs.items()
        if counts[outcome]
    ]


def matrix(records: Sequence[Record]) -> dict[str, Any]:
    """Return the table loss x subject: in each cell, by dtype, the outcome, its count, the largest share."""
    groups: dict[tuple[str, str], dict[str, list[Record]]] = {}
    for record in records:
        groups.setdefault((record.loss, record.subject), {}).setdefault(record.dtype, []).append(record)
    checks = Counter(record.subject for record in records)
    # A full column comes before a sparse one.
    subjects = sorted(checks, key=lambda subject: (-checks[subject], subject))
    return {
        "subjects": subjects,
        "losses": [
            {"loss": loss, "cells": [_cell(groups.get((loss, subject), {})) for subject in subjects]}
            for loss in sorted({loss for loss, _ in groups})
        ],
    }


def _cell(by_dtype: dict[str, list[Record]]) -> list[dict[str, Any]]:
    cell = []
    for dtype in sorted(by_dtype):
        outcome = gravest(record.outcome for record in by_dtype[dtype])
        # The share of a known defect is shown with the defect; here it would hide what the rest uses.
        judged = [record for record in by_dtype[dtype] if record.outcome != "known defect"]
        cell.append(
            {
                "dtype": dtype,
                "outcome": outcome,
                "count": sum(record.outcome == outcome for record in by_dtype[dtype]),
                "total": len(by_dtype[dtype]),
                "share": largest_share(judged),
            }
        )
    return cell


def failures(records: Sequence[Record]) -> list[list[int]]:
    """Return the places of the failing records, grouped by case and subject, in the order of the run."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, record in enumerate(records):
        if record.outcome in FAILING:
            groups.setdefault((record.case, record.subject), []).append(place)
    return list(groups.values())


def lost_digits(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the cases known to lose digits within budget, with the largest share by subject and dtype."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.loses_digits and record.outcome != "unsupported":
            groups.setdefault(record.case, []).append(record)
    return [
        {
            "case": case,
            "title": group[0].title,
            "loss": group[0].loss,
            "uses": [
                {"subject": subject, "dtype": dtype, "share": largest_share(_of(group, subject, dtype))}
                for subject, dtype in sorted({(record.subject, record.dtype) for record in group})
            ],
            "messages": list(dict.fromkeys(record.message for record in group if record.message)),
        }
        for case, group in groups.items()
    ]


def _of(records: Iterable[Record], subject: str, dtype: str) -> list[Record]:
    return [record for record in records if record.subject == subject and record.dtype == dtype]

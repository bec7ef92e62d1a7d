"""Collects what explains a case to a learner: its numbers, the worked steps, the curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.groups import grouped
from lossproof.reporting.text import cut

_OF_A_CALL = ("params", "steps")


def explanations(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return, by case, its inputs and params, its curve, the formula, and the worked steps of its calls.

    ``calls`` holds the steps and the params by reduction, empty where none was passed. ``reduction`` is the
    most instructive: that of an erratum, else the mean or the first of the printed ones, else the mean, else
    the first that ran.
    """
    by_case: dict[str, dict[str, Any]] = {}
    calls_with_steps: dict[str, list[Record]] = {}
    for record in records:
        if record.detail is None:
            continue
        case = by_case.setdefault(record.case, {})
        for name in ("inputs", "params"):
            if record.detail.get(name):
                case.setdefault(name, cut(record.detail[name]))
        if "curve" in record.detail:
            case.setdefault("curve", record.detail["curve"] | {"subject": record.subject})
        if "steps" in record.detail:
            calls_with_steps.setdefault(record.case, []).append(record)
    preferences = _preferences(records)
    for name, calls in calls_with_steps.items():
        by_case[name] |= _steps(calls, preferences.get(name, ["mean"]))
    return {name: case for name, case in by_case.items() if case}


def shown_defects(records: Sequence[Record]) -> list[int]:
    """Return the places of the known defects that have a detail: the first of each test."""
    return [
        place
        for place, record in enumerate(records)
        if record.outcome == Outcome.KNOWN_DEFECT and record.detail is not None
    ]


def _preferences(records: Iterable[Record]) -> dict[str, list[str | None]]:
    """The reductions of the printed numbers of each case, the most instructive first."""

    def rank(record: Record) -> tuple[bool, bool]:
        return record.quantity.kind != "erratum", record.reduction != "mean"

    printed = (record for record in records if record.quantity.kind in ("printed", "erratum"))
    by_case = grouped(printed, attrgetter("case"))
    return {case: [one.reduction for one in sorted(group, key=rank)] for case, group in by_case.items()}


def _steps(calls: Sequence[Record], preferred: Sequence[str | None]) -> dict[str, Any]:
    """What explains a case whose calls have steps; of each reduction, preferably those of one that agrees."""
    by_reduction = {
        reduction: min(group, key=lambda record: record.outcome != Outcome.AGREE)
        for reduction, group in grouped(calls, attrgetter("reduction")).items()
    }
    order = [*(one for one in preferred if one in by_reduction), *by_reduction]
    best = by_reduction[order[0]]
    return _texts(best, ("inputs", "params", "formula")) | {
        "reduction": best.reduction or "",
        "calls": {
            reduction or "": {"dtype": record.dtype, **_texts(record, _OF_A_CALL)}
            for reduction, record in by_reduction.items()
        },
    }


def _texts(record: Record, names: Iterable[str]) -> dict[str, str]:
    detail = record.detail or {}
    return {name: cut(detail[name]) for name in names if detail.get(name)}

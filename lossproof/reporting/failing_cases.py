"""What the page shows of failures: by loss, a card for each case, whose subjects share a line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.records.outcome import FAILING, GRAVEST_FIRST, Outcome
from lossproof.records.record import Record
from lossproof.reporting.columns import rounded_share
from lossproof.reporting.digest import budget_share, failing_cases, largest_share
from lossproof.reporting.groups import grouped
from lossproof.reporting.in_common import failures_by_loss, in_common, is_of_one_call
from lossproof.reporting.off_by import elements_of, shared_error

_DRAWN_CASES = 200
_CHECKS_A_CASE = 6


def failing_cases_data(records: Sequence[Record]) -> dict[str, Any]:
    """Return ``{checks, cases, losses}``; a loss has ``{loss, common, error, checks, cases, shown}``.

    ``common`` says what its failing checks share, and ``error`` whether that is a difference or a factor.
    ``shown`` are its cases, the most typical first, of no more than 200 of all losses together, each
    ``{checks, outcomes, subjects, dtypes, layouts, share, rows}``: ``share`` is the largest of the budget,
    and ``rows`` holds the most typical checks of the case, each as a list of places: one for each subject
    that fails it alike.
    """
    places = {id(record): place for place, record in enumerate(records) if record.outcome in FAILING}
    losses = failures_by_loss(records)
    most = max(1, _DRAWN_CASES // max(1, len(losses)))
    data = [_loss(loss, failing, others, places, most) for loss, failing, others in losses]
    return {
        "checks": sum(one["checks"] for one in data),
        "cases": sum(one["cases"] for one in data),
        "losses": data,
    }


def worst_cases(records: Iterable[Record], most: int) -> list[list[Record]]:
    """The failing checks of each of the worst cases: the gravest outcome first, then the largest error."""
    ordered = [sorted(group, key=_gravity) for group in failing_cases(records).values()]
    return sorted(ordered, key=lambda group: _gravity(group[0]))[:most]


def _gravity(record: Record) -> tuple[int, float]:
    share = budget_share(record)
    return GRAVEST_FIRST.index(record.outcome), -math.inf if share is None or share != share else -share


def _loss(
    loss: str,
    failing: Sequence[Record],
    others: Sequence[Record],
    places: Mapping[int, int],
    most: int,
) -> dict[str, Any]:
    by_case = grouped(failing, lambda record: record.case).values()
    cases = sorted(by_case, key=lambda group: (-len(group), min(map(_strangeness, group))))
    error = shared_error(failing)
    return {
        "loss": loss,
        "common": in_common(failing, others),
        "error": error.kind if error else "",
        "checks": len(failing),
        "cases": len(cases),
        "shown": [_case(group, places) for group in cases[:most]],
    }


def _strangeness(record: Record) -> float:
    """Few numbers of one call are the easiest to read; comparisons, and what shows no number, come last."""
    has_numbers = is_of_one_call(record) and elements_of(record)
    return len(elements_of(record)) if has_numbers else math.inf


def _case(failing: Sequence[Record], places: Mapping[int, int]) -> dict[str, Any]:
    in_order = sorted(failing, key=lambda record: math.isinf(_strangeness(record)))
    alike = grouped(in_order, _apart_from_its_subject).values()
    return {
        "checks": len(failing),
        "outcomes": _counts(failing),
        "subjects": list(dict.fromkeys(record.subject_name for record in failing)),
        "dtypes": list(dict.fromkeys(record.dtype_name for record in failing)),
        "layouts": list(dict.fromkeys(record.layout for record in failing)),
        "share": rounded_share(largest_share(failing)),
        "rows": [[places[id(record)] for record in group] for group in alike][:_CHECKS_A_CASE],
    }


def _apart_from_its_subject(record: Record) -> tuple[str | None, ...]:
    return (
        record.outcome,
        record.dtype,
        record.layout,
        record.reduction,
        record.quantity,
        record.message,
    )


def _counts(failing: Sequence[Record]) -> dict[str, int]:
    by_outcome = grouped(failing, lambda record: record.outcome)
    return {outcome.value: len(by_outcome[outcome]) for outcome in Outcome if outcome in by_outcome}

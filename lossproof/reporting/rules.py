"""Counts the checks that passed by a rule, and the results that overflowed where the formula does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.groups import by_outcome, remembered

# The meaning of each rule, in the order of the reports.
RULES: Mapping[str, str] = {
    "kink": (
        "The formula has a kink here, and rounding may put the input on either side of it: the derivative of "
        "either side passes."
    ),
    "tie": (
        "Several elements tie for the largest, or lie closer together than rounding can tell: the gradient "
        "may go to any of them."
    ),
    "grade": (
        "A second derivative is off by more than its budget, which bounds no cancellation here: it fails "
        "only if it is also off by a thousandth of its value. Its excess is told as a grade."
    ),
    "unbounded": (
        "No finite bound on the error of an honest computation is known here, so that no finite number could "
        "be held against it."
    ),
    "convention": (
        "The gradient is by torch's convention another function than the derivative of the formula, and was "
        "held against that; a derivative in forward mode may be either."
    ),
}


@remembered
def passed_by_rule(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the rules that any check passed by: ``{rule, means, total, by}``.

    ``by`` lists ``{loss, dtype, count}``, by loss and dtype. ``overflowed`` counts the results that
    overflowed.
    """
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for record in records:
        if record.rule and record.outcome != Outcome.OVERFLOWED:
            counts.setdefault(record.rule, Counter())[record.loss, record.dtype_name] += 1
    return [
        {"rule": rule, "means": RULES.get(rule, ""), "total": counts[rule].total(), "by": _by(counts[rule])}
        for rule in [*RULES, *sorted(set(counts) - set(RULES))]
        if rule in counts
    ]


def overflowed(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return ``{loss, dtype, count}`` of the results that overflowed, by loss and dtype."""
    overflows = by_outcome(records).get(Outcome.OVERFLOWED, ())
    return _by(Counter((one.loss, one.dtype_name) for one in overflows))


def _by(counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"loss": loss, "dtype": dtype, "count": counts[loss, dtype]} for loss, dtype in sorted(counts)]

"""The table of losses and subjects: a summary of each group of checks that claims no more than ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import NO_DTYPE, Record
from lossproof.reporting.digest import COUNTED, largest_share
from lossproof.reporting.groups import by_outcome, grouped, remembered

CONFORMS, PARTLY, NOTHING = "conforms", "partly", "nothing to run"
# The state of a cell is the first of these that holds for any of its checks, or for any of its parts.
STATES = (*COUNTED, PARTLY, CONFORMS, NOTHING)
# The kinds that count calls (gradients belong to the same call), and those of cases without calls.
_CALLS = ("value",)
_CLAIMS = ("printed", "erratum", "module")


@dataclass(frozen=True)
class Cell:
    """A summary of the checks of a loss on a subject, in one dtype or in all.

    Attributes:
        state: one of STATES. A cell conforms if every call ran and its value agrees; refusals and warnings
            alone say nothing about the numbers.
        checks: the number of checks.
        ran, calls: the number of calls that gave a value, and of all calls.
        share: the largest share of the budget used, except by known defects; None if nothing was measured.
        counts: the number of checks with each outcome of COUNTED that occurs.
    """

    state: str
    checks: int
    ran: int
    calls: int
    share: float | None
    counts: dict[str, int]


def cell(records: Sequence[Record]) -> Cell:
    """The summary of some checks."""
    outcomes = Counter(map(attrgetter("outcome"), records))
    counts = {outcome: outcomes[outcome] for outcome in COUNTED if outcomes[outcome]}
    calls = _of_kinds(records, _CALLS) or _of_kinds(records, _CLAIMS)
    ran = [record for record in calls if record.outcome != Outcome.UNSUPPORTED]
    if counts:
        state = next(iter(counts))
    elif not ran:
        state = NOTHING
    else:
        state = CONFORMS if len(ran) == len(calls) else PARTLY
    # The share of a known defect is shown with the defect; here it would hide the shares of the rest.
    share = largest_share(record for record in records if record.outcome != Outcome.KNOWN_DEFECT)
    return Cell(state, len(records), len(ran), len(calls), share, counts)


def _of_kinds(records: Sequence[Record], kinds: Sequence[str]) -> list[Record]:
    quantities = {one for one in set(map(attrgetter("quantity"), records)) if one.kind in kinds}
    return [record for record in records if record.quantity in quantities]


def join(by_dtype: Mapping[str, Cell]) -> Cell:
    """The cells of several dtypes as one: the gravest state, the largest share, all counts.

    Claims about modules, which have no dtype, are left out if the subject has no modules.
    """
    counting = [part for dtype, part in by_dtype.items() if dtype != NO_DTYPE or part.state != NOTHING]
    cells = counting or list(by_dtype.values())
    states = {part.state for part in cells}
    state = min(states, key=STATES.index)
    if state == CONFORMS and NOTHING in states:
        state = PARTLY
    counts: Counter[str] = Counter()
    for part in cells:
        counts.update(part.counts)
    shares = [part.share for part in cells if part.share is not None]
    return Cell(
        state,
        sum(part.checks for part in cells),
        sum(part.ran for part in cells),
        sum(part.calls for part in cells),
        max(shares, key=lambda share: (share != share, share), default=None),
        {outcome: counts[outcome] for outcome in COUNTED if counts[outcome]},
    )


@remembered
def cells_of(records: Iterable[Record]) -> Mapping[tuple[str, str], Mapping[str, Cell]]:
    """The cells of each loss and subject, by sorted dtype."""
    cells: dict[tuple[str, str], dict[str, Cell]] = {}
    groups = grouped(records, attrgetter("loss", "subject_name", "dtype_name"))
    for loss, subject, dtype in sorted(groups):
        cells.setdefault((loss, subject), {})[dtype] = cell(groups[loss, subject, dtype])
    return cells


def matrix(records: Sequence[Record]) -> dict[str, Any]:
    """The table of losses by subjects as plain data, each entry a list of cells by dtype.

    A loss also has the number of its checks that ``ran``, and of those that ``passed``.
    """
    cells = cells_of(records)
    checks: Counter[str] = Counter()
    for (_, subject), by_dtype in cells.items():
        checks[subject] += sum(part.checks for part in by_dtype.values())
    passed, ran = _passed_and_ran(records)
    # A full column comes before a sparse one.
    subjects = sorted(checks, key=lambda subject: (-checks[subject], subject))
    return {
        "subjects": subjects,
        "losses": [
            {
                "loss": loss,
                "cells": [_cell_data(cells.get((loss, subject), {})) for subject in subjects],
                "passed": passed[loss],
                "ran": ran[loss],
            }
            for loss in sorted({loss for loss, _ in cells})
        ],
    }


def _passed_and_ran(records: Iterable[Record]) -> tuple[Counter[str], Counter[str]]:
    """How many checks of each loss passed, and how many ran."""
    passed: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    for outcome, group in by_outcome(records).items():
        losses = Counter(map(attrgetter("loss"), group))
        if outcome.is_passing:
            passed += losses
        if outcome != Outcome.UNSUPPORTED:
            ran += losses
    return passed, ran


def _cell_data(by_dtype: Mapping[str, Cell]) -> list[dict[str, Any]]:
    return [{"dtype": dtype} | vars(part) for dtype, part in by_dtype.items()]


def is_result(quantity: Quantity) -> bool:
    """Whether its checks judge the result of a call or a claim, rather than a refusal or a warning."""
    return quantity.kind in (*_CALLS, *_CLAIMS)

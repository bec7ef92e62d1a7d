"""Records as columns: each distinct value once, and one small number per row."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import count
from operator import attrgetter
from typing import Any

from lossproof.records.record import Record
from lossproof.reporting.digest import budget_share

# The names of the columns, each with that of what a record has.
_PER_ROW = {
    **{name: name for name in ("device", "layout", "reduction", "quantity", "outcome", "message", "rule")},
    **{"subject": "subject_name", "dtype": "dtype_name", "case": "case"},
}
_PER_CASE = ("case", "title", "loss", "file", "line", "loses_digits")


def columns(records: Sequence[Record]) -> dict[str, Any]:
    """Return the records by column: ``{name: {table, rows}}``, row i being ``table[rows[i]]``.

    The column ``case`` holds the fields of each case once.
    """
    # To go through so many records takes longer than to look at one more field of each.
    rows = map(attrgetter(*_PER_ROW.values()), records)
    values = dict(zip(_PER_ROW, zip(*rows, strict=True), strict=False))  # none without records
    table: dict[str, Any] = {name: _column(values.get(name, ())) for name in _PER_ROW}
    of_case = {record.case: record for record in records}  # in the order of the column's table
    table["case"]["table"] = list(map(_case, of_case.values()))
    table["share"] = _column(map(rounded_share, map(budget_share, records)))
    return table


def _case(record: Record) -> dict[str, Any]:
    """The fields of a record that describe its case."""
    return {name: getattr(record, name) for name in (*_PER_CASE, "flags", "source")}


def _column(values: Iterable[Hashable]) -> dict[str, Any]:
    places: defaultdict[Hashable, int] = defaultdict(count().__next__)
    rows = list(map(places.__getitem__, values))
    return {"table": list(places), "rows": rows}


def rounded_share(share: float | None) -> float | str | None:
    """A share of the budget as the page gets it: a number of four digits, or inf or nan as a text."""
    if share is None:
        return None
    if not math.isfinite(share):
        return str(share)
    short = float(f"{share:.4g}")
    if short == 1 != share:  # the page must not show it as the whole budget
        return 0.9999 if share < 1 else 1.001
    return short

"""Records as columns: each distinct value once, and one small number per row."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from lossproof.records.record import Record
from lossproof.reporting.digest import budget_share

_PER_ROW = ("device", "layout", "reduction", "quantity", "outcome", "message", "rule")
_PER_CASE = ("case", "title", "loss", "file", "line", "loses_digits")


def columns(records: Sequence[Record]) -> dict[str, Any]:
    """Return the records by column: ``{name: {table, rows}}``, row i being ``table[rows[i]]``.

    The column ``case`` holds the fields of each case once. Shares of the budget are numbers of four digits,
    or the strings inf and nan.
    """
    table: dict[str, Any] = {name: _column(getattr(record, name) for record in records) for name in _PER_ROW}
    table["subject"] = _column(record.subject_name for record in records)
    table["dtype"] = _column(record.dtype_name for record in records)
    table["case"] = _column(map(_key_of_case, records), _case)
    table["share"] = _column(_round_share(budget_share(record)) for record in records)
    return table


def _key_of_case(record: Record) -> tuple[Any, ...]:
    """The fields of a record that describe its case, as a key that equal cases share."""
    source = None if record.source is None else tuple(record.source.items())
    return (*(getattr(record, name) for name in _PER_CASE), tuple(record.flags), source)


def _case(key: tuple[Any, ...]) -> dict[str, Any]:
    *facts, flags, source = key
    source = None if source is None else dict(source)
    return dict(zip(_PER_CASE, facts, strict=True)) | {"flags": flags, "source": source}


def _column(values: Iterable[Any], convert: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    places: dict[Hashable, int] = {}
    rows = [places.setdefault(value, len(places)) for value in values]
    return {"table": [convert(value) for value in places], "rows": rows}


def _round_share(share: float | None) -> float | str | None:
    if share is None:
        return None
    if not math.isfinite(share):
        return str(share)
    short = float(f"{share:.4g}")
    if short == 1 != share:  # the page must not show it as the whole budget
        return 0.9999 if share < 1 else 1.001
    return short

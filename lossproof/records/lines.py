"""Records as lines of JSON.

What all records of a case have in common stands once, in a line of its own, and a line per trial holds its
checks as columns::

    {"case": {"case": "ce-weighted-mean", "title": ..., "loss": "CrossEntropyLoss", "file": ..., ...}}
    {"trial": {"case": "ce-weighted-mean", "subject": "torch.nn", "dtype": "float32", "device": "cpu",
               "checks": {"quantity": ["value", "gradient:input"], "outcome": ["agree", "agree"], ...}}}

A column that has nothing to say of any check of its trial is left out. ``results.jsonl`` consists of such
lines, and records travel in them from process to process, since reading them executes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from operator import attrgetter
from typing import Any

from lossproof.records.record import DEFAULTS, Record

# How a line on a case begins.
CASE_START = '{"case": '
_OF_CASE = ("case", "title", "loss", "file", "line", "source", "finding", "flags", "loses_digits")
_OF_TRIAL = ("case", "subject", "dtype", "device")
_OF_CHECK = tuple(field.name for field in fields(Record) if field.name not in (*_OF_CASE, *_OF_TRIAL))
# What a column that is left out would say of each check.
_SHARE = "error_over_budget"
_UNSTATED: Mapping[str, Any] = {"layout": "contiguous", "reduction": None, _SHARE: None} | {
    name: default for name, default in DEFAULTS.items() if name in _OF_CHECK
}

_encode = json.JSONEncoder(allow_nan=False).encode
_case, _trial, _check = attrgetter(*_OF_CASE), attrgetter(*_OF_TRIAL), attrgetter(*_OF_CHECK)


class LineError(ValueError):
    """A line that ``lines_of`` would not write; the message says what is wrong with it."""


def lines_of(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of records, in order."""
    for case, of_case in groupby(records, _case):
        yield dump({"case": dict(zip(_OF_CASE, case, strict=True))})
        for trial, checks in groupby(of_case, _trial):
            yield dump({"trial": dict(zip(_OF_TRIAL, trial, strict=True), checks=_columns(list(checks)))})


def dump(value: Any) -> str:
    """A line of strict JSON; in ASCII, so that a lone surrogate or a line separator survives every reader."""
    return _encode(value)


class LineReader:
    """Reads lines one after another: what one says of a case holds for the trials after it."""

    def __init__(self) -> None:
        self._case: Mapping[str, Any] = {}

    def rows(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the fields of each check of a parsed line, by name; a line on a case has no checks.

        Raises:
            LineError: ``lines_of`` would not write the line.
        """
        shared, columns = self._parts(line)
        try:
            for check in zip(*columns.values(), strict=True):
                yield shared | dict(zip(columns, check, strict=True))
        except (TypeError, ValueError) as error:
            raise _misfit(error) from error

    def records(self, line: Mapping[str, Any]) -> list[Record]:
        """The records of a parsed line; see ``Record.from_columns`` for what else is raised.

        Raises:
            LineError: ``lines_of`` would not write the line.
        """
        shared, columns = self._parts(line)
        return Record.from_columns(shared, columns) if columns else []

    def _parts(self, line: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Sequence[Any]]]:
        """What all checks of a line share, and their columns; both empty if it is on a case."""
        if isinstance(line.get("case"), dict):
            self._case = line["case"]
            return {}, {}
        trial = line.get("trial")
        columns = trial.get("checks") if isinstance(trial, dict) else None
        if not isinstance(trial, dict) or not isinstance(columns, dict):
            raise LineError("the line should hold a case, or a trial with its checks")
        if trial.get("case") != self._case.get("case"):
            raise LineError("the trial's case should be on a line before it")
        shared = {**_UNSTATED, **self._case, **trial}
        del shared["checks"]
        try:
            shares = [share if share is None else float(share) for share in columns.get(_SHARE, ())]
        except (TypeError, ValueError, OverflowError) as error:
            raise _misfit(error) from error
        return shared, {**columns, _SHARE: shares} if shares else columns


def _misfit(error: Exception) -> LineError:
    return LineError(f"the columns of checks do not fit together ({error})")


def records_in(text: str) -> list[Record]:
    """The records in the lines of ``lines_of``, which must be whole."""
    reader = LineReader()
    return [record for line in text.splitlines() for record in reader.records(json.loads(line))]


def _columns(checks: Sequence[Record]) -> dict[str, list[Any]]:
    columns = dict(zip(_OF_CHECK, map(list, zip(*map(_check, checks), strict=True)), strict=True))
    # JSON has neither infinity nor nan.
    columns[_SHARE] = [
        share if share is None or math.isfinite(share) else str(share) for share in columns[_SHARE]
    ]
    return {
        name: values
        for name, values in columns.items()
        if name not in _UNSTATED or values.count(_UNSTATED[name]) < len(values)
    }

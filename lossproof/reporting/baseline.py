"""Reads an earlier run for a comparison, keeping only the fields that a comparison needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from lossproof.records.record import Run
from lossproof.reporting.files import ReportError
from lossproof.reporting.jsonl import demand_fields, read_rows


class BaselineCheck(NamedTuple):
    """The fields of a ``Record`` that a comparison needs."""

    case: str
    loss: str
    subject: str | None
    dtype: str | None
    device: str
    layout: str
    reduction: str | None
    quantity: str
    outcome: str
    error_over_budget: float | None


class Baseline(NamedTuple):
    """An earlier run and its checks, in order."""

    run: Run
    checks: list[BaselineCheck]


def results_file(path: Path) -> Path:
    """The ``results.jsonl`` that a path names: itself, or the one in a folder of reports."""
    # Not by pathlib, which raises for a name that is too long.
    return path / "results.jsonl" if os.path.isdir(path) else path


def read_baseline(path: Path, passed_over: Mapping[str, int] = MappingProxyType({})) -> Baseline:
    """Read a ``results.jsonl``, or the one in a folder of reports, except for the trials passed over.

    Fields that a comparison does not need may be missing or unknown: the run may be of another version.

    Raises:
        ReportError: the file cannot be read, or is not a ``results.jsonl``.
    """
    rows = read_rows(results_file(path), passed_over)
    place, data = next(rows)
    run = _run(place, data)
    shared: dict[str, str] = {}  # a run repeats a few thousand names a million times
    return Baseline(run, [_check(place, record, shared) for place, record in rows])


def _run(place: str, data: dict[str, Any]) -> Run:
    demand_fields(place, data, {"versions": dict, "options": dict, "complete": bool, "started": str})
    return Run(
        versions={str(package): str(version) for package, version in data["versions"].items()},
        machine={},
        options=data["options"],
        complete=data["complete"],
        problems=[],
        known_defects=[],
        started=data["started"],
        seconds=0.0,
    )


def _check(place: str, record: dict[str, Any], shared: dict[str, str]) -> BaselineCheck:
    values: list[Any] = []
    for name in BaselineCheck._fields[:-1]:
        text = record.get(name)
        if isinstance(text, str):
            text = shared.setdefault(text, text)
        elif text is not None or name not in ("subject", "dtype", "reduction"):
            raise ReportError(f"{place}: the check's {name} is missing or not a text. {_ADVICE}")
        values.append(text)
    return BaselineCheck._make([*values, record["error_over_budget"]])


_ADVICE = "Name the results.jsonl of a run."

"""``results.jsonl``: a line about the run, then a line per record, in strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.digest import outcome_counts
from lossproof.reporting.files import ReportError

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
FIELDS = tuple(field.name for field in fields(Record))


def results_jsonl(run: Run, results: Sequence[TestResult]) -> str:
    """Return the text of ``results.jsonl``; only its first line holds times."""
    lines = [_dump(_strict({"run": _run_object(run, results)}))]
    for result in results:
        lines += [_dump(_record_object(result.id, record)) for record in result.records]
    return "\n".join(lines) + "\n"


def comparison_json(comparison: dict[str, Any]) -> str:
    """Return the text of ``comparison.json``."""
    return _dump(_strict(comparison)) + "\n"


def read_results(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the run and the records of a ``results.jsonl``, with infinite shares as floats.

    Raises:
        ReportError: the file cannot be read, or is not what ``results_jsonl`` writes.
    """
    objects = read_objects(path)
    _, run = next(objects)
    records = []
    for place, record in objects:
        if set(record) != {"test", *FIELDS}:
            odd = ", ".join(sorted(set(record) ^ {"test", *FIELDS}))
            raise ReportError(f"{place}: unknown or missing fields: {odd}. Was it another version's run?")
        if (outcome := record["outcome"]) not in _OUTCOMES:
            raise ReportError(f"{place}: unknown outcome {outcome!r}. Was it another version's run?")
        if record["error_over_budget"] is not None:
            record["error_over_budget"] = float(record["error_over_budget"])
        records.append(record)
    return run, records


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the run and then the records of a ``results.jsonl``, each with its file and line.

    Raises:
        ReportError: the file cannot be read, or is not a ``results.jsonl``.
    """
    try:
        with path.open(encoding="utf-8") as file:
            run = _load(f"{path}:1", next(file, "{}")).get("run")
            if not isinstance(run, dict):
                raise ReportError(
                    f"{path}:1: the first line should describe the run. Name a results.jsonl of a run."
                )
            yield f"{path}:1", run
            for number, line in enumerate(file, start=2):
                place = f"{path}:{number}"
                yield place, _load(place, line)
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}. Name the results.jsonl of a run.") from error


def _run_object(run: Run, results: Sequence[TestResult]) -> dict[str, Any]:
    return {
        "versions": run.versions,
        "tested": run.tested,
        "machine": run.machine,
        "options": run.options,
        "counts": outcome_counts(record for result in results for record in result.records),
        "complete": run.complete,
        "problems": run.problems,
        "known_defects": run.known_defects,
        "documents": run.documents,
        "stand_ins": run.stand_ins,
        "standing": run.standing,
        "news": run.news,
        "started": run.started,
        "seconds": run.seconds,
    }


def _record_object(test: str, record: Record) -> dict[str, Any]:
    fields = {"test": test} | {name: getattr(record, name) for name in FIELDS}
    # The only number of a record: searching all fields would take longer than writing them.
    return fields | {"error_over_budget": _strict(record.error_over_budget)}


def _strict(value: Any) -> Any:
    """Return the value with infinities and NaN as the strings inf, -inf and nan, since JSON lacks them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value


def _dump(value: dict[str, Any]) -> str:
    # In ASCII, a lone surrogate or a line separator in a title survives every reader.
    return json.dumps(value, allow_nan=False)


def _load(place: str, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ReportError(f"{place}: not a line of JSON: {error}. Was the file cut off?") from error
    if not isinstance(value, dict):
        raise ReportError(f"{place}: each line should be an object. Name a results.jsonl of a run.")
    return value

"""``results.jsonl``: a line about the run, then the lines of its records, in strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lossproof.records.lines import CASE_START, LineError, LineReader, dump, lines_of
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.digest import outcome_counts
from lossproof.reporting.files import ReportError
from lossproof.reporting.text import count

_LONGEST_LINE = 1 << 28
_NOTHING: Mapping[str, int] = MappingProxyType({})
_ADVICE = "Was it another version's run?"


def results_jsonl(run: Run, results: Sequence[TestResult]) -> str:
    """Return the text of ``results.jsonl``; only its first line holds times."""
    first = dump({"run": _strict(_run_object(run, results))})
    return "\n".join([first, *_lines_of(results)]) + "\n"


def _lines_of(results: Iterable[TestResult]) -> Iterator[str]:
    """The lines of the records of all results, in order; what several say of a case stands once."""
    case = ""
    for result in results:
        for line in result.lines.splitlines() or lines_of(result.records):
            if line == case:
                continue
            if line.startswith(CASE_START):
                case = line
            yield line


def comparison_json(comparison: dict[str, Any]) -> str:
    """Return the text of ``comparison.json``."""
    return dump(_strict(comparison)) + "\n"


def read_results(path: Path) -> tuple[dict[str, Any], list[Record]]:
    """Return the run and the records of a ``results.jsonl``.

    Raises:
        ReportError: the file cannot be read, or is not what ``results_jsonl`` writes.
    """
    rows = read_rows(path)
    _, run = next(rows)
    return run, [record_of(place, row) for place, row in rows]


def record_of(place: str, row: dict[str, Any]) -> Record:
    """Return the record with the fields of a check.

    Raises:
        ReportError: a field is missing or unknown, or the outcome is.
    """
    try:
        return Record.from_data(row)
    except (TypeError, ValueError) as error:
        raise ReportError(f"{place}: this is no record ({error}). {_ADVICE}") from error


def read_rows(path: Path, passed_over: Mapping[str, int] = _NOTHING) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the run and then the fields of each check of a ``results.jsonl``, each with its file and line.

    Args:
        path: the file.
        passed_over: lines whose checks are left out, each with their number.

    Raises:
        ReportError: the file cannot be read, or is not a whole ``results.jsonl``.
    """
    reader = LineReader()
    lines = _lines(path)
    run = _load(f"{path}:1", next(lines, "{}")).get("run")
    if not isinstance(run, dict):
        raise ReportError(f"{path}:1: the first line should describe the run. Name a results.jsonl of a run.")
    yield f"{path}:1", run
    checks = 0
    for number, line in enumerate(lines, start=2):
        if line in passed_over:
            checks += passed_over[line]
            continue
        place = f"{path}:{number}"
        try:
            for row in reader.rows(_load(place, line)):
                checks += 1
                yield place, row
        except LineError as error:
            raise ReportError(f"{place}: {error}. {_ADVICE}") from error
    counts = run.get("counts")
    stated = [one for one in counts.values() if isinstance(one, int)] if isinstance(counts, dict) else []
    if stated and sum(stated) != checks:
        problem = f"{path} holds {count(checks, 'check')}, but its run made {count(sum(stated), 'check')}."
        raise ReportError(f"{problem} Was the file cut off?")


def demand_fields(place: str, run: Mapping[str, Any], expected: Mapping[str, type]) -> None:
    """Refuse the description of a run that lacks a field, or holds another type there.

    Raises:
        ReportError: the first such field, with its place.
    """
    for name, kind in expected.items():
        if not isinstance(run.get(name), kind):
            problem = f"{place}: the run's {name} is missing or not a {kind.__name__}."
            raise ReportError(f"{problem} Name the results.jsonl of a run.")


def repeated_trials(path: Path, other: Path) -> dict[str, int]:
    """Return the lines of trials that two ``results.jsonl`` share, each with the number of its checks.

    Raises:
        ReportError: a file cannot be read.
    """
    repeated = set(_lines(path)) & set(_lines(other))
    numbers = {}
    for line in repeated:
        # Whatever is no trial gets a complaint when its file is read.
        with suppress(ReportError, KeyError, TypeError):
            numbers[line] = len(_load("", line)["trial"]["checks"]["quantity"])
    return numbers


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file, with their ends.

    Raises:
        ReportError: the file cannot be read, is none, or has a line that no run writes.
    """
    try:
        if path.exists() and not path.is_file():  # nothing may ever come out of a pipe
            raise _unreadable(path, "it is not a file")
        with path.open(encoding="utf-8") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise _unreadable(path, f"it has a line of more than {_LONGEST_LINE} characters")
                yield line
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, problem: object) -> ReportError:
    return ReportError(f"{path} cannot be read: {problem}. Name the results.jsonl of a run.")


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
        "implementations": run.implementations,
        "standing": run.standing,
        "news": run.news,
        "started": run.started,
        "seconds": run.seconds,
    }


def _strict(value: Any) -> Any:
    """Return the value with infinities and NaN as the strings inf, -inf and nan, since JSON lacks them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value


def _load(place: str, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{place}: not a line of JSON: {error}. Was the file cut off?") from error
    if not isinstance(value, dict):
        raise ReportError(f"{place}: each line should be an object. Name a results.jsonl of a run.")
    return value

"""Writes the reports of a run, all or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lossproof.records.record import Run, TestResult
from lossproof.reporting.badge import badge_json
from lossproof.reporting.comparison import Comparison
from lossproof.reporting.files import ReportError, write_whole
from lossproof.reporting.groups import Records
from lossproof.reporting.jsonl import comparison_json, read_results, read_rows, results_jsonl
from lossproof.reporting.junit import junit_xml
from lossproof.reporting.markdown import summary_markdown
from lossproof.reporting.page import report_html

_COMPARISON = "comparison.json"
_FAULTS = "faults.json"
_RESULTS = "results.jsonl"


def write_reports(
    folder: Path,
    run: Run,
    results: Sequence[TestResult],
    comparison: Comparison | None = None,
    history: dict[str, Any] | None = None,
) -> list[Path]:
    """Write all reports, or none.

    They are ``report.html``, ``junit.xml``, ``results.jsonl``, ``summary.md``, ``badge.json``, and
    ``comparison.json`` if there is a comparison; one of an earlier run is removed. Tests come in the order of
    the case files, regardless of the order in which they ran, so that the files of two runs can be compared
    line by line. The page also shows the planted faults, if they have been tried, and the table of releases,
    if there is one.

    Raises:
        ReportError: the folder cannot be written to; the earlier reports are unchanged.
    """
    ordered = sorted(results, key=lambda result: (result.file, result.line, result.id))
    records = Records(record for result in ordered for record in result.records)
    comparison_data = comparison.data() if comparison else None
    return write_whole(
        folder,
        {
            "report.html": report_html(run, records, _read_data(folder / _FAULTS), comparison_data, history),
            "junit.xml": junit_xml(run, ordered),
            _RESULTS: results_jsonl(run, ordered),
            "summary.md": summary_markdown(run, records, comparison),
            "badge.json": badge_json(run, records),
            _COMPARISON: None if comparison_data is None else comparison_json(comparison_data),
        },
    )


def write_faults(folder: Path, text: str, history: dict[str, Any] | None = None) -> list[Path]:
    """Write ``faults.json``, and rewrite the page of the last run, if there is one.

    Raises:
        ReportError: the folder cannot be written to, or its ``results.jsonl`` cannot be read.
    """
    texts = {_FAULTS: text}
    if (run := last_run(folder)) is not None:
        records = Records(read_results(folder / _RESULTS)[1])
        comparison = _read_data(folder / _COMPARISON)
        texts["report.html"] = report_html(run, records, json.loads(text), comparison, history)
    return write_whole(folder, texts)


def last_run(folder: Path) -> Run | None:
    """The run whose reports a folder holds, if there is one.

    Raises:
        ReportError: its ``results.jsonl`` cannot be read, or an older lossproof wrote it.
    """
    path = folder / _RESULTS
    if not path.exists():
        return None
    place, data = next(read_rows(path))
    missing = [field.name for field in fields(Run) if field.name not in data]
    if missing:
        problem = f"{place}: the run lacks {', '.join(missing)}: another version of lossproof wrote it."
        raise ReportError(f"{problem} Run 'lossproof verify' again, or name another folder of reports.")
    return Run(**{field.name: data[field.name] for field in fields(Run)})


def _read_data(path: Path) -> dict[str, Any] | None:
    """The data that another command left for the page; an unreadable file must not cost a run its reports."""
    if not path.is_file():  # a pipe would keep the run waiting
        return None
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data

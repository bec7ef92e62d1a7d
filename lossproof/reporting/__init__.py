"""The reports of a run: pure functions of its records, and the one place that writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lossproof.judging.record import Record, Run, TestResult
from lossproof.reporting.files import ReportError, write_whole
from lossproof.reporting.jsonl import read_results, results_jsonl
from lossproof.reporting.junit import junit_xml
from lossproof.reporting.page import report_html
from lossproof.reporting.summary import summary_lines

__all__ = ["ReportError", "read_results", "summary_lines", "write_faults", "write_reports"]

_FAULTS = "faults.json"


def write_reports(folder: Path, run: Run, results: Sequence[TestResult]) -> list[Path]:
    """Write ``report.html``, ``junit.xml`` and ``results.jsonl``, all of them or none.

    The tests come in the order of the case files whatever order they ran in, so that the files of two
    runs can be compared line by line. The page shows the planted faults as well, where they have been tried.

    Raises:
        ReportError: the folder cannot be written to; the earlier reports are as they were.
    """
    ordered = sorted(results, key=lambda result: (result.file, result.line, result.id))
    records = [record for result in ordered for record in result.records]
    return write_whole(
        folder,
        {
            "report.html": report_html(run, records, _faults(folder)),
            "junit.xml": junit_xml(run, ordered),
            "results.jsonl": results_jsonl(run, ordered),
        },
    )


def write_faults(folder: Path, text: str) -> list[Path]:
    """Write ``faults.json``, and the page of the last run anew, where there is one.

    Raises:
        ReportError: the folder cannot be written to, or holds a ``results.jsonl`` that is none.
    """
    texts = {_FAULTS: text}
    if (folder / "results.jsonl").exists():
        told, rows = read_results(folder / "results.jsonl")
        run = Run(**{field.name: told[field.name] for field in fields(Run)})
        records = [Record(**{name: value for name, value in row.items() if name != "test"}) for row in rows]
        texts["report.html"] = report_html(run, records, json.loads(text))
    return write_whole(folder, texts)


def _faults(folder: Path) -> dict[str, Any] | None:
    """What is known of planted faults; a file that cannot be read must not cost a run its reports."""
    try:
        told: dict[str, Any] = json.loads((folder / _FAULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told

"""The reports of a run: pure functions of its records, and the one place that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossproof.judging.record import Run, TestResult
from lossproof.reporting.files import ReportError, write_whole
from lossproof.reporting.jsonl import read_results, results_jsonl
from lossproof.reporting.junit import junit_xml
from lossproof.reporting.page import report_html
from lossproof.reporting.summary import summary_lines

__all__ = ["ReportError", "read_results", "summary_lines", "write_reports"]


def write_reports(folder: Path, run: Run, results: Sequence[TestResult]) -> list[Path]:
    """Write ``report.html``, ``junit.xml`` and ``results.jsonl``, all of them or none.

    The tests come in the order of the case files whatever order they ran in, so that the files of two
    runs can be compared line by line.

    Raises:
        ReportError: the folder cannot be written to; the earlier reports are as they were.
    """
    ordered = sorted(results, key=lambda result: (result.file, result.line, result.id))
    return write_whole(
        folder,
        {
            "report.html": report_html(run, ordered),
            "junit.xml": junit_xml(run, ordered),
            "results.jsonl": results_jsonl(run, ordered),
        },
    )

"""The process that controls a run collects the records of all tests, and writes the reports at the end."""

from __future__ import annotations

import gc
from collections.abc import Generator
from pathlib import Path

import pytest

from lossproof.corpus.garbage import without_garbage_collection
from lossproof.reporting.files import ReportError
from lossproof.reporting.summary import summary_lines
from lossproof.running.changes import Changes
from lossproof.running.collection import RunReports
from lossproof.running.interruption import held_back
from lossproof.running.options import manner_of
from lossproof.running.protocol import ATTACHMENT


class Controller:
    """The part of the plugin that only this process has."""

    def __init__(self, reports: RunReports, changes: Changes) -> None:
        self._reports = reports
        self._changes = changes
        self._paths: list[Path] = []
        self._failure = ""
        self._ending = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the records of a finished test, or the reason why it has none."""
        attachment = getattr(report, ATTACHMENT, None)
        if attachment is not None:
            delattr(report, ATTACHMENT)  # pytest keeps its reports to the end
            self._reports.add(report.nodeid, report.duration, **attachment)
            # Records live to the end: a garbage collector would visit each of them again and again.
            gc.freeze()
        elif report.failed:
            self._reports.add_crash(report.nodeid, report.duration, report.longreprtext)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        """Write the reports before anything else may fail or be interrupted."""
        if self._reports.is_wanted(session.config.args):
            with held_back() as received:
                self._finish(session, exitstatus)
            if received:
                session.exitstatus = 128 + received[0]
                self._ending = f"{received[0].name} came while the reports were written"
        return (yield)

    @without_garbage_collection()
    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and fail the run for problems that no single test could notice."""
        is_stopped = bool(session.shouldstop or session.shouldfail)
        complete = exitstatus in (0, 1, 5) and not is_stopped
        self._changes.keep(*self._reports.passed_and_failed())
        problems = self._reports.finish(complete)
        try:
            self._paths = self._reports.write()
        except ReportError as error:
            self._failure = str(error)
        if (problems or self._failure) and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @without_garbage_collection()
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the last lines of the run."""
        if self._paths or self._failure:
            terminalreporter.write_sep("=", "lossproof")
            reports = self._reports
            again = manner_of(terminalreporter.config.option)
            for line in summary_lines(reports.run, reports.results, self._paths, reports.comparison, again):
                terminalreporter.write_line(line)
        if self._failure:
            terminalreporter.write_line(f"no reports: {self._failure}", red=True)
        if self._ending:
            terminalreporter.write_line(f"interrupted: {self._ending}", red=True)

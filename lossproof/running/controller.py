"""The process that controls a run collects the records of all tests, and writes the reports at the end."""

from __future__ import annotations

import gc
import signal
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from lossproof.reporting.files import ReportError
from lossproof.reporting.summary import summary_lines
from lossproof.running.changes import Changes
from lossproof.running.collection import RunReports

# The attribute of a test and of its report that holds what ``RunReports.add`` takes.
ATTACHMENT = "lossproof_records"


class Controller:
    """The part of the plugin that only this process has."""

    def __init__(self, reports: RunReports, changes: Changes) -> None:
        self._reports = reports
        self._changes = changes
        self._paths: list[Path] = []
        self._failure = ""

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

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and fail the run for problems that no single test could notice."""
        if not self._reports.is_wanted(session.config.args):
            return
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

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the last lines of the run."""
        if self._paths or self._failure:
            terminalreporter.write_sep("=", "lossproof")
            reports = self._reports
            for line in summary_lines(reports.run, reports.results, self._paths, reports.comparison):
                terminalreporter.write_line(line)
        if self._failure:
            terminalreporter.write_line(f"no reports: {self._failure}", red=True)


def report_when_terminated(config: pytest.Config) -> None:
    """Write the reports of what has run so far if the run is terminated, as with Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        return  # in Python, only the main thread receives signals

    def end(number: int, frame: object) -> NoReturn:
        pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)

    previous = signal.signal(signal.SIGTERM, end)

    def restore() -> None:
        signal.signal(signal.SIGTERM, previous)

    config.add_cleanup(restore)

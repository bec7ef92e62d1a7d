"""``verify``: the suite, as a run of pytest."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Sequence
from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lossproof.command_line.corpus import ROOT
from lossproof.command_line.terminal import Mistake

_HARNESS = ROOT / "tests" / "test_conformance.py"
_QUIET = -1
_SECONDS_BETWEEN = 0.1

# 0: everything conforms; 1: something disagrees, errs or did not run; 2: a mistake in a case or an option.
_STATUS = {
    pytest.ExitCode.OK: 0,
    pytest.ExitCode.TESTS_FAILED: 1,
    pytest.ExitCode.NO_TESTS_COLLECTED: 1,
    pytest.ExitCode.USAGE_ERROR: 2,
    pytest.ExitCode.INTERRUPTED: 130,
}


def verify(options: Sequence[str]) -> int:
    """Run the harness with pytest's options, and return the exit status."""
    if not _HARNESS.exists():
        raise Mistake(
            f"there is no {_HARNESS}; run lossproof from a checkout, installed with 'pip install -e .'"
        )
    # Capturing log messages costs a tenth of the run, and so does Hypothesis; the harness uses neither.
    without_plugins = ("-p", "no:logging", "-p", "no:hypothesispytest")
    arguments = [str(_HARNESS), "-q", *without_plugins, *options]
    if not sys.stdout.isatty():
        return _status(pytest.main(arguments))
    # pytest captures standard output while tests run, so the bar writes to a duplicate of it.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding=sys.stdout.encoding) as stream:
        return _status(pytest.main(arguments, plugins=[ProgressBar(stream)]))


def _status(status: int | pytest.ExitCode) -> int:
    # A run that a signal ended has the status that shells expect, which is not one of pytest's.
    return int(status) if status > 128 else _STATUS.get(pytest.ExitCode(status), 1)


class ProgressBar:
    """A progress bar instead of pytest's dots, unless an option asks pytest for more output."""

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        # Without a thread that draws it, since the harness forks processes.
        self._progress = Progress(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._progress.add_task("trials", total=None)
        self._failed = 0
        self._drawn = 0.0

    def pytest_configure(self, config: pytest.Config) -> None:
        """Step aside if an option asks pytest for more output."""
        options = config.option
        if options.verbose != _QUIET or options.capture == "no" or options.usepdb or options.trace:
            config.pluginmanager.unregister(self)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin, if this process runs the tests itself."""
        self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        """Begin, if workers run the tests."""
        self._begin(len(ids))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self,
    ) -> Generator[None, tuple[str, object, object], tuple[str, object, object]]:
        """Count a test as usual, but print no letter for it."""
        category, _, _ = yield
        return category, "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Advance by one test."""
        self._failed += report.failed
        if report.when == "teardown":
            self._progress.advance(self._task)
        if time.monotonic() - self._drawn > _SECONDS_BETWEEN:
            wrong = f", {self._failed} failed" if self._failed else ""
            self._progress.update(self._task, description=f"trials{wrong}")
            self._progress.refresh()
            self._drawn = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Disappear before anything else is printed."""
        self._progress.stop()

    def _begin(self, total: int) -> None:
        if total:
            self._progress.update(self._task, total=total)
            self._progress.start()

"""The progress of a run: one line on a terminal, elsewhere a line every ten percent."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from lossproof.reporting.failure_groups import failure_sentence
from lossproof.reporting.text import count, visible
from lossproof.running.collection import RUN_REPORTS

_QUIET = -1
_SECONDS_BETWEEN = 0.1
_PERCENT_BETWEEN = 10
_MOST_NAMED = 5
_WIDTH = 300


class Progress:
    """Says how far a run is, and names the first cases that fail.

    It steps aside if an option asks pytest for more output.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._total = self._done = self._failures = 0
        self._named: set[str] = set()

    def begin(self, total: int) -> None:
        """Begin a run of so many trials."""
        self._total = total

    def show(self, done: int, total: int, said: str) -> None:
        """Say that so many trials are done, and what has come of them so far."""
        raise NotImplementedError

    def name(self, failure: str) -> None:
        """Print a line about a failure."""
        raise NotImplementedError

    def end(self) -> None:
        """Disappear before anything else is printed."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Take the place of pytest's letters and of its tracebacks, or step aside."""
        options = config.option
        if options.verbose != _QUIET or options.capture == "no" or options.usepdb or options.trace:
            config.pluginmanager.unregister(self)
            return
        self._config = config
        options.tbstyle, options.reportchars = "no", "N"

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin, if this process runs the tests itself."""
        self.begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        """Begin, if workers run the tests."""
        self.begin(len(ids))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self,
    ) -> Generator[None, tuple[str, object, object], tuple[str, object, object]]:
        """Count a test as usual, but print no letter for it."""
        category, _, _ = yield
        return category, "", ""

    def pytest_runtest_logreport(self) -> None:
        """Name what newly fails."""
        run = self._config.stash[RUN_REPORTS]
        for record in run.failures[self._failures :]:
            if len(self._named) < _MOST_NAMED and record.case not in self._named:
                self._named.add(record.case)
                self.name(visible(failure_sentence(record).replace("\n", " "))[:_WIDTH])
        self._failures = len(run.failures)

    def pytest_runtest_logfinish(self) -> None:
        """Advance by one test."""
        self._done += 1
        checks = self._config.stash[RUN_REPORTS].checks
        self.show(self._done, self._total, f"{count(checks, 'check')}, {count(self._failures, 'failure')}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Make room for the last lines."""
        self.end()


class TerminalLine(Progress):
    """One line that is drawn again and again."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        columns = (
            TaskProgressColumn(),
            BarColumn(20),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
        )
        # Without a thread that draws it, since the harness forks processes.
        self._line = RichProgress(*columns, console=Console(file=stream), transient=True, auto_refresh=False)
        self._task = self._line.add_task("", total=None)
        self._drawn = 0.0

    def begin(self, total: int) -> None:
        """Draw the line for the first time."""
        super().begin(total)
        if total:
            self._line.update(self._task, total=total)
            self._line.start()

    def show(self, done: int, total: int, said: str) -> None:
        """Draw the line, but not too often."""
        self._line.update(self._task, completed=done, description=said)
        if time.monotonic() - self._drawn > _SECONDS_BETWEEN:
            self._line.refresh()
            self._drawn = time.monotonic()

    def name(self, failure: str) -> None:
        """Print a line above."""
        self._line.console.print(failure, markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Remove the line."""
        self._line.stop()


class PlainLines(Progress):
    """A line every ten percent, for logs and pipes."""

    _said = 0

    def show(self, done: int, total: int, said: str) -> None:
        """Print a line if another tenth is done."""
        percent = 100 * done // total if total else 0
        if percent >= self._said + _PERCENT_BETWEEN:
            self._said = percent - percent % _PERCENT_BETWEEN
            self.name(f"{self._said:3} %  {said}")

    def name(self, failure: str) -> None:
        """Print a line."""
        print(failure, file=self.stream, flush=True)

"""Keeps the terminal short if much fails: pytest shows a few tests, and the reports show all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence

import pytest

_TESTS = 20
_SENTENCES = 5


class Brevity:
    """Limits pytest's summary to a few failing trials, from as many cases as possible."""

    def __init__(self, case_of: Callable[[str], str | None]) -> None:
        """Take a function from a node id to the test's case, or to None for a test of another kind."""
        self._case_of = case_of

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """Hide the other failures while the summary is written; pytest still counts them."""
        failed = terminalreporter.stats.get("failed", [])
        if is_verbose(terminalreporter.config) or len(failed) <= _TESTS:
            return (yield)
        terminalreporter.stats["failed"] = self._select(failed)
        try:
            return (yield)
        finally:
            terminalreporter.stats["failed"] = failed

    def _select(self, failed: Sequence[pytest.TestReport]) -> list[pytest.TestReport]:
        of_case: Counter[str] = Counter()
        ranks: list[tuple[int, int]] = []
        for place, report in enumerate(failed):
            case = self._case_of(report.nodeid)
            if case is None:
                ranks.append((0, place))
                continue
            of_case[case] += 1
            ranks.append((of_case[case], place))
        return [failed[place] for place in sorted(place for _, place in sorted(ranks)[:_TESTS])]


def is_verbose(config: pytest.Config) -> bool:
    """Whether pytest was asked to be verbose."""
    return bool(config.getoption("verbose") > 0)


def shorten(sentences: Sequence[str]) -> list[str]:
    """The first sentences about a test, and how many more there are."""
    more = len(sentences) - _SENTENCES
    return list(sentences) if more <= 0 else [*sentences[:_SENTENCES], f"and {more:,} more: see the report"]

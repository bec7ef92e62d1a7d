"""The harness: one test for each case, subject and dtype of the corpus, and one that it can fail."""

from __future__ import annotations

from collections.abc import Callable

from lossproof.running.plugin import Examine, PlannedTrial


def test_case(trial: PlannedTrial, examine: Examine) -> None:
    examine(trial)


def test_sentinel(examine_sentinel: Callable[[], None]) -> None:
    examine_sentinel()

"""The harness: one test for each case, subject and dtype of the corpus, and one that it can fail."""

from __future__ import annotations

from collections.abc import Callable

from lossproof.running.plugin import Examine, PlannedTrial


def test_case(trial: PlannedTrial, examine: Examine) -> None:
    """Every check of a trial is as it should be."""
    examine(trial)


def test_sentinel(examine_sentinel: Callable[[], None]) -> None:
    """A fault that is planted on purpose is caught."""
    examine_sentinel()

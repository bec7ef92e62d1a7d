"""The harness: one test for each case, subject and dtype of the corpus."""

from __future__ import annotations

from lossproof.plugin import Check, Examine


def test_case(check: Check, examine: Examine) -> None:
    examine(check)

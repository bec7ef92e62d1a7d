"""A kind of check: when it applies to a call of a case, and what it finds there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from lossproof.checks.question import Question
from lossproof.records.record import Record


class Kind(Protocol):
    """A kind of check: one file of this folder, one line in ``KINDS``."""

    def applies(self, question: Question) -> bool:
        """Whether this kind has anything to check."""
        ...

    def examine(self, question: Question) -> Iterator[Record]:
        """Make the checks.

        Raises:
            Unsupported: if the subject has no such function or kernel; this ends the examination of the
                reduction.
        """
        ...

"""The kinds of checks: the table of contents of the suite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from lossproof.checks.bias import Bias
from lossproof.checks.identities import Identities
from lossproof.checks.modes.examining import Modes, Ways
from lossproof.checks.module_claims import ModuleClaims
from lossproof.checks.question import Question
from lossproof.checks.refusals import Refusals
from lossproof.checks.repeats import Repeats
from lossproof.checks.unchanged import Unchanged
from lossproof.checks.values import Values
from lossproof.checks.warnings import Warnings
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


# Each call of a case meets them in this order.
KINDS: tuple[Kind, ...] = (
    ModuleClaims(),
    Refusals(),
    Repeats(),
    Values(),
    Unchanged(),
    Warnings(),
    Bias(),
    Identities(),
    Modes(),
    Ways(),
)

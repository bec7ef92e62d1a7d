"""A call must leave what it is given as it was."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging import details
from lossproof.judging.verdict import Verdict
from lossproof.records.record import Record


class Unchanged:
    """No tensor of the call holds other numbers afterwards."""

    def applies(self, question: Question) -> bool:
        """Every call with an answer."""
        return question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, changed = question.trial, question.answer.changed
        message = f"the call changed its input: {', '.join(changed)}" if changed else ""
        verdict = Verdict(not changed, None, message, came_out=changed)
        detail = partial(details.of_change, trial.subject.programs, question.call)
        yield trial.judged("unchanged", verdict, question.reduction, question.layout, detail)

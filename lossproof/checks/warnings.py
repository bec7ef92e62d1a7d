"""A call that must warn: whether it does, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging import details
from lossproof.judging.behaviour import judge_warning
from lossproof.records.record import Record


class Warnings:
    """The subject warns of what the case says that it must warn of."""

    def applies(self, question: Question) -> bool:
        """Cases with ``warns:``."""
        return question.trial.case.warns is not None and question.is_contiguous and question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, demanded = question.trial, question.trial.case.warns
        assert demanded is not None
        detail = partial(details.of_warning, trial.subject.programs, question.call, demanded)
        verdict = judge_warning(question.answer.warnings, demanded)
        yield trial.judged("warns", verdict, question.reduction, detail=detail)

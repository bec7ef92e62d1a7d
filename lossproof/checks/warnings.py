"""A call that must warn: whether it does, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from lossproof.checks.question import Question
from lossproof.corpus.case import Raised
from lossproof.judging.details import describe
from lossproof.judging.verdict import Verdict
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, SeenWarning
from lossproof.subjects.program import Programs, indented


class Warnings:
    """The subject warns of what the case says that it must warn of."""

    def applies(self, question: Question) -> bool:
        """Cases with ``warns:``."""
        return question.trial.case.warns is not None and question.is_contiguous and question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, demanded = question.trial, question.trial.case.warns
        assert demanded is not None
        shown = partial(detail, trial.subject.programs, question.call, demanded)
        verdict = judge_warning(question.answer.warnings, demanded)
        yield trial.judged("warns", verdict, question.reduction, detail=shown)


def judge_warning(warnings: Sequence[SeenWarning], wanted: Raised) -> Verdict:
    """Whether a subject warned of what it must."""
    found = any(_is_wanted(warning, wanted) for warning in warnings)
    told = "; ".join(f"{warning.types[0]}: {warning.message}" for warning in warnings) or "nothing"
    message = f"warned of {told}; should warn {wanted.type} '{wanted.match}'"
    seen = tuple(warning.types[0] for warning in warnings) or ("nothing",)
    return Verdict(found, None, "" if found else message, came_out=seen)


def _is_wanted(warning: SeenWarning, wanted: Raised) -> bool:
    """A warning of a kind is judged by that alone: its words are the subject's own."""
    if warning.kind is not None:
        return warning.kind == wanted.kind
    return wanted.type in warning.types and bool(re.search(wanted.match, warning.message))


def detail(programs: Programs, call: Call, wanted: Raised) -> Detail:
    """Of a call that did not warn as it must."""
    program = programs.of_call(call)
    demanded = f"should warn {wanted.type} matching '{wanted.match}'"
    is_wanted = (
        f"{wanted.type!r} in [ancestor.__name__ for ancestor in warning.category.__mro__] "
        f"and re.search({wanted.match!r}, str(warning.message))"
    )
    if program.names_kinds:
        demanded = f"should warn with kind {wanted.kind}"
        is_wanted = f"getattr(warning.message, 'kind', None) == {wanted.kind!r}"
    snippet = program.around(
        *program.inputs,
        "with warnings.catch_warnings(record=True) as caught:",
        "    warnings.simplefilter('always')",
        *indented(program.making),
        "print([str(warning.message) for warning in caught])",
        f"assert any({is_wanted} for warning in caught), {demanded!r}",
    )
    return describe(call) | {"snippet": snippet}

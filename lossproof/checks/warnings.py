"""Whether a call that must warn does, with the right warning."""

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
    """The subject issues the warning that the case demands."""

    def applies(self, question: Question) -> bool:
        """Cases with ``warns:``; nobody else has promised to warn as torch does."""
        is_promised = not question.trial.subject.is_foreign
        return (
            is_promised
            and question.trial.case.warns is not None
            and question.is_contiguous
            and question.is_answered
        )

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, expected = question.trial, question.trial.case.warns
        assert expected is not None
        make_detail = partial(detail, trial.subject.programs, question.call, expected)
        verdict = judge_warning(question.answer.warnings, expected)
        yield trial.record_verdict("warns", verdict, question.reduction, detail=make_detail)


def judge_warning(warnings: Sequence[SeenWarning], expected: Raised) -> Verdict:
    """Whether a subject issued the expected warning."""
    is_found = any(_is_expected(warning, expected) for warning in warnings)
    observed = "; ".join(f"{warning.types[0]}: {warning.message}" for warning in warnings) or "nothing"
    message = f"warned of {observed}; should warn {expected.type} '{expected.match}'"
    classes = tuple(warning.types[0] for warning in warnings) or ("nothing",)
    return Verdict(is_found, None, "" if is_found else message, came_out=classes)


def _is_expected(warning: SeenWarning, expected: Raised) -> bool:
    """A warning with a kind is judged by the kind alone: its words are the subject's own."""
    if warning.kind is not None:
        return warning.kind == expected.kind
    return expected.type in warning.types and bool(re.search(expected.match, warning.message))


def detail(programs: Programs, call: Call, expected: Raised) -> Detail:
    """The detail of a call that did not warn as it must."""
    program = programs.of_call(call)
    expectation = f"should warn {expected.type} matching '{expected.match}'"
    is_expected = (
        f"{expected.type!r} in [ancestor.__name__ for ancestor in warning.category.__mro__] "
        f"and re.search({expected.match!r}, str(warning.message))"
    )
    if program.names_kinds:
        expectation = f"should warn with kind {expected.kind}"
        is_expected = f"getattr(warning.message, 'kind', None) == {expected.kind!r}"
    snippet = program.assemble(
        *program.inputs,
        "with warnings.catch_warnings(record=True) as caught:",
        "    warnings.simplefilter('always')",
        *indented(program.computation),
        "print([str(warning.message) for warning in caught])",
        f"assert any({is_expected} for warning in caught), {expectation!r}",
    )
    return describe(call) | {"snippet": snippet}

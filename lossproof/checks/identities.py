"""Identities: a case's value is the sum of other calls' values, or must not be that sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.question import Question
from lossproof.corpus.case import Identity
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Tensor
from lossproof.judging.assertions import difference_assertion, sameness_assertion
from lossproof.judging.details import describe
from lossproof.judging.number_text import observed_digits
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare_sums
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, Refused, Unsupported
from lossproof.subjects.program import Program, Programs

# A call of an identity, and its true value: first the case's own call, then the terms of the other side.
Side = tuple[Call, Truth]


class Identities:
    """Both sides of ``same_as`` agree within the sum of their budgets; those of ``differs_from`` do not."""

    def applies(self, question: Question) -> bool:
        """Calls with an answer, in one layout; ``examine`` looks for ``same_as:`` and ``differs_from:``."""
        return question.is_contiguous and question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for each identity that the case states in this reduction."""
        case = question.trial.case
        for name, identity in (("same_as", case.same_as), ("differs_from", case.differs_from)):
            if identity is not None and (
                identity.reductions is None or question.reduction in identity.reductions
            ):
                yield _record(question, name, identity)


def _record(question: Question, name: str, identity: Identity) -> Record:
    trial, reduction = question.trial, question.reduction
    total: float | Float64Array = 0.0
    bound = question.planned.truth.value.bound
    first = question.answer.value
    has_shapes = first.shape == bound.shape
    sides = [(question.call, question.planned.truth.value)]
    for place, term in enumerate(identity.terms):
        other = question.plan(f"{name} {place}", term)
        sides.append((other.call, other.truth.value))
        try:
            observed = trial.subject.run(other.call).value
        except Unsupported as reason:
            return trial.record(name, Outcome.UNSUPPORTED, reduction, message=str(reason))
        except Refused as refused:
            make_detail = partial(error_detail, trial.subject.programs, sides)
            return trial.record_error(name, refused, reduction, detail=make_detail, what="the other side ")
        has_shapes = has_shapes and observed.shape == other.truth.value.bound.shape
        if has_shapes:
            total, bound = total + observed, bound + other.truth.value.bound
    both = first, np.asarray(total)
    verdict = Verdict(False, None, "one of the two sides has a wrong shape")
    if has_shapes:
        verdict = compare_sums(*both, bound)
    if name == "differs_from":
        message = f"agrees with {in_words(identity)}, but must not: {identity.why}"
        agreement = Verdict(False, None, message, came_out=("agree",))
        verdict = agreement if verdict.agrees else Verdict(True, None)
        make_detail = partial(difference_detail, trial.subject.programs, sides, first)
        return trial.record_verdict(name, verdict, reduction, detail=make_detail)
    if not verdict.agrees:
        verdict = replace(verdict, message=f"{verdict.message}: {identity.why}")
    make_detail = partial(sameness_detail, trial.subject.programs, sides, *both, bound)
    return trial.record_verdict(name, verdict, reduction, detail=make_detail)


def in_words(identity: Identity) -> str:
    """The other side, such as ``the same call with reduction batchmean``."""
    if len(identity.terms) > 1:
        return f"the sum of {len(identity.terms)} other calls"
    (term,) = identity.terms
    changes = [f"reduction {term.reduction}"] if term.reduction else []
    for name, value in term.params.items():
        text = value.text if isinstance(value, Numeral) else value
        changes.append(f"another {name}" if isinstance(value, Tensor) else f"{name} = {text}")
    changes += ["other arguments"] if term.args else []
    call = term.loss or "the same call"
    return f"{call} with {' and '.join(changes)}" if changes else call


def error_detail(programs: Programs, sides: Sequence[Side]) -> Detail:
    """The detail of an identity whose last call raised."""
    calls = [call for call, _ in sides]
    return describe(calls[0]) | {"snippet": _identity_program([programs.of_call(call) for call in calls])}


def sameness_detail(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array,
    bound: Float64Array,
) -> Detail:
    """The detail of two sides that should agree, but are further apart than the sum of their budgets."""
    return _sides_detail(programs, sides, observed, other, sameness_assertion(observed, other, bound))


def difference_detail(programs: Programs, sides: Sequence[Side], observed: Float64Array) -> Detail:
    """The detail of two sides that should differ, but agree: the number that both give stands there once."""
    return _sides_detail(programs, sides, observed, None, difference_assertion([truth for _, truth in sides]))


def _sides_detail(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array | None,
    assertion: Sequence[str],
) -> Detail:
    shapes = [truth.value.shape for _, truth in sides]
    snippet = _identity_program([programs.of_call(call) for call, _ in sides], shapes, assertion)
    format = sides[0][1].format
    expected = {} if other is None else {"expected": observed_digits(other, format)}
    given = {"observed": observed_digits(observed, format), "snippet": snippet}
    return describe(sides[0][0]) | expected | given


def _identity_program(
    programs: Sequence[Program], shapes: Sequence[tuple[int, ...]] = (), assertion: Sequence[str] = ()
) -> str:
    """A program of several calls: ``result`` is the value of the first, ``other`` the sum of the rest.

    ``shapes`` are those of the calls' values, if they are asserted; ``assertion`` looks at both names.
    """
    lines: list[str] = []
    for place, program in enumerate(programs):
        lines += [*program.inputs, *program.computation]
        lines += [f"assert result.shape == {shape}, result.shape" for shape in shapes[place : place + 1]]
        lines.append(f"other = other + {program.in_double}" if place else "first, other = result, 0.0")
    imports = dict.fromkeys(line for program in programs for line in program.imports)
    first = replace(programs[0], imports=tuple(imports))
    return first.assemble(*lines, "result = first", "print(result, other)", *assertion)

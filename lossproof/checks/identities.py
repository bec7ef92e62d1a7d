"""Identities: a case's value is the sum of other calls' values, or must not be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.question import Question
from lossproof.corpus.case import Identity
from lossproof.judging.assertions import difference_check, sameness_check
from lossproof.judging.details import describe
from lossproof.judging.number_text import digits
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare_sums
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, Refused, Unsupported
from lossproof.subjects.program import Program, Programs

# A call of an identity, and what its value should be: the case's own, then the terms of the other side.
Side = tuple[Call, Truth]


class Identities:
    """Both sides of ``same_as`` agree within the sum of their budgets; those of ``differs_from`` do not."""

    def applies(self, question: Question) -> bool:
        """Cases with either of the two."""
        case = question.trial.case
        has_one = case.same_as is not None or case.differs_from is not None
        return has_one and question.is_contiguous and question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for each of the two that the case states in this reduction."""
        case = question.trial.case
        for name, identity in (("same_as", case.same_as), ("differs_from", case.differs_from)):
            if identity is not None and (
                identity.reductions is None or question.reduction in identity.reductions
            ):
                yield _examined(question, name, identity)


def _examined(question: Question, name: str, identity: Identity) -> Record:
    trial, reduction = question.trial, question.reduction
    total: float | Float64Array = 0.0
    bound = question.planned.truth.value.bound
    first = question.answer.value
    is_shaped = first.shape == bound.shape
    sides = [(question.call, question.planned.truth.value)]
    for place, term in enumerate(identity.terms):
        other = question.plan(f"{name} {place}", term)
        sides.append((other.call, other.truth.value))
        try:
            observed = trial.subject.run(other.call).value
        except Unsupported as reason:
            return trial.record(name, Outcome.UNSUPPORTED, reduction, message=str(reason))
        except Refused as refused:
            shown = partial(error_detail, trial.subject.programs, sides)
            return trial.raised(name, refused, reduction, detail=shown, what="the other side ")
        is_shaped = is_shaped and observed.shape == other.truth.value.bound.shape
        if is_shaped:
            total, bound = total + observed, bound + other.truth.value.bound
    both = first, np.asarray(total)
    verdict = Verdict(False, None, "one of the two sides has a wrong shape")
    if is_shaped:
        verdict = compare_sums(*both, bound)
    if name == "differs_from":
        shown = partial(difference_detail, trial.subject.programs, sides, *both)
        return trial.judged(name, _opposite(verdict), reduction, detail=shown)
    if not verdict.agrees:
        verdict = replace(verdict, message=f"{verdict.message}: {identity.why}")
    shown = partial(sameness_detail, trial.subject.programs, sides, *both, bound)
    return trial.judged(name, verdict, reduction, detail=shown)


def _opposite(verdict: Verdict) -> Verdict:
    """Of two sides that must differ."""
    if not verdict.agrees:
        return Verdict(True, None)
    return Verdict(False, None, "both sides agree, but must not", came_out=("agree",))


def error_detail(programs: Programs, sides: Sequence[Side]) -> Detail:
    """Of an identity whose last side raised."""
    calls = [call for call, _ in sides]
    return describe(calls[0]) | {"snippet": _identity([programs.of_call(call) for call in calls])}


def sameness_detail(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array,
    bound: Float64Array,
) -> Detail:
    """Of two sides that must be the same, and are not within the sum of their bounds."""
    return _of_sides(programs, sides, observed, other, sameness_check(observed, other, bound))


def difference_detail(
    programs: Programs, sides: Sequence[Side], observed: Float64Array, other: Float64Array
) -> Detail:
    """Of two sides that must differ."""
    check = difference_check([truth for _, truth in sides])
    return _of_sides(programs, sides, observed, other, check)


def _of_sides(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array,
    check: Sequence[str],
) -> Detail:
    shapes = [truth.value.shape for _, truth in sides]
    snippet = _identity([programs.of_call(call) for call, _ in sides], shapes, check)
    seen = {"expected": digits(other), "observed": digits(observed)}
    return describe(sides[0][0]) | seen | {"snippet": snippet}


def _identity(
    programs: Sequence[Program], shapes: Sequence[tuple[int, ...]] = (), check: Sequence[str] = ()
) -> str:
    """A program of several calls: ``result`` is the first one's value, ``other`` the sum of the others'.

    Args:
        programs: one for each call.
        shapes: of each call's value, where they are to be checked.
        check: lines that look at ``result`` and ``other``.
    """
    lines: list[str] = []
    for place, program in enumerate(programs):
        lines += [*program.inputs, *program.making]
        lines += [f"assert result.shape == {shape}, result.shape" for shape in shapes[place : place + 1]]
        lines.append(f"other = other + {program.in_double}" if place else "first, other = result, 0.0")
    return programs[0].around(*lines, "result = first", "print(result, other)", *check)

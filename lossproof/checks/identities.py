"""Identities: a case's value is the sum of other calls' values, or must not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lossproof.checks.question import Question
from lossproof.corpus.case import Identity
from lossproof.judging import details
from lossproof.judging.verdict import Verdict, compare_sums
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.subjects.call import Refused, Unsupported


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
            message = f"the other side raised {refused.type}: {refused}"
            detail = partial(details.of_identity_error, trial.subject.programs, sides)
            return trial.record(
                name, Outcome.ERROR, reduction, message=message, detail=detail, came_out=[refused.first_line]
            )
        is_shaped = is_shaped and observed.shape == other.truth.value.bound.shape
        if is_shaped:
            total, bound = total + observed, bound + other.truth.value.bound
    both = first, np.asarray(total)
    verdict = Verdict(False, None, "one of the two sides has a wrong shape")
    if is_shaped:
        verdict = compare_sums(*both, bound)
    if name == "differs_from":
        shown = partial(details.of_difference, trial.subject.programs, sides, *both)
        return trial.judged(name, _opposite(verdict), reduction, detail=shown)
    if not verdict.agrees:
        verdict = replace(verdict, message=f"{verdict.message}: {identity.why}")
    shown = partial(details.of_sameness, trial.subject.programs, sides, *both, bound)
    return trial.judged(name, verdict, reduction, detail=shown)


def _opposite(verdict: Verdict) -> Verdict:
    """Of two sides that must differ."""
    if not verdict.agrees:
        return Verdict(True, None)
    return Verdict(False, None, "both sides agree, but must not", came_out=("agree",))

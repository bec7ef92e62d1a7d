"""Value and gradients: every number within its budget of the truth, and of the right dtype."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging.choices import or_changed
from lossproof.judging.details import describe
from lossproof.judging.illustrations import curve, disagreement, is_small
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.reference.worked import formula_of
from lossproof.subjects.call import Observation, Refused, Unsupported

# What the gradients by the first and by the second upstream gradient are called.
_KINDS = ("gradient", "vjp")


class Values:
    """The value, the gradient by each argument, and the same by a seeded upstream gradient."""

    def applies(self, question: Question) -> bool:
        """All cases but those that demand something else of their calls."""
        return question.is_of_numbers

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for the value and for each gradient, or one for what was raised."""
        outcome = question.outcome
        if isinstance(outcome, Refused):
            yield question.raised(outcome)
            return
        prepared, truth = question.planned.prepared, question.planned.truth
        value = _judged(question, "value", outcome.value, truth.value, outcome.dtype, prepared.dtype)
        gradients = list(_gradients(question, outcome))
        if outcome.failed is not None:
            gradients = [backward_failed(question, outcome.failed)]
        is_right = all(record.outcome.is_passing for record in (value, *gradients))
        illustrations = _illustrations(question, is_right) if _is_shown(value) else {}
        yield replace(value, detail={**(value.detail or {}), **illustrations}) if illustrations else value
        yield from gradients


def _is_shown(record: Record) -> bool:
    """Whether the record is one that somebody reads: of a known defect only the first is."""
    return record.outcome.is_passing or record.detail is not None


def backward_failed(question: Question, failed: Unsupported | Refused) -> Record:
    """The record of a backward pass that raised, after a value that is judged like any other."""
    if isinstance(failed, Refused):
        return question.raised(failed, "gradient")
    trial, layout = question.trial, question.layout
    return trial.record("gradient", Outcome.UNSUPPORTED, question.reduction, layout, message=str(failed))


def _gradients(question: Question, answer: Observation) -> Iterator[Record]:
    prepared, true = question.planned.prepared, question.planned.truth.gradients
    for kind, observed, truths in zip(_KINDS, answer.gradients, true, strict=False):
        for name in prepared.differentiable:
            own = prepared.dtypes[name]
            has = answer.gradient_dtypes.get(name, own)
            yield _judged(question, Quantity.of(kind, name), observed[name], truths[name], has, own)


def _judged(
    question: Question, quantity: str, observed: Float64Array, truth: Truth, has: str, wanted: str
) -> Record:
    """The record of an array of numbers, which has a dtype and should have another or the same."""
    trial = question.trial
    verdict = or_changed(truth, partial(compare, observed))
    if verdict.agrees and has != wanted:
        message = f"has dtype {has}, should have {wanted}"
        verdict = Verdict(False, None, message, came_out=(has,))

    def detail() -> Detail:
        return disagreement(trial.subject.programs, question.call, quantity, observed, truth, wanted)

    return trial.judged(quantity, verdict, question.reduction, question.layout, detail)


def _illustrations(question: Question, is_right: bool) -> Detail:
    """What helps to understand a small call: its worked steps, and a curve through it."""
    trial, planned = question.trial, question.planned
    is_wanted = trial.extent.with_illustrations and question.is_contiguous
    if not is_wanted or trial.case.own_process or not is_small(planned.call):
        return {}
    illustrations: Detail = {}
    if not is_right or trial.subject.shows_steps:
        illustrations |= describe(planned.call)
        illustrations |= {"formula": formula_of(planned.prepared.loss), "steps": planned.steps}
    is_told_of = trial.case.source is not None and trial.subject.illustrates(trial.case.loss)
    is_chosen = question.is_in_chosen_reduction and trial.is_in_layout_dtype
    if is_chosen and (is_told_of or not is_right):
        drawn = curve(trial.subject, question.call, planned)
        illustrations |= {"curve": drawn} if drawn else {}
    return illustrations

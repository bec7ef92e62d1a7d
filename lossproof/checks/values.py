"""Value and gradients: every number within its budget of the truth, and of the right dtype."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lossproof.checks.question import Question
from lossproof.judging.details import describe
from lossproof.judging.illustrations import curve, disagreement, is_small
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict
from lossproof.numbers.formats import Float64Array
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.reference.worked import formula_of
from lossproof.subjects.call import Observation, Refused, Unsupported

# The kinds of quantities for the first and the second upstream gradient; that of a case is alone.
KINDS = ("gradient", "vjp")


class Values:
    """The value, and the gradient by each argument for each upstream gradient."""

    def applies(self, question: Question) -> bool:
        """All cases except those that demand something else of their calls."""
        return question.is_about_numbers

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for the value and for each gradient, or one for an exception."""
        outcome = question.outcome
        if isinstance(outcome, Refused):
            yield question.record_error(outcome)
            return
        prepared, truth = question.planned.prepared, question.planned.truth
        verdict = question.value_verdict
        value = _record(question, "value", verdict, outcome.value, truth.value, outcome.dtype, prepared.dtype)
        gradients = list(_gradients(question, outcome))
        if outcome.failure is not None:
            gradients = [backward_record(question, outcome.failure)]
        is_right = all(record.outcome.is_passing for record in (value, *gradients))
        illustrations = _illustrations(question, is_right) if _is_shown(value) else {}
        yield replace(value, detail={**(value.detail or {}), **illustrations}) if illustrations else value
        yield from gradients


def _is_shown(record: Record) -> bool:
    """Whether somebody reads the record: of those of a known defect, only the first."""
    return record.outcome.is_passing or record.detail is not None


def backward_record(question: Question, failure: Unsupported | Refused) -> Record:
    """The record of a backward pass that raised after the value had come out."""
    if isinstance(failure, Refused):
        return question.record_error(failure, "gradient")
    return question.record("gradient", Outcome.UNSUPPORTED, str(failure))


def _gradients(question: Question, answer: Observation) -> Iterator[Record]:
    prepared, true = question.planned.prepared, question.planned.truth.gradients
    if answer.value.shape != question.planned.truth.value.value.shape:
        return
    for place, (kind, truths) in enumerate(zip(KINDS, true, strict=False)):
        observed = answer.gradients[place] if place < len(answer.gradients) else {}
        for name in prepared.differentiable:
            quantity, expected = Quantity.of(kind, name), prepared.dtypes[name]
            dtype = answer.gradient_dtypes.get(name, expected)
            if name in observed:
                verdict = question.gradient_verdicts[place][name]
                yield _record(question, quantity, verdict, observed[name], truths[name], dtype, expected)
            else:
                message = f"it computes no gradient by {name}"
                yield question.record(quantity, Outcome.UNSUPPORTED, message)


def _record(
    question: Question,
    quantity: str,
    verdict: Verdict,
    observed: Float64Array,
    truth: Truth,
    dtype: str,
    expected: str,
) -> Record:
    """The record of a verdict on an array of numbers, of its observed and its expected dtype."""
    trial = question.trial
    ulps = list(verdict.ulps) if verdict.ulps is not None and question.is_contiguous else None
    if verdict.agrees and dtype != expected:
        message = f"has dtype {dtype}, should have {expected}"
        verdict = Verdict(False, None, message, came_out=(dtype,))

    def detail() -> Detail:
        return disagreement(trial.subject.programs, question.call, quantity, observed, truth, expected)

    return trial.record_verdict(quantity, verdict, question.reduction, question.layout, detail, ulps=ulps)


def _illustrations(question: Question, is_right: bool) -> Detail:
    """Aids to understanding a small call: its worked steps, and a curve through it."""
    trial, planned = question.trial, question.planned
    is_wanted = trial.extent.with_illustrations and question.is_contiguous
    if not is_wanted or trial.case.own_process or not is_small(planned.call):
        return {}
    illustrations: Detail = {}
    if not is_right or trial.subject.shows_steps:
        illustrations |= describe(planned.call)
        illustrations |= {"formula": formula_of(planned.prepared.loss), "steps": planned.steps}
    is_documented = trial.case.source is not None and trial.subject.illustrates(trial.case.loss)
    is_chosen = question.is_in_chosen_reduction and trial.is_in_layout_dtype
    # A curve is that of the sum of the output, so that its slope is the gradient for ones.
    is_chosen = is_chosen and trial.case.upstream is None
    if is_chosen and (is_documented or not is_right):
        points = curve(trial.subject, question.call, planned)
        illustrations |= {"curve": points} if points else {}
    return illustrations

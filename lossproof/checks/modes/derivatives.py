"""Judges derivatives along a direction, all of which follow from the closed-form gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.judging.assertions import WEIGHTED, number_assertion, shape_assertion, within_budget
from lossproof.judging.choices import judge_by_picks
from lossproof.judging.derivatives import derivative_along, one_sided_limits, second_derivatives
from lossproof.judging.grading import Sides, grade, graded_assertion
from lossproof.judging.truth import Formula, Truth
from lossproof.judging.verdict import Verdict, compare, wrong_shape
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.quantity import Quantity


def derivative(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The output's derivative; if the gradient differs from it by convention, either is right."""
    planned = call.planned
    if not call.is_finite:
        return
    truth = derivative_along(planned.truth.gradients[-1], call.directions)
    judgement = _judge_along(mode, call.answer.value, call, truth)
    # Of the two conventions of a clamp, one is for its gradient and one for its derivative: look at both.
    if not judgement.verdict.agrees or len(planned.prepared.loss.conventions) > 1:
        prepared, format = planned.prepared, FORMATS[planned.call.dtype]
        compute = partial(prepared.derivative, planned.truth.upstreams[-1])
        derivatives = Formula(compute, format, prepared.arguments).truths()
        is_gradient = judgement.verdict.agrees
        of_value = derivative_along(derivatives, call.directions)
        judgement = _judge_along(mode, call.answer.value, call, of_value, truth)
        if judgement.verdict.agrees and not is_gradient:
            message = "the derivative of the value, which the gradient by convention is not"
            verdict = replace(judgement.verdict, message=message, rule="convention")
            judgement = replace(judgement, verdict=verdict)
    yield replace(judgement, verdict=_with_convention(judgement.verdict, call))


def second_derivative(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The gradients' derivatives, graded; by the upstream gradient, it is the output's derivative."""
    if not call.is_finite:
        return
    # Only where the gradient is the derivative of the value, and no other function by convention.
    if not any(truth.convention for truth in call.planned.truth.gradients[-1].values()):
        yield from _judge_gradients(mode, call)
    gradients = call.answer.gradients[0]
    if "upstream" in gradients:
        truth = derivative_along(call.planned.truth.gradients[-1], call.directions)
        judgement = _judge_along(Quantity.of(mode, "upstream"), gradients["upstream"], call, truth)
        if judgement.verdict.error_over_budget is not None:
            arguments = judgement.observed, truth, 0.0, lambda: (truth.value, truth.value)
            lines = partial(graded_assertion, *arguments, WEIGHTED)
            verdict = _with_convention(grade(*arguments), call)
            judgement = replace(judgement, verdict=verdict, lines=lines)
        yield judgement


def _judge_gradients(mode: str, call: CallInMode) -> Iterator[Judgement]:
    planned, upstream = call.planned, call.planned.truth.upstreams[-1]
    # Forward mode differentiates by the first source alone.
    gradients = call.answer.gradients[0]
    directions = {name: call.directions[name] for name in call.directions if name in gradients}
    true = second_derivatives(planned.prepared, upstream, directions, FORMATS[planned.call.dtype])
    sides, floor = cache(partial(one_sided_limits, planned.prepared, upstream, directions)), _floor(call)
    for name in directions:
        observed, truth, limits = gradients[name], true[name], partial(_sides_of, sides, name)
        lines = partial(graded_assertion, observed, truth, floor, limits)

        def judge(truth: Truth, observed: Float64Array = observed, limits: Sides = limits) -> Verdict:
            return grade(observed, truth, floor, limits)

        verdict = judge_by_picks(truth, judge)
        yield Judgement(Quantity.of(mode, name), verdict, truth.value, observed, lines)


def _judge_along(quantity: str, observed: Float64Array, call: CallInMode, *true: Truth) -> Judgement:
    """The weighted derivative of the output along the directions, judged by the first truth that it fits."""
    if observed.shape != call.plain.value.shape:
        shape = partial(shape_assertion, call.plain.value.shape)
        verdict = wrong_shape(observed.shape, call.plain.value.shape)
        return Judgement(quantity, verdict, call.plain.value, observed, shape)
    with np.errstate(all="ignore"):  # an infinite derivative may meet an upstream gradient of 0
        weighted = np.asarray(np.sum(observed * call.planned.truth.upstreams[-1]))
    verdicts = [(judge_by_picks(truth, partial(compare, weighted)), truth) for truth in true]
    verdict, fitting = max(verdicts, key=lambda pair: pair[0].agrees)

    def lines() -> list[str]:
        return number_assertion(WEIGHTED, [within_budget(float(weighted), truth, ()) for truth in true])

    return Judgement(quantity, verdict, fitting.value, weighted, lines)


def _sides_of(
    sides: Callable[[], Mapping[str, tuple[Float64Array, Float64Array]]], name: str
) -> tuple[Float64Array, Float64Array]:
    return sides()[name]


def _floor(call: CallInMode) -> float:
    """An upper limit of the gradient's budget times the direction."""
    budgets = [truth.budget for truth in call.planned.truth.gradients[-1].values()]
    return _largest(budgets) * _largest(call.directions.values())


def _largest(arrays: Iterable[Float64Array]) -> float:
    return max(float(np.max(np.abs(array), initial=0.0)) for array in arrays)


def _with_convention(verdict: Verdict, call: CallInMode) -> Verdict:
    convention = call.planned.prepared.loss.convention
    if verdict.agrees or convention is None:
        return verdict
    message = f"{verdict.message}; torch's gradient is a convention: {convention.means}"
    return replace(verdict, message=message)

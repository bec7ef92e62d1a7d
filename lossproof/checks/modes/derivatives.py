"""Judging what differentiates along a direction: all of it follows from the closed-form gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np

from lossproof.checks.modes.judgement import CallInMode, Judgement
from lossproof.judging.assertions import WEIGHTED, number_check, shape_check, within
from lossproof.judging.calls import PlannedCall
from lossproof.judging.choices import or_changed
from lossproof.judging.derivatives import beside, derivative_along, second_derivatives
from lossproof.judging.grading import Sides, grade, graded_check
from lossproof.judging.truth import Truth, truths
from lossproof.judging.verdict import Verdict, compare, wrong_shape
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.quantity import Quantity


def derivative(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """The output's; where the gradient is by convention not the derivative, it may be either."""
    planned = call.planned
    if not _is_finite(planned):
        return
    truth = derivative_along(planned.truth.gradients[1], call.directions)
    judged = _along(mode, call.mode.value, call, truth)
    # Of two conventions of a clamp, one is of its gradient, and one of its derivative: ask for both.
    if not judged.verdict.agrees or len(planned.prepared.loss.conventions) > 1:
        by_value = truths(
            partial(planned.prepared.derivative, planned.truth.upstreams[1]), FORMATS[planned.call.dtype]
        )
        is_gradient = judged.verdict.agrees
        judged = _along(mode, call.mode.value, call, derivative_along(by_value, call.directions), truth)
        if judged.verdict.agrees and not is_gradient:
            message = "the derivative of the value, which the gradient by convention is not"
            judged = replace(judged, verdict=replace(judged.verdict, message=message, rule="convention"))
    yield replace(judged, verdict=_with_convention(judged.verdict, call))


def second_derivative(mode: str, call: CallInMode) -> Iterator[Judgement]:
    """Those of the gradients along the directions, graded; by the upstream gradient, it is the output's."""
    if not _is_finite(call.planned):
        return
    if _has_true_gradient(call.planned):
        yield from _of_gradients(mode, call)
    if "upstream" in call.mode.gradients[0]:
        truth = derivative_along(call.planned.truth.gradients[1], call.directions)
        judged = _along(Quantity.of(mode, "upstream"), call.mode.gradients[0]["upstream"], call, truth)
        if judged.verdict.error_over_budget is not None:
            arguments = judged.observed, truth, 0.0, lambda: (truth.value, truth.value)
            check = partial(graded_check, *arguments, WEIGHTED)
            judged = replace(judged, verdict=_with_convention(grade(*arguments), call), check=check)
        yield judged


def _of_gradients(mode: str, call: CallInMode) -> Iterator[Judgement]:
    planned, upstream = call.planned, call.planned.truth.upstreams[1]
    # Forward mode moves the first source alone.
    directions = {name: call.directions[name] for name in call.directions if name in call.mode.gradients[0]}
    true = second_derivatives(planned.prepared, upstream, directions, FORMATS[planned.call.dtype])
    sides, floor = cache(partial(beside, planned.prepared, upstream, directions)), _floor(call)
    for name in directions:
        observed, truth, limits = call.mode.gradients[0][name], true[name], partial(_of_one, sides, name)
        check = partial(graded_check, observed, truth, floor, limits)

        def judge(truth: Truth, observed: Float64Array = observed, limits: Sides = limits) -> Verdict:
            return grade(observed, truth, floor, limits)

        yield Judgement(Quantity.of(mode, name), or_changed(truth, judge), truth.value, observed, check)


def _along(quantity: str, observed: Float64Array, call: CallInMode, *true: Truth) -> Judgement:
    """The output's derivative along the directions, weighted, by the first of some truths that it fits."""
    if observed.shape != call.plain.value.shape:
        shaped = partial(shape_check, call.plain.value.shape)
        verdict = wrong_shape(observed.shape, call.plain.value.shape)
        return Judgement(quantity, verdict, call.plain.value, observed, shaped)
    weighted = np.asarray(np.sum(observed * call.planned.truth.upstreams[1]))
    verdicts = [(or_changed(truth, partial(compare, weighted)), truth) for truth in true]
    verdict, fitting = max(verdicts, key=lambda judged: (judged[0].agrees, judged[0].is_changed))

    def check() -> list[str]:
        return number_check(WEIGHTED, [within(float(weighted), truth, ()) for truth in true])

    return Judgement(quantity, verdict, fitting.value, weighted, check)


def _of_one(
    sides: Callable[[], Mapping[str, tuple[Float64Array, Float64Array]]], name: str
) -> tuple[Float64Array, Float64Array]:
    return sides()[name]


def _floor(call: CallInMode) -> float:
    """The tolerance of the gradient times the direction, at most."""
    bounds = [truth.bound for truth in call.planned.truth.gradients[1].values()]
    return 2 * _largest(bounds) * _largest(call.directions.values())


def _largest(arrays: Iterable[Float64Array]) -> float:
    return max(float(np.max(np.abs(array), initial=0.0)) for array in arrays)


def _is_finite(planned: PlannedCall) -> bool:
    """Whether inputs, value and gradients are: elsewhere a derivative along a direction has no meaning."""
    prepared, truth = planned.prepared, planned.truth
    numbers = [truth.value.value, *(gradient.value for gradient in truth.gradients[1].values())]
    numbers += prepared.arguments.values()
    return all(bool(np.all(np.isfinite(array))) for array in numbers)


def _has_true_gradient(planned: PlannedCall) -> bool:
    """Whether the gradient is the derivative of the value, and not another function by convention."""
    return not any(truth.convention for truth in planned.truth.gradients[1].values())


def _with_convention(verdict: Verdict, call: CallInMode) -> Verdict:
    convention = call.planned.prepared.loss.convention
    if verdict.agrees or convention is None:
        return verdict
    return replace(
        verdict, message=f"{verdict.message}; torch's gradient is a convention: {convention.means}"
    )

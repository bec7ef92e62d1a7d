"""Helps a reader to understand a check: which elements are off, and a curve through the case's point."""

from __future__ import annotations

import heapq
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.judging.assertions import quantity_assertion
from lossproof.judging.calls import PlannedCall, prepare_call
from lossproof.judging.details import describe
from lossproof.judging.number_text import (
    observed_digits,
    observed_text,
    shown_places,
    true_digits,
    true_text,
)
from lossproof.judging.places import place_of
from lossproof.judging.stored_truth import recalled_data
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import budget_shares
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.record import Detail
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call, Refused, Unsupported, Values
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.program import Programs

_SMALL = 48
_SHOWN_ELEMENTS = 8
_POINTS = 41
# The least reach of a curve to either side where the formula allows it: a probability varies from 0 to 1.
_REACH = 3.0

# The sum of an output, and its slope.
_Point = tuple[float, float]


def is_small(call: Call) -> bool:
    """Whether a call holds so few numbers that a reader can follow them all."""
    values = (*call.args.values(), *call.params.values())
    return sum(value.numbers.size for value in values if isinstance(value, Values)) <= _SMALL


def disagreement(
    programs: Programs, call: Call, quantity: str, observed: Float64Array, truth: Truth, dtype: str
) -> Detail:
    """The detail of a record that disagrees with the truth, or with the dtype that it should have."""
    program = programs.of_call(call, quantity)
    snippet = program.text(*quantity_assertion(observed, truth, dtype, dtype_of=program.dtype))
    numbers = observed_digits(observed, truth.format)
    if observed.shape != truth.value.shape:
        expected, actual = f"shape {list(truth.value.shape)}", f"shape {list(observed.shape)}: {numbers}"
        return describe(call) | {"expected": expected, "observed": actual, "snippet": snippet}
    return describe(call) | {
        "expected": true_digits(truth),
        "observed": numbers,
        "elements": _offending_elements(observed, truth),
        "wrong": _wrong_among_the_shown(observed, truth),
        "snippet": snippet,
    }


def _offending_elements(observed: Float64Array, truth: Truth) -> list[dict[str, Any]]:
    """The elements beyond their budget, the furthest first.

    Each is ``{at, expected, observed, share, ulp}``: its index; both numbers, as texts: of the true one all
    digits that are certain, of the observed one those that tell it from others of its format; the error over
    its budget 2B; the error in units in the last place of the format at the true value, or null if either
    number is not finite. A share that is not finite is a text.
    """
    shares = budget_shares(observed, truth).ravel()
    beyond = np.flatnonzero(shares > 1).tolist()
    elements = []
    for place in heapq.nlargest(_SHOWN_ELEMENTS, beyond, key=lambda place: shares[place]):
        at = tuple(int(index) for index in np.unravel_index(place, observed.shape))
        true, number = float(truth.value.flat[place]), float(observed.flat[place])
        error = abs((number - true) - float(truth.remainder.flat[place]))
        ulps = error / float(truth.format.unit_in_the_last_place(true))
        elements.append(
            {
                "at": list(at),
                "expected": true_text(truth, at),
                "observed": observed_text(number, truth.format),
                "share": _as_json(shares[place]),
                "ulp": ulps if math.isfinite(ulps) else None,
            }
        )
    return elements


def _wrong_among_the_shown(observed: Float64Array, truth: Truth) -> list[int]:
    """Which of the numbers that the texts of both sides show are beyond their budget, counted from 0."""
    is_wrong = (budget_shares(observed, truth) > 1).ravel()
    return [number for number, place in enumerate(shown_places(observed.shape)) if is_wrong[place]]


def curve(subject: GuardedSubject, call: Call, planned: PlannedCall) -> dict[str, Any] | None:
    """The value and its slope as functions of one number of the call, for the reference and for the subject.

    Returns:
        ``{argument, at, reduction, here, x, truth, slope, observed, observed_slope}``: which element of which
        argument varies, where the case's own point is, and at each x the sum of the output and its
        derivative. A number that is not finite is a text; one that the subject refuses to compute is nan.
        None if no argument can vary.
    """
    varied = _varied_element(planned)
    if varied is None:
        return None
    argument, at = varied
    centre = float(call.args[argument].numbers[at])
    x = _range(call, argument, at, centre)
    sample = replace(call, upstreams=call.upstreams[:1], wrt=(argument,))
    calls = [_vary(sample, argument, at, number) for number in x]

    def reference_points() -> list[_Point]:
        return [_reference_point(planned.prepared, call, argument, at) for call in calls]

    topic = "curve", argument, at, x, sample.upstreams[0].tolist()
    true = recalled_data(planned.prepared, topic, reference_points)
    observed = [_subject_point(subject, call, argument, at) for call in calls]
    return {
        "argument": argument,
        "at": list(at),
        "reduction": call.reduction,
        "here": centre,
        "x": x,
        "truth": [_as_json(value) for value, _ in true],
        "slope": [_as_json(slope) for _, slope in true],
        "observed": [_as_json(value) for value, _ in observed],
        "observed_slope": [_as_json(slope) for _, slope in observed],
    }


def _varied_element(planned: PlannedCall) -> tuple[str, tuple[int, ...]] | None:
    """The element of the first differentiable argument that the result depends on most steeply."""
    if not planned.prepared.differentiable:
        return None
    argument = planned.prepared.differentiable[0]
    numbers = planned.call.args[argument].numbers
    slopes = np.abs(planned.truth.gradients[0][argument].value)
    if slopes.shape != numbers.shape:  # a complex number has two slopes
        return None
    usable = np.isfinite(numbers) & np.isfinite(slopes)
    if not usable.any():
        return None
    return argument, place_of(np.where(usable, slopes, -1.0))


def _range(call: Call, argument: str, at: tuple[int, ...], centre: float) -> list[float]:
    """The numbers at which the curve is drawn, including the case's own, in the element's format."""
    format, reach = FORMATS[call.args[argument].dtype], max(_REACH, abs(centre))
    first, last = np.clip([centre - reach, centre + reach], -format.largest, format.largest)
    first = first if _is_valid(_vary(call, argument, at, first)) else 0.0
    last = last if _is_valid(_vary(call, argument, at, last)) else 1.0
    numbers = format.round([*np.linspace(first, last, _POINTS), centre])
    return [float(number) for number in np.unique(numbers)]


def _is_valid(call: Call) -> bool:
    try:
        prepare_call(call)
    except Refusal:
        return False
    return True


def _reference_point(prepared: PreparedCall, call: Call, argument: str, at: tuple[int, ...]) -> _Point:
    # Of the accepted call, only a number differs, and those between the ends of the range are accepted.
    arguments = {**prepared.arguments, argument: call.args[argument].numbers}
    prepared = replace(prepared, arguments=arguments)
    return _total(prepared.value()), float(prepared.gradient(call.upstreams[0])[argument][at])


def _subject_point(subject: GuardedSubject, call: Call, argument: str, at: tuple[int, ...]) -> _Point:
    try:
        observation = subject.run(call)
    except (Refused, Unsupported):
        return math.nan, math.nan
    # A value of the wrong shape has no gradient, nor has one of a subject that computes none.
    slopes = [gradients[argument] for gradients in observation.gradients if argument in gradients]
    has_slope = slopes and slopes[0].shape == call.args[argument].numbers.shape
    return _total(observation.value), float(slopes[0][at]) if has_slope else math.nan


def _total(output: npt.NDArray[Any]) -> float:
    with np.errstate(all="ignore"):  # the sum of infinities of both signs is nan
        return float(np.sum(output))


def _vary(call: Call, argument: str, at: tuple[int, ...], number: float) -> Call:
    values = call.args[argument]
    numbers = values.numbers.copy()
    numbers[at] = number
    return replace(call, args={**call.args, argument: Values(numbers, values.dtype)})


def _as_json(number: float) -> float | str:
    """A number in JSON, with more digits than a drawing or a reader needs."""
    return float(f"{number:.7g}") if math.isfinite(number) else str(number)

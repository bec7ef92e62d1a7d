"""What helps a reader to understand a check: what is off and where, and a curve through the case's point."""

from __future__ import annotations

import heapq
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.judging.assertions import quantity_check
from lossproof.judging.calls import PlannedCall, prepare_call
from lossproof.judging.details import describe
from lossproof.judging.number_text import digits, true_text
from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import budget_shares
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.record import Detail
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call, Refused, Unsupported, Values
from lossproof.subjects.careful import Careful
from lossproof.subjects.program import Programs

_SMALL = 48
_SHOWN_ELEMENTS = 8
_POINTS = 41
# As far as this to either side where the formula allows it: a probability varies from 0 to 1.
_REACH = 3.0

# The sum of an output, and its slope.
_Point = tuple[float, float]


def is_small(call: Call) -> bool:
    """Whether a call holds few enough numbers for a reader to follow them all."""
    values = (*call.args.values(), *call.params.values())
    return sum(value.numbers.size for value in values if isinstance(value, Values)) <= _SMALL


def disagreement(
    programs: Programs, call: Call, quantity: str, observed: Float64Array, truth: Truth, dtype: str
) -> Detail:
    """What a reader needs to see of a disagreement with the truth or the dtype: the detail of its record."""
    snippet = programs.of_call(call, quantity).text(*quantity_check(observed, truth, dtype))
    if observed.shape != truth.value.shape:
        expected, seen = f"shape {list(truth.value.shape)}", f"shape {list(observed.shape)}: {observed}"
        return describe(call) | {"expected": expected, "observed": seen, "snippet": snippet}
    return describe(call) | {
        "expected": digits(truth.value),
        "observed": digits(observed),
        "elements": _offending_elements(observed, truth),
        "snippet": snippet,
    }


def _offending_elements(observed: Float64Array, truth: Truth) -> list[dict[str, Any]]:
    """The elements beyond their budget, the furthest first.

    Each is ``{at, expected, observed, share, ulp}``: its index; both numbers, as texts of all digits that
    are certain; the error over its budget 2B; the error in units in the last place of the format at the true
    value, or null where one of the two is not finite. A share that is not finite is a text.
    """
    shares = budget_shares(observed, truth).ravel()
    beyond = np.flatnonzero(shares > 1).tolist()
    elements = []
    for place in heapq.nlargest(_SHOWN_ELEMENTS, beyond, key=lambda place: shares[place]):
        at = tuple(int(index) for index in np.unravel_index(place, observed.shape))
        true, seen = float(truth.value.flat[place]), float(observed.flat[place])
        error = abs((seen - true) - float(truth.remainder.flat[place]))
        ulps = error / float(truth.format.unit_in_the_last_place(true))
        elements.append(
            {
                "at": list(at),
                "expected": true_text(truth, at),
                "observed": repr(seen),
                "share": _told(shares[place]),
                "ulp": ulps if math.isfinite(ulps) else None,
            }
        )
    return elements


def curve(subject: Careful, call: Call, planned: PlannedCall) -> dict[str, Any] | None:
    """The value and its slope as functions of one number of the call, by the reference and by the subject.

    Returns:
        ``{argument, at, reduction, here, x, truth, slope, observed, observed_slope}``: which element of which
        argument varies, where the case's own point is, and at each x the sum of the output and its
        derivative. A number that is not finite is a text, and so is one that the subject refuses to compute,
        as nan. None where no argument can vary.
    """
    varied = _varied_element(planned)
    if varied is None:
        return None
    argument, at = varied
    here = float(call.args[argument].numbers[at])
    x = _range(call, argument, at, here)
    asked = replace(call, upstreams=call.upstreams[:1], wrt=(argument,))
    calls = [_with(asked, argument, at, number) for number in x]
    true = [_of_reference(one, argument, at) for one in calls]
    seen = [_of_subject(subject, one, argument, at) for one in calls]
    return {
        "argument": argument,
        "at": list(at),
        "reduction": call.reduction,
        "here": here,
        "x": x,
        "truth": [_told(value) for value, _ in true],
        "slope": [_told(slope) for _, slope in true],
        "observed": [_told(value) for value, _ in seen],
        "observed_slope": [_told(slope) for _, slope in seen],
    }


def _varied_element(planned: PlannedCall) -> tuple[str, tuple[int, ...]] | None:
    """The element of the first differentiable argument that the result depends on most steeply."""
    if not planned.prepared.differentiable:
        return None
    argument = planned.prepared.differentiable[0]
    numbers = planned.call.args[argument].numbers
    slopes = np.abs(planned.truth.gradients[0][argument].value)
    if slopes.shape != numbers.shape:  # a complex number has two
        return None
    usable = np.isfinite(numbers) & np.isfinite(slopes)
    if not usable.any():
        return None
    return argument, place_of(np.where(usable, slopes, -1.0))


def _range(call: Call, argument: str, at: tuple[int, ...], here: float) -> list[float]:
    """The numbers that the element takes, the case's own among them, in its own format."""
    format, reach = FORMATS[call.args[argument].dtype], max(_REACH, abs(here))
    first, last = np.clip([here - reach, here + reach], -format.largest, format.largest)
    first = first if _is_taken(_with(call, argument, at, first)) else 0.0
    last = last if _is_taken(_with(call, argument, at, last)) else 1.0
    numbers = format.round([*np.linspace(first, last, _POINTS), here])
    return [float(number) for number in np.unique(numbers)]


def _is_taken(call: Call) -> bool:
    try:
        prepare_call(call)
    except Refusal:
        return False
    return True


def _of_reference(call: Call, argument: str, at: tuple[int, ...]) -> _Point:
    prepared = prepare_call(call)
    return _total(prepared.value()), float(prepared.gradient(call.upstreams[0])[argument][at])


def _of_subject(subject: Careful, call: Call, argument: str, at: tuple[int, ...]) -> _Point:
    try:
        observation = subject.run(call)
    except (Refused, Unsupported):
        return math.nan, math.nan
    # Where the value's shape is wrong there is no gradient.
    slopes = [gradients[argument] for gradients in observation.gradients]
    is_whole = slopes and slopes[0].shape == call.args[argument].numbers.shape
    return _total(observation.value), float(slopes[0][at]) if is_whole else math.nan


def _total(output: npt.NDArray[Any]) -> float:
    with np.errstate(all="ignore"):  # infinities of both signs add up to nan
        return float(np.sum(output))


def _with(call: Call, argument: str, at: tuple[int, ...], number: float) -> Call:
    values = call.args[argument]
    numbers = values.numbers.copy()
    numbers[at] = number
    return replace(call, args={**call.args, argument: Values(numbers, values.dtype)})


def _told(number: float) -> float | str:
    """A number in JSON, with more digits than a drawing or a reader needs."""
    return float(f"{number:.7g}") if math.isfinite(number) else str(number)

"""What helps a reader to understand a check: what is off and where, and a curve through the case's point."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np

from lossproof.judging.assertions import quantity_check
from lossproof.judging.calls import PlannedCall, prepare_call
from lossproof.judging.recorder import digits
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import budget_shares
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call, Refused, Unsupported, Values
from lossproof.subjects.careful import Careful
from lossproof.subjects.snippet import describe, reproduce

_SMALL = 48
_SHOWN_ELEMENTS = 8
_POINTS = 41
# Where the formula allows it, as far as this to either side; a probability has from 0 to 1.
_REACH = 3.0

_Curve = tuple[list[float], list[float]]


def is_small(call: Call) -> bool:
    """Whether a call holds few enough numbers for a reader to follow them all."""
    values = (*call.args.values(), *call.params.values())
    return sum(value.numbers.size for value in values if isinstance(value, Values)) <= _SMALL


def usual_subject(loss: str) -> str:
    """The one of torch's forms of a loss whose curves are shown."""
    return "torch.nn.functional" if LOSSES[loss].functional else "torch.nn"


def disagreement(
    subject: str, call: Call, quantity: str, observed: Float64Array, truth: Truth
) -> dict[str, str]:
    """What a reader needs to see of a disagreement: the detail of its record."""
    snippet = reproduce(subject, call, quantity, quantity_check(observed, truth, call.dtype))
    if observed.shape != truth.value.shape:
        expected, seen = f"shape {list(truth.value.shape)}", f"shape {list(observed.shape)}: {observed}"
        return describe(call) | {"expected": expected, "observed": seen, "snippet": snippet}
    return describe(call) | {
        "expected": digits(truth.value),
        "observed": digits(observed),
        "elements": _offending_elements(observed, truth),
        "snippet": snippet,
    }


def _offending_elements(observed: Float64Array, truth: Truth) -> str:
    """The elements beyond their budget, the furthest first, as JSON.

    Each is ``{at, expected, observed, share, ulp}``: its index; both numbers, as texts of all their digits;
    the error over its budget 2B; the error in units in the last place of the format at the true value, or
    null where one of the two is not finite. A share that is not finite is a text.
    """
    shares = budget_shares(observed, truth).ravel()
    worst_first = [int(place) for place in np.argsort(-shares, kind="stable") if shares[place] > 1]
    elements = []
    for place in worst_first[:_SHOWN_ELEMENTS]:
        true, seen = float(truth.value.flat[place]), float(observed.flat[place])
        error = abs((seen - true) - float(truth.remainder.flat[place]))
        unit = float(truth.format.unit_in_the_last_place(true)) if math.isfinite(true) else math.nan
        at = [int(index) for index in np.unravel_index(place, observed.shape)]
        ulp = error / unit if math.isfinite(error / unit) else None
        element = {"at": at, "expected": repr(true), "observed": repr(seen), "share": _told(shares[place])}
        elements.append(element | {"ulp": ulp})
    return json.dumps(elements)


def curve(subject: Careful, call: Call, planned: PlannedCall) -> dict[str, str]:
    """The value and its slope as functions of one number of the call, by the reference and by the subject.

    Returns:
        ``{"curve": JSON}`` with ``{argument, at, reduction, here, x, truth, slope, observed,
        observed_slope}``: which element of which argument varies, where the case's own point is, and at each
        x the sum of the output and its derivative. A number that is not finite is a text, and so is one that
        either side refuses to compute, as nan. Nothing where no argument can vary.
    """
    varied = _varied_element(planned)
    if varied is None:
        return {}
    argument, at = varied
    here = float(call.args[argument].numbers[at])
    x = _range(call, argument, at, here)
    truth, slope = _of_reference(call, argument, at, x)
    observed, observed_slope = _of_subject(subject, call, argument, at, x)
    told = {
        "argument": argument,
        "at": list(at),
        "reduction": call.reduction,
        "here": here,
        "x": x,
        "truth": [_told(number) for number in truth],
        "slope": [_told(number) for number in slope],
        "observed": [_told(number) for number in observed],
        "observed_slope": [_told(number) for number in observed_slope],
    }
    return {"curve": json.dumps(told)}


def _varied_element(planned: PlannedCall) -> tuple[str, tuple[int, ...]] | None:
    """The element of the first differentiable argument that the result depends on most steeply."""
    prepared, gradients = planned.prepared, planned.truth.gradients
    names = [name for name in prepared.differentiable if name in planned.call.args]
    if not names or not gradients or not prepared.arguments[names[0]].size:
        return None
    numbers, slopes = planned.call.args[names[0]].numbers, np.abs(gradients[0][names[0]].value)
    usable = np.isfinite(numbers) & np.isfinite(slopes) if slopes.shape == numbers.shape else None
    if usable is None or not usable.any():
        return None
    steepest = np.unravel_index(int(np.argmax(np.where(usable, slopes, -1.0))), numbers.shape)
    return names[0], tuple(int(index) for index in steepest)


def _range(call: Call, argument: str, at: tuple[int, ...], here: float) -> list[float]:
    """The numbers that the element takes, the case's own among them, in the format of the call."""
    reach = max(_REACH, abs(here))
    first, last = here - reach, here + reach
    if not (_is_taken(call, argument, at, first) and _is_taken(call, argument, at, last)):
        first, last = min(here, 0.0), max(here, 1.0)
    numbers = FORMATS[call.dtype].round([*np.linspace(first, last, _POINTS), here])
    return [float(number) for number in np.unique(numbers)]


def _is_taken(call: Call, argument: str, at: tuple[int, ...], number: float) -> bool:
    try:
        prepare_call(_with(call, argument, at, number))
    except Refusal:
        return False
    return True


def _of_reference(call: Call, argument: str, at: tuple[int, ...], x: list[float]) -> _Curve:
    values, slopes = [], []
    for number in x:
        try:
            prepared = prepare_call(_with(call, argument, at, number))
            value = np.asarray(prepared.value())
            slope = float(prepared.gradient(np.ones(value.shape))[argument][at])
        except Refusal:
            values.append(math.nan)
            slopes.append(math.nan)
            continue
        values.append(float(np.sum(value)))
        slopes.append(slope)
    return values, slopes


def _of_subject(subject: Careful, call: Call, argument: str, at: tuple[int, ...], x: list[float]) -> _Curve:
    values, slopes = [], []
    for number in x:
        varied = replace(_with(call, argument, at, number), upstreams=call.upstreams[:1], wrt=(argument,))
        try:
            observation = subject.run(varied)
        except (Refused, Unsupported):
            values.append(math.nan)
            slopes.append(math.nan)
            continue
        values.append(float(np.sum(observation.value)))
        gradients = observation.gradients
        is_whole = gradients and gradients[0][argument].shape == call.args[argument].numbers.shape
        slopes.append(float(gradients[0][argument][at]) if is_whole else math.nan)
    return values, slopes


def _with(call: Call, argument: str, at: tuple[int, ...], number: float) -> Call:
    values = call.args[argument]
    numbers = values.numbers.copy()
    numbers[at] = number
    return replace(call, args={**call.args, argument: Values(numbers, values.dtype)})


def _told(number: float) -> float | str:
    """A number in JSON, with more digits than a drawing or a reader needs."""
    return float(f"{number:.7g}") if math.isfinite(number) else str(float(number))

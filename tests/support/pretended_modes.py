"""Modes that a subject pretends: their right outcomes, changed as a test says, and the records of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from exact_arithmetic import literal
from examined_cases import case
from pretenders import Modal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.judging.calls import CallPlanner
from lossproof.judging.derivatives import derivative_along, second_derivatives
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.record import Record
from lossproof.subjects.call import Call, ModeObservation, Observation

FLOAT64 = FORMATS["float64"]

DISTANCE = case("MSELoss", {"input": literal(["0.5", "-1"]), "target": literal(["1", "0.3"])})
VECTOR = case("LogSoftmax", {"input": literal([["0.5", "-1", "2"]])}, params={"dim": parse_numeral("1")})

# Torch's gradient by a variance below eps is a convention.
VARIANCE = {"input": literal(["1"]), "target": literal(["3"]), "var": literal(["0.25"])}
CONVENTION = case("GaussianNLLLoss", VARIANCE, params={"eps": parse_numeral("0.5")})


def right(
    examined: Case, mode: str, call: Call, answer: Observation, directions: Mapping[str, Float64Array]
) -> Any:
    """What each mode should yield, by the closed forms."""
    planned = CallPlanner().plan(examined, call.dtype, call.reduction)
    plain, upstream = answer.gradients[-1], call.upstreams[-1]
    if mode in ("jvp", "double_backward"):
        # All of the derivative of sum(upstream * output) in its first element.
        along = np.zeros(answer.value.shape)
        along.flat[0] = derivative_along(planned.truth.gradients[-1], directions).value / upstream.flat[0]
        if mode == "jvp":
            return ModeObservation(along, answer.dtype)
    if mode in ("double_backward", "forward_over_reverse"):
        second = second_derivatives(planned.prepared, upstream, directions, FLOAT64)
        gradients = {name: truth.value for name, truth in second.items()}
        if mode == "double_backward":
            gradients["upstream"] = along
        return ModeObservation(answer.value, answer.dtype, (gradients,))
    if mode in ("meta", "fake"):
        nothing = {name: gradient * np.nan for name, gradient in plain.items()}
        return ModeObservation(answer.value * np.nan, answer.dtype, (nothing,))
    if mode == "vmap":
        return ModeObservation(np.stack([answer.value, answer.value]), answer.dtype)
    if mode == "autocast":
        return ModeObservation(answer.value, "float32", computed_in="bfloat16")
    return ModeObservation(answer.value, answer.dtype, (plain,))


PLAIN = ("subclass", "twice", "threads", "channels_last")
ABSTRACT = ("meta", "fake")
SECOND = ("double_backward", "forward_over_reverse")
ALL = ("jvp", *SECOND, "func.grad", "vmap", *ABSTRACT, *PLAIN, "autocast")


def examine(
    mode: str, change: Callable[[Any], Any] = lambda seen: seen, examined: Case = DISTANCE
) -> dict[str, Record]:
    """The records of a mode whose right outcome was changed."""

    def in_mode(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
        changed: ModeObservation = change(right(examined, mode, call, answer, directions))
        return changed

    records = Examiner().examine(examined, Modal((mode,), in_mode), "float64")
    return {record.quantity: record for record in records if record.quantity.partition(":")[0] == mode}


def altered(**changes: Any) -> Callable[[Any], Any]:
    """Replace parts of the outcome."""
    return lambda seen: replace(seen, **changes)


def scaled(quantity: str, factor: float) -> Callable[[Any], Any]:
    """Change the value or the gradient by an argument."""

    def change(seen: Any) -> Any:
        if quantity == "value":
            return replace(seen, value=seen.value * factor)
        [gradients] = seen.gradients
        return replace(seen, gradients=(gradients | {quantity: gradients[quantity] * factor},))

    return change


def moved(place: tuple[int, ...], by: float) -> Callable[[Any], Any]:
    """Change one element of the value."""

    def change(seen: Any) -> Any:
        value = seen.value.copy()
        value[place] += by
        return replace(seen, value=value)

    return change

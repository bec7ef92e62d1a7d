"""What the record of a check that fails tells beside its verdict: the call, both sides, and a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossproof.corpus.case import Case, Raised
from lossproof.judging.assertions import bias_check, difference_check, every_check, sameness_check
from lossproof.judging.number_text import digits
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import Float64Array
from lossproof.subjects.behaviour_snippets import (
    reproduce_change,
    reproduce_identity,
    reproduce_refusal,
    reproduce_repeats,
    reproduce_warning,
)
from lossproof.subjects.call import Call
from lossproof.subjects.module_snippets import reproduce_module
from lossproof.subjects.snippet import describe, reproduce

Detail = dict[str, str]
# A call of an identity, and what its value should be: the case's own, then the terms of the other side.
Side = tuple[Call, Truth]


def of_module(subject: str, case: Case, params: Mapping[str, Any], observed: object = None) -> Detail:
    """Of a claim about a module; nothing is observed where looking at it raised."""
    claim = case.module
    assert claim is not None
    was = case.drifted.was if case.drifted else None
    snippet = reproduce_module(subject, claim.aspect, case.loss, params, claim.expected, was)
    sides = {} if observed is None else {"expected": str(claim.expected), "observed": str(observed)}
    return sides | {"snippet": snippet}


def of_error(subject: str, call: Call, quantity: str = "value") -> Detail:
    """Of a call that raised: the program raises the same."""
    return describe(call) | {"snippet": reproduce(subject, call, quantity)}


def of_refusal(subject: str, call: Call, wanted: Raised) -> Detail:
    """Of a call that was not refused as it must be."""
    return describe(call) | {
        "snippet": reproduce_refusal(subject, call, wanted.type, wanted.match, wanted.when, wanted.kind)
    }


def of_warning(subject: str, call: Call, wanted: Raised) -> Detail:
    """Of a call that did not warn as it must."""
    return describe(call) | {"snippet": reproduce_warning(subject, call, wanted.type, wanted.match)}


def of_change(subject: str, call: Call) -> Detail:
    """Of a call that changed its inputs."""
    return describe(call) | {"snippet": reproduce_change(subject, call)}


def of_repeats(subject: str, call: Call, quantity: str, times: int, truth: Truth) -> Detail:
    """Of a call that was not right every time."""
    return describe(call) | {"snippet": reproduce_repeats(subject, call, quantity, times, every_check(truth))}


def of_bias(subject: str, call: Call, quantity: str, observed: Float64Array, truth: Truth) -> Detail:
    """Of errors that lean to one side; the quantity is the one that was observed."""
    return describe(call) | {"snippet": reproduce(subject, call, quantity, bias_check(observed, truth))}


def of_identity_error(subject: str, sides: Sequence[Side]) -> Detail:
    """Of an identity whose last side raised."""
    return describe(sides[0][0]) | {"snippet": reproduce_identity(subject, [call for call, _ in sides])}


def of_sameness(
    subject: str, sides: Sequence[Side], observed: Float64Array, other: Float64Array, bound: Float64Array
) -> Detail:
    """Of two sides that must be the same, and are not within the sum of their bounds."""
    return _of_sides(subject, sides, observed, other, sameness_check(observed, other, bound))


def of_difference(subject: str, sides: Sequence[Side], observed: Float64Array, other: Float64Array) -> Detail:
    """Of two sides that must differ."""
    check = difference_check([truth for _, truth in sides])
    return _of_sides(subject, sides, observed, other, check)


def _of_sides(
    subject: str, sides: Sequence[Side], observed: Float64Array, other: Float64Array, check: Sequence[str]
) -> Detail:
    calls = [call for call, _ in sides]
    shapes = [truth.value.shape for _, truth in sides]
    seen = {"expected": digits(other), "observed": digits(observed)}
    return describe(calls[0]) | seen | {"snippet": reproduce_identity(subject, calls, shapes, check)}

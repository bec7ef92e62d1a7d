"""Printed numbers: a number claims exactly the digits it shows, and balls decide whether they are right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from lossproof.corpus.case import Case, Printed
from lossproof.corpus.numeral import Numeral
from lossproof.judging.calls import (
    bound_format,
    exact_call,
    exact_upstream,
    in_own_formats,
    lift_exactly,
    make_call,
    prepare_call,
    reductions_of,
)
from lossproof.judging.number_text import true_text
from lossproof.judging.stored_truth import recalled_data
from lossproof.judging.truth import truth_of
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.ball import Ball, Undecided, certified

DOCUMENT, FORMULA, IN_CASE = "document", "formula", "case"

_SHOWN_DIGITS = 20
_SHOWN_ELEMENTS = 12
_VERBS = {DOCUMENT: "printed", FORMULA: "by what it says", IN_CASE: "stated"}


@dataclass(frozen=True)
class PrintedVerdict(Verdict):
    """A verdict with both sides as texts; see ``Record.numbers``."""

    numbers: dict[str, Any] = field(default_factory=dict)


def judge_printed(
    case: Case, reduction: str, argument: str | None, printed: Printed, origin: str = IN_CASE
) -> PrintedVerdict:
    """Judge one printed tensor against the true value of the case's call, or of its gradient by an argument.

    Numbers with a dtype must lie within the budget 2B of the truth of a run in it; without one, the exact
    decimals of the case must round to the digits. ``origin`` says where the numbers stand: DOCUMENT, FORMULA
    (they follow from what a document says) or IN_CASE.
    """
    effective = None if None in reductions_of(case) else reduction
    call = make_call(case, printed.dtype or "float64", effective)
    written = case.args, case.params, case.upstream, argument, printed, origin

    def judge() -> list[Any]:
        verdict = _judge(case, effective, argument, printed, origin)
        return [verdict.agrees, verdict.error_over_budget, verdict.message, verdict.numbers]

    agrees, share, message, numbers = recalled_data(prepare_call(call), ("printed", written), judge)
    return PrintedVerdict(agrees, share, message, numbers=numbers)


def _judge(
    case: Case, effective: str | None, argument: str | None, printed: Printed, origin: str
) -> PrintedVerdict:
    if printed.dtype is not None:
        call = make_call(case, printed.dtype, effective)
        prepared = prepare_call(call)
        truth = in_own_formats(truth_of(prepared, bound_format(prepared), call.upstreams), prepared)
        quantity = truth.value if argument is None else truth.gradients[0][argument]
        observed = np.array([float(number) for number in printed.values]).reshape(printed.shape)
        verdict = compare(observed, quantity)
        true = [true_text(quantity, place) for place in np.ndindex(quantity.value.shape)]
        numbers = _numbers(printed, true, quantity.value.shape, origin)
        note = f"seen in {printed.dtype}: {_listed(_texts(printed))}; true {_listed(true)}"
        message = f"{note}. {verdict.message}".removesuffix(". ")
        return PrintedVerdict(verdict.agrees, verdict.error_over_budget, message, numbers=numbers)

    def compute() -> Ball:
        prepared = exact_call(case, effective)
        value: Ball = prepared.value(lift_exactly)
        if argument is None:
            return value
        gradient: Ball = prepared.gradient(exact_upstream(case, value.shape), lift_exactly)[argument]
        return gradient

    return certified(lambda: _judge_digits(compute, printed, origin))


def _judge_digits(compute: Callable[[], Ball], printed: Printed, origin: str) -> PrintedVerdict:
    true = compute()
    elements = true.elements.ravel().tolist()
    digits = _digits(elements)
    numbers = _numbers(printed, digits, true.shape, origin)
    if true.shape != printed.shape:
        message = f"{_VERBS[origin]} with shape {list(printed.shape)}, true shape {list(true.shape)}"
        return PrintedVerdict(False, None, message, numbers=numbers)
    worst = max(map(_share, printed.values, elements), default=0.0)
    message = f"{_VERBS[origin]} {_listed(_texts(printed))}, true {_listed(digits)}"
    return PrintedVerdict(worst <= 1, worst, message, numbers=numbers)


def _numbers(printed: Printed, true: Sequence[str], true_shape: Sequence[int], origin: str) -> dict[str, Any]:
    return {
        "stated": _texts(printed)[:_SHOWN_ELEMENTS],
        "shape": list(printed.shape),
        "true": list(true[:_SHOWN_ELEMENTS]),
        "true_shape": list(true_shape),
        "dtype": printed.dtype or "",
        "by": origin,
    }


def _share(printed: Numeral, true: flint.arb) -> float:
    """|printed - true| in units of half the last printed digit; at most 1 where the digits are right."""
    if not isinstance(printed.exact, Fraction):
        is_same = true.is_nan() if math.isnan(printed.exact) else true == flint.arb(printed.exact)
        return 0.0 if is_same else math.inf
    if not true.is_finite():
        return math.inf
    # In units of the common denominator both are integers, so that exactly half a unit is recognized.
    unit = math.lcm(printed.exact.denominator, printed.claim.denominator)
    distance = abs(true * unit - int(printed.exact * unit))
    claim = flint.arb(int(printed.claim * unit))
    if distance <= claim:
        return float((distance / claim).upper()) if printed.claim else 0.0
    if distance > claim:
        share = float((distance / claim).lower()) if printed.claim else math.inf
        return max(share, math.nextafter(1.0, math.inf))  # however small the excess
    raise Undecided(f"whether {printed.text} is a rounding of {true}")


def _texts(printed: Printed) -> list[str]:
    return [number.text for number in printed.values]


def _digits(elements: list[flint.arb]) -> list[str]:
    return [
        element.mid().str(_SHOWN_DIGITS, radius=False) if element.is_finite() else str(float(element.mid()))
        for element in elements
    ]


def _listed(texts: Sequence[str]) -> str:
    text = ", ".join(texts[:_SHOWN_ELEMENTS])
    return text + (f", ... ({len(texts)} in all)" if len(texts) > _SHOWN_ELEMENTS else "")

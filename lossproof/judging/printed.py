"""Printed numbers: a number claims exactly the digits it prints, and balls decide whether they are right."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import flint
import numpy as np

from lossproof.corpus.case import Case, Printed
from lossproof.corpus.numeral import Numeral
from lossproof.judging.calls import exactly, lift_exactly, make_call, prepare_call, reductions_of
from lossproof.judging.number_text import true_text
from lossproof.judging.truth import Truth, truth_of
from lossproof.judging.verdict import Verdict, compare
from lossproof.numbers.ball import Ball, Undecided, certified
from lossproof.numbers.formats import FORMATS

_SHOWN_DIGITS = 20
_SHOWN_ELEMENTS = 8


def judge_printed(case: Case, reduction: str, argument: str | None, printed: Printed) -> Verdict:
    """Judge one printed tensor against the true value of the case's call, or of a gradient of it.

    Args:
        case: the case.
        reduction: the key under which the case states it.
        argument: whose gradient it is, or None for the value.
        printed: the numbers. With a dtype they must lie within 2B of that dtype's truth; else the
            exact decimals of the case must round to the digits.
    """
    effective = None if None in reductions_of(case) else reduction
    if printed.dtype is not None:
        prepared = prepare_call(make_call(case, printed.dtype, effective))
        truth = truth_of(prepared, FORMATS[printed.dtype])
        quantity = truth.value if argument is None else truth.gradients[0][argument]
        observed = np.array([float(number) for number in printed.values]).reshape(printed.shape)
        verdict = compare(observed, quantity)
        note = f"seen in {printed.dtype}: {_texts(printed)}; true {_truths(quantity)}"
        return Verdict(
            verdict.agrees, verdict.error_over_budget, f"{note}. {verdict.message}".removesuffix(". ")
        )

    def compute() -> Ball:
        prepared = exactly(case, effective)
        value: Ball = prepared.value(lift_exactly)
        if argument is None:
            return value
        gradient: Ball = prepared.gradient(np.ones(value.shape), lift_exactly)[argument]
        return gradient

    return certified(lambda: _judge_digits(compute, printed))


def _judge_digits(compute: Callable[[], Ball], printed: Printed) -> Verdict:
    true = compute()
    if true.shape != printed.shape:
        return Verdict(
            False, None, f"printed with shape {list(printed.shape)}, true shape {list(true.shape)}"
        )
    elements = true.elements.ravel().tolist()
    worst = max(map(_share, printed.values, elements), default=0.0)
    message = f"printed {_texts(printed)}, true {_digits(elements)}"
    return Verdict(worst <= 1, worst, message)


def _share(printed: Numeral, true: flint.arb) -> float:
    """|printed - true| in units of half the last printed digit; at most 1 where the digits are right."""
    if not isinstance(printed.exact, Fraction):
        is_same = true.is_nan() if math.isnan(printed.exact) else true == flint.arb(printed.exact)
        return 0.0 if is_same else math.inf
    if not true.is_finite():
        return math.inf
    # In units of the common denominator both are integers, and exactly half a unit can be told.
    unit = math.lcm(printed.exact.denominator, printed.claim.denominator)
    distance = abs(true * unit - int(printed.exact * unit))
    claim = flint.arb(int(printed.claim * unit))
    if distance <= claim:
        return float((distance / claim).upper()) if printed.claim else 0.0
    if distance > claim:
        share = float((distance / claim).lower()) if printed.claim else math.inf
        return max(share, math.nextafter(1.0, math.inf))  # however little beyond
    raise Undecided(f"whether {printed.text} is a rounding of {true}")


def _texts(printed: Printed) -> str:
    return _joined([number.text for number in printed.values])


def _digits(elements: list[flint.arb]) -> str:
    return _joined([element.mid().str(_SHOWN_DIGITS, radius=False) for element in elements])


def _truths(truth: Truth) -> str:
    return _joined([true_text(truth, place) for place in np.ndindex(truth.value.shape)])


def _joined(texts: list[str]) -> str:
    shown = ", ".join(texts[:_SHOWN_ELEMENTS])
    return shown + (f", ... ({len(texts)} in all)" if len(texts) > _SHOWN_ELEMENTS else "")

"""The proven values of a case: the results of a call on balls, as digits."""

from __future__ import annotations

from typing import Any

from lossproof.command_line.digits import certified_digits
from lossproof.corpus.case import Case
from lossproof.judging.calls import exact_call, exact_upstream, lift_exactly, reductions_of
from lossproof.numbers.ball import Ball
from lossproof.numbers.formats import Float64Array
from lossproof.reference.evaluation import Lift, PreparedCall

_BY_STEPS = (None, "none", "sum", "batchmean", "mean")

# Digits in row-major order, and the shape.
Digits = tuple[list[str], tuple[int, ...]]


def value_digits(call: PreparedCall, digits: int) -> Digits:
    """The value of a call."""
    return certified_digits(lambda: call.value(Ball.exact), digits)


def gradient_digits(call: PreparedCall, upstream: Float64Array, name: str, digits: int) -> Digits:
    """The gradient of a call by an argument, for an upstream gradient."""
    return certified_digits(lambda: _gradient(call, upstream, name, Ball.exact), digits)


def case_value(case: Case, reduction: str | None, digits: int, dtype: str = "float64") -> Digits:
    """The value of a case's call on its exact decimals; drawn numbers are those of the dtype."""
    return certified_digits(lambda: exact_call(case, reduction, dtype).value(lift_exactly), digits)


def case_gradient(case: Case, reduction: str | None, name: str, digits: int) -> Digits:
    """The gradient of a case on its exact decimals, for its upstream gradient or for ones."""

    def gradient() -> Ball:
        call = exact_call(case, reduction)
        return _gradient(call, exact_upstream(case, call.value(lift_exactly).shape), name, lift_exactly)

    return certified_digits(gradient, digits)


def best_reduction(case: Case) -> str | None:
    """The reduction that explains a case best: of those with printed numbers, the one with most steps."""
    known = reductions_of(case)
    printed = [name for name in (*case.expect, *(case.erratum.says if case.erratum else ())) if name in known]
    return max(printed or known, key=_BY_STEPS.index)


def _gradient(call: PreparedCall, upstream: Any, name: str, lift: Lift) -> Ball:
    gradient: Ball = call.gradient(upstream, lift)[name]
    return gradient

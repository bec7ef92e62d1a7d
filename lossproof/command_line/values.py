"""The proven values of a case: the results of a call on balls, as digits."""

from __future__ import annotations

import numpy as np

from lossproof.command_line.digits import certified_digits
from lossproof.corpus.case import Case
from lossproof.judging.calls import exact_call, lift_exactly, reductions_of
from lossproof.numbers.ball import Ball
from lossproof.reference.evaluation import Lift, PreparedCall

_BY_STEPS = (None, "none", "sum", "batchmean", "mean")

# Digits in row-major order, and the shape.
Digits = tuple[list[str], tuple[int, ...]]


def value_digits(call: PreparedCall, digits: int) -> Digits:
    """The value of a call."""
    return certified_digits(lambda: call.value(Ball.exact), digits)


def gradient_digits(call: PreparedCall, name: str, digits: int) -> Digits:
    """The gradient of the sum of a call's output by an argument."""
    return certified_digits(lambda: _gradient(call, name, Ball.exact), digits)


def case_value(case: Case, reduction: str | None, digits: int, dtype: str = "float64") -> Digits:
    """The value of a case's call on its exact decimals; drawn numbers are those of the dtype."""
    return certified_digits(lambda: exact_call(case, reduction, dtype).value(lift_exactly), digits)


def case_gradient(case: Case, reduction: str | None, name: str, digits: int) -> Digits:
    """The gradient of the sum of a case's output on its exact decimals."""
    return certified_digits(lambda: _gradient(exact_call(case, reduction), name, lift_exactly), digits)


def best_reduction(case: Case) -> str | None:
    """The reduction that explains a case best: of those with printed numbers, the one with most steps."""
    known = reductions_of(case)
    printed = [name for name in (*case.expect, *(case.erratum.says if case.erratum else ())) if name in known]
    return max(printed or known, key=_BY_STEPS.index)


def _gradient(call: PreparedCall, name: str, lift: Lift) -> Ball:
    gradient: Ball = call.gradient(np.ones(call.value(lift).shape), lift)[name]
    return gradient

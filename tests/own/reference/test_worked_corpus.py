"""Every line of the worked steps of every small case of the corpus is true as it is printed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import flint
import numpy as np
import pytest
from printed_lines import Line, Step, Value, ball_of, evaluate, minus, read

from lossproof.command_line.corpus import read_corpus
from lossproof.judging.calls import make_call, prepare_call, reductions_of
from lossproof.judging.illustrations import is_small
from lossproof.numbers.ball import Ball
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.steps import recording
from lossproof.reference.worked import worked_steps

# In bits; the last tell exp(-65540) from 0 beside 1.
PRECISIONS = (300, 3000, 120_000)
# Two distances beyond every format, next to each other: no precision within reason tells their difference.
UNCERTIFIED = {"triplet-p-tiny"}


@cache
def calls() -> dict[str, list[tuple[str, PreparedCall]]]:
    """The small calls of the corpus by their losses."""
    found = defaultdict(list)
    for case in read_corpus(None).cases:
        if case.raises or case.module or case.id in UNCERTIFIED:
            continue
        for reduction in reductions_of(case):
            call = make_call(case, "float64", reduction)
            if is_small(call):
                found[case.loss].append((f"{case.id}, {reduction}", prepare_call(call)))
    return found


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_line_of_every_small_case_is_true(loss: str) -> None:
    false = [complaint for id, call in calls()[loss] for complaint in complaints(id, call)]
    assert calls()[loss]
    assert not false, "\n".join(false[:20])


def complaints(id: str, call: PreparedCall) -> Iterator[str]:
    steps = list(read(worked_steps(call)))
    known = truths(call, steps)
    for place, step in enumerate(steps):
        for row, line in enumerate(step.lines):
            if why := decided(call, steps, line, (place, row), known):
                yield f"{id}, {step.name}: {line.expression} {line.sign} {line.result}: {why}"


def decided(
    call: PreparedCall, steps: list[Step], line: Line, place: tuple[int, int], known: list[list[flint.arb]]
) -> str:
    """What is wrong with a line, at as much precision as it takes to say; nothing where nothing is."""
    why: str | None = None
    for precision in PRECISIONS:
        with flint.ctx.workprec(precision):
            if precision > PRECISIONS[0]:
                known = truths(call, steps)
            why = complaint(line, known[place[0]][place[1]])
            if why is not None:
                return why
    return "undecided"


def truths(call: PreparedCall, steps: list[Step]) -> list[list[flint.arb]]:
    """The true values of the steps that are told, on balls."""
    with flint.ctx.workprec(max(flint.ctx.prec, PRECISIONS[0])):
        with recording() as recorded:
            call.value(Ball.exact)
        rest = iter([part for name, value in recorded for part in parts(name, value)])
    return [next(values for name, values in rest if name == step.name) for step in steps]


def parts(name: str, value: Any) -> list[tuple[str, list[flint.arb]]]:
    if isinstance(value, ComplexPair):
        return parts(f"Re {name}", value.real) + parts(f"Im {name}", value.imaginary)
    balls = value if isinstance(value, Ball) else Ball.exact(np.asarray(value))
    return [(name, balls.elements.ravel().tolist())]


def complaint(line: Line, truth: flint.arb) -> str | None:
    """What is wrong with a line, an empty text where nothing is; None where this precision cannot tell."""
    shown = line.number()
    if shown.special is not None:
        yields = evaluate(line.expression).special if line.expression and line.is_whole else shown.special
        agree = [special_of(truth), shown.special, yields]
        return "" if len(set(map(str, agree))) == 1 and line.sign != "≈" else "nan or infinite"
    if not truth.is_finite():
        return "the true value is not finite"
    # A true 0 that no precision proves is told to a number of decimals, an exact one without.
    if shown == Value() and line.decimals is None and truth != 0 and not truth.contains(0):
        return "0 is not the true value"
    near_truth = is_within(minus(Value(rest=truth), shown), line)
    if not near_truth or not line.expression:
        return None if near_truth is None else "" if near_truth else "not the true value"
    if not line.is_whole:
        # The largest of numbers is one of them, as it is printed; their sum is none of them.
        is_equal = truth.contains(shown.ball()) or line.expression.startswith("max(")
        return "" if (line.sign == "=") <= is_equal else "= of what is not equal"
    difference = minus(evaluate(line.expression), shown)
    if difference.special is not None:
        return "the expression is not finite"
    is_equal = difference.is_exact and difference.exact == 0
    if is_equal != (line.sign == "="):
        return "the wrong sign"
    near_expression = is_within(difference, line)
    return None if near_expression is None else "" if near_expression else "not what the expression yields"


def is_within(difference: Value, line: Line) -> bool | None:
    """Whether it is within half a unit of the line's last digit; None where the balls are too wide."""
    bound = line.half_unit()
    if difference.is_exact:
        return bool(abs(difference.exact) <= bound)
    size = abs(difference.ball())
    if size <= ball_of(bound) or (bound == 0 and size.rad() < 1e-80 and size.contains(0)):
        return True
    return False if size > ball_of(bound) else None


def special_of(truth: flint.arb) -> float | None:
    if truth.is_finite():
        return None
    return math.nan if truth.is_nan() else math.inf if truth > 0 else -math.inf

"""What excuses a number, and what explains a wrong one, for truths of a few numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lossproof.judging.excuses import likely_cause, passes_by_overflow, rule_of
from lossproof.judging.truth import Truth
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.overflow import POSITIVE, UNDEFINED
from lossproof.numbers.rules import Rules


def truth_with(
    value: list[float], remainder: float = 0.0, blocked: float = 0.0, sequential: float = 0.0
) -> Truth:
    """A truth in float64 with one bound for a sum in blocks, and another for a sequential sum."""
    numbers = np.array(value)

    def bounded_by(rules: Rules) -> Bounded:
        bound = sequential if rules.sums_are_sequential else blocked
        return Bounded(numbers, np.full(numbers.shape, bound), FORMATS["float64"])

    bound, marks = np.full(numbers.shape, blocked), np.zeros(numbers.shape, int)
    return Truth(
        numbers, np.full(numbers.shape, remainder), bound, marks, FORMATS["float64"], bounded_by=bounded_by
    )


@pytest.mark.parametrize(
    ("observed", "remainder", "is_named"),
    [
        ([2.0, 0.0], 0.0, True),
        ([2.5, 0.0], 0.0, False),
        ([0.0, -2.0], 0.0, True),
        ([2.0, -2.5], 0.0, False),
        ([2.5, 0.5], 0.5, True),
        ([-2.0, 0.5], 0.5, False),
        ([math.inf, 0.0], 0.0, False),
    ],
)
def test_another_computation_is_named_that_may_be_as_far_off_in_all_elements(
    observed: list[float], remainder: float, is_named: bool
) -> None:
    truth = truth_with([0.0, 0.0], remainder, sequential=1.0)
    said = ", as far off as a sequential sum may be" if is_named else ""
    assert likely_cause(np.array(observed), truth) == said


@pytest.mark.parametrize(
    ("observed", "more"), [([9.0], ""), ([8.0, 9.0], " (and 1 more)"), ([7.0, 8.0, 9.0], " (and 2 more)")]
)
def test_further_elements_that_pass_by_a_rule_are_counted(observed: list[float], more: str) -> None:
    truth = truth_with([0.0] * len(observed), blocked=math.inf)
    rule, message = rule_of(np.array(observed), truth)
    assert rule == "unbounded"
    assert message.startswith(f"at [0] {observed[0]!r} passes for 0.0{more}: no number is wrong there")


@pytest.mark.parametrize(
    ("observed", "true", "mark", "passes"),
    [
        (math.inf, 1.0, POSITIVE, True),
        (math.inf, math.inf, POSITIVE, False),
        (math.nan, math.nan, UNDEFINED, False),
        (math.nan, 1.0, UNDEFINED, True),
        (math.nan, math.inf, UNDEFINED, True),
        (1.0, 1.0, POSITIVE, False),
    ],
)
def test_what_is_the_right_result_needs_no_overflow(
    observed: float, true: float, mark: int, passes: bool
) -> None:
    truth = replace(truth_with([true]), overflows=np.array([mark]))
    assert passes_by_overflow(np.array([observed]), truth).tolist() == [passes]

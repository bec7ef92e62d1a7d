"""Second derivatives: those of the formula, and wrong only by every measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossproof.judging.derivatives import directions_of, one_sided_limits, second_derivatives
from lossproof.judging.grading import grade
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.reference.evaluation import prepare

F64 = FORMATS["float64"]


def truth(value: float, bound: float) -> Truth:
    array = np.array([value])
    return Truth(array, np.zeros(1), np.array([bound]), np.zeros(1, dtype=bool), F64)


def nowhere() -> tuple[Any, Any]:
    return np.array([5.0]), np.array([5.0])


@pytest.mark.parametrize(
    ("observed", "true", "bound", "floor", "agrees"),
    [
        (1.0, 1.0, 1e-16, 0.0, True),
        (1.0005, 1.0, 1e-16, 0.0, True),  # 1e-3 of the value
        (1.002, 1.0, 1e-16, 0.0, False),
        (1.002, 1.0, 1.1e-6, 0.0, True),  # 1000 budgets
        (1e-14, 1e-20, 1e-30, 1e-16, True),  # what the gradient itself cannot tell
        (1e-12, 1e-20, 1e-30, 1e-16, False),
        (np.nan, 1.0, 1e-16, 0.0, False),
        (7.0, np.inf, 0.0, 0.0, True),
    ],
)
def test_a_second_derivative_is_wrong_only_by_every_measure(
    observed: float, true: float, bound: float, floor: float, agrees: bool
) -> None:
    assert grade(np.array([observed]), truth(true, bound), floor, nowhere).agrees is agrees


@pytest.mark.parametrize(("observed", "agrees"), [(0.0, True), (0.5, True), (1.0, True), (1.5, False)])
def test_all_between_both_sides_of_a_jump_is_right(observed: float, agrees: bool) -> None:
    sides = np.array([1.0]), np.array([0.0])
    assert grade(np.array([observed]), truth(0.25, 1e-16), 0.0, lambda: sides).agrees is agrees


def test_second_derivatives_are_those_of_the_formula() -> None:
    """The Hessian of the sum of BCEWithLogits is diag(s (1 - s)), with -1 between a logit and its target."""
    x, t = np.array([0.5, -1.0]), np.array([0.25, 1.0])
    call = prepare("BCEWithLogitsLoss", {"reduction": "sum"}, {"input": x, "target": t})
    directions = directions_of(call, F64)
    s = 1 / (1 + np.exp(-x))
    upstream = np.array(2.0)
    second = second_derivatives(call, upstream, directions, F64)
    expected = 2 * (s * (1 - s) * directions["input"] - directions["target"])
    np.testing.assert_allclose(second["input"].value, expected, rtol=1e-14)
    np.testing.assert_allclose(second["target"].value, -2 * directions["input"], rtol=1e-14)
    before, behind = one_sided_limits(call, upstream, directions)["input"]
    np.testing.assert_allclose(before, behind, rtol=1e-15)

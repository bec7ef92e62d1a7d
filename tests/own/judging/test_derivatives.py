"""Derivatives along a direction: of the sum over all tensors, of the closed form, and beside a kink."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lossproof.judging.derivatives import (
    derivative_along,
    directions_of,
    one_sided_limits,
    second_derivatives,
)
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.numbers.overflow import NEGATIVE, POSITIVE
from lossproof.reference.evaluation import PreparedCall, prepare

FLOAT64 = FORMATS["float64"]


def call(loss: str, params: dict[str, Any] | None = None, **args: Any) -> PreparedCall:
    return prepare(loss, {"reduction": "sum"} | (params or {}), args)


def truth(values: Any, remainder: float = 0.0, bound: float = 0.0) -> Truth:
    true = np.asarray(values, dtype=np.float64)
    nothing = np.zeros(true.shape)
    return Truth(true, nothing + remainder, nothing + bound, nothing > 0, FLOAT64)


@pytest.mark.parametrize("name", DEFAULT_DTYPES)
def test_each_tensor_moves_in_a_direction_of_its_own(name: str) -> None:
    zeros = np.zeros((40, 50))
    directions = directions_of(call("MSELoss", input=zeros, target=zeros), FORMATS[name])
    assert set(directions) == {"input", "target"}
    for direction in directions.values():
        with pytest.raises(ValueError, match="read-only"):
            direction[0, 0] = 3.0
        np.testing.assert_array_equal(FORMATS[name].round(direction), direction)
        assert -2 <= direction.min() < -1.9
        assert 1.9 < direction.max() <= 2
    assert not np.array_equal(directions["input"], directions["target"])


def test_the_derivative_along_is_the_sum_of_gradients_times_directions() -> None:
    gradients = {"input": truth([[1.0, 2.0], [4.0, 8.0]], bound=2.0**-40), "weight": truth([16.0])}
    directions = {"input": np.array([[1.0, -1.0], [0.5, 2.0]]), "weight": np.array([0.25])}
    along = derivative_along(gradients, directions)
    assert (along.value.shape, float(along.value)) == ((), 1 - 2 + 2 + 16 + 4)
    # Each error goes along, and there is rounding besides.
    assert 4.5 * 2.0**-40 < along.bound < 4.6 * 2.0**-40
    assert not along.overflows


def test_the_derivative_along_is_known_beyond_float64() -> None:
    along = derivative_along({"input": truth([1.0], remainder=2.0**-60)}, {"input": np.array([0.5])})
    assert (float(along.value), float(along.remainder)) == (0.5, 2.0**-61)


def test_the_derivative_along_is_as_free_as_the_gradients() -> None:
    bound, direction = truth([1.0], bound=0.5), np.array([1.0])
    free = replace(bound, strict_bound=np.array([2.0**-40]), freedom="kink")
    directions = {"input": direction, "target": direction}
    along = derivative_along({"input": truth([1.0]), "target": free}, directions)
    assert along.freedom == "kink"
    assert 0.5 < along.bound < 0.51
    assert along.strict_bound is not None
    assert 2.0**-40 < along.strict_bound < 2.0**-39
    along = derivative_along({"input": truth([1.0]), "target": bound}, directions)
    assert (along.freedom, along.strict_bound) == ("", None)


@pytest.mark.parametrize(("direction", "mark"), [(1.0, POSITIVE), (-1.0, NEGATIVE)])
def test_what_may_overflow_in_one_element_may_overflow_along(direction: float, mark: int) -> None:
    marked = replace(truth([1.0, 2.0]), overflows=np.array([POSITIVE, 0]))
    along = derivative_along({"input": marked}, {"input": np.full(2, direction)})
    assert along.overflows == mark


def test_what_does_not_move_is_a_constant() -> None:
    logits, targets, weight = np.array([0.5, -1.0]), np.array([0.25, 1.0]), np.array([2.0, 3.0])
    weighted = call("BCEWithLogitsLoss", {"weight": weight}, input=logits, target=targets)
    directions = {"input": np.array([1.0, -0.5])}
    second = second_derivatives(weighted, np.array(1.0), directions, FLOAT64)
    share = 1 / (1 + np.exp(-logits))
    expected = weight * share * (1 - share) * directions["input"]
    np.testing.assert_allclose(second["input"].value, expected, rtol=1e-14)


@pytest.mark.parametrize("format", [FLOAT64, FORMATS["float32"]])
def test_second_derivatives_are_taken_at_the_point_itself(format: Any) -> None:
    """Those of x^2 / 2 are the direction, up to delta and no further."""
    directions = {"input": np.array([1.0, 1.0, 1.0])}
    huber = call("HuberLoss", input=[0.5, 1 - 2.0**-24, 1 + 2.0**-23], target=[0.0, 0.0, 0.0])
    second = second_derivatives(huber, np.array(1.0), directions, format)["input"]
    assert second.value.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("distance", "before", "behind"),
    [(1.0, 1.0, 0.0), (1 - 2.0**-53, 1.0, 1.0), (1 + 2.0**-52, 0.0, 0.0)],
)
@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_beside_is_nearer_than_any_other_number(
    distance: float, before: float, behind: float, direction: float
) -> None:
    """Huber's second derivative is 1 up to delta, which is 1, and 0 beyond."""
    huber = call("HuberLoss", input=[direction * distance], target=[0.0])
    sides = one_sided_limits(huber, np.array(1.0), {"input": np.array([direction])})
    assert [float(side[0]) for side in sides["input"]] == [before * direction, behind * direction]

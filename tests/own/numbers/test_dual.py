"""Dual numbers: their derivatives against difference quotients at many digits; and what all numbers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.numbers.ball import Ball
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.dual import Dual
from lossproof.numbers.formats import FORMATS
from lossproof.reference.evaluation import prepare
from lossproof.reference.softmax import log_sigmoid, log_softmax, sigmoid, softmax

STEP = 2.0**-150
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x + x + 3.0,
    "difference": lambda x: 2.0 - x - x * 0.25,
    "product": lambda x: x * (x + 1.0),
    "quotient": lambda x: (x + 3.0) / (x * x + 1.0),
    "opposite": lambda x: -(x * x),
    "magnitude": lambda x: np.abs(x) * x,
    "exponential": lambda x: np.exp(x * 0.5),
    "logarithm": lambda x: np.log(x * x + 0.5),
    "logarithm of one plus": lambda x: np.log1p(x * x),
    "greater": lambda x: np.maximum(x * x, 0.75),
    "sign": lambda x: np.sign(x) * x,
    "choice": lambda x: np.where([True, False], x * x, np.exp(x)),
    "total": lambda x: np.sum(x * x),
    "largest": lambda x: np.max(x * [1.0, 2.0], axis=0),
    "softmax": lambda x: softmax(x * [1.0, 2.0], dim=0),
    "log-softmax": lambda x: log_softmax(x * [1.0, 2.0], dim=0),
    "sigmoid": sigmoid,
    "log-sigmoid": log_sigmoid,
}


def dual(values: Any, direction: Any) -> Array:
    return Dual(Ball.exact(values), Ball.exact(direction))


def tangents(result: Array) -> Any:
    return result.tangent.midpoints()[0]


@pytest.mark.parametrize("name", list(FUNCTIONS))
@given(value=st.integers(-400, 400).map(lambda k: k / 64 + 2.0**-9), slope=st.sampled_from([1.0, -0.75, 4.0]))
def test_derivatives_are_the_limits_of_difference_quotients(name: str, value: float, slope: float) -> None:
    function = FUNCTIONS[name]
    point = np.array([value, value / 2])
    with flint.ctx.workprec(600):
        result = function(dual(point, [slope, slope]))
        step = Ball.exact([slope * STEP, slope * STEP])
        x = Ball.exact(point)
        quotient = (function(x + step) - function(x - step)) / (2 * STEP)
        difference = (result.tangent - quotient).midpoints()[0]
        real = (result.real - function(x)).midpoints()[0]
    assert np.all(np.abs(difference) <= 1e-75 * (1 + abs(value) ** 3) * np.exp(abs(value)))
    assert np.all(np.abs(real) < 1e-150)


def test_a_constant_has_no_derivative() -> None:
    x = dual([1.0, 2.0], [1.0, 1.0])
    assert tangents(x * 0.0 + [5.0, 6.0]).tolist() == [0, 0]
    assert tangents(np.sign(x)).tolist() == [0, 0]
    assert tangents(np.zeros_like(x)).tolist() == [0, 0]


def test_kinks_have_the_documented_subgradients() -> None:
    assert tangents(np.abs(dual([0.0], [1.0]))).tolist() == [0]
    assert tangents(np.maximum(dual([2.0], [3.0]), dual([2.0], [5.0]))).tolist() == [3]
    assert tangents(np.max(dual([2.0, 2.0, 1.0], [3.0, 5.0, 100.0]), axis=0)) == 4
    assert tangents(np.max(dual([[2.0, 1.0]], [[3.0, 5.0]]), axis=1, keepdims=True)).tolist() == [[3]]


def test_comparisons_look_at_the_values() -> None:
    x, y = dual([1.0, 2.0], [9.0, 0.0]), dual([2.0, 1.0], [0.0, 9.0])
    assert (x < y).tolist() == [True, False]
    assert (x == y).tolist() == [False, False]


def test_on_a_closed_form_gradient_they_give_second_derivatives() -> None:
    """The Hessian of cross entropy is diag(p) - p p^T, whatever the target."""
    logits = np.array([[2.0, -1.0, 0.5]])
    call = prepare("CrossEntropyLoss", {"reduction": "sum"}, {"input": logits, "target": [1]})

    def column(place: int) -> Ball:
        def lift(values: Any) -> Dual:
            real = Ball.exact(values)
            moves = values is call.arguments["input"]
            return Dual(real, Ball.exact(np.eye(3)[[place]] if moves else np.zeros(real.shape)))

        tangent: Ball = call.gradient(np.ones(()), lift)["input"].tangent
        return tangent

    for place in range(3):
        with flint.ctx.workprec(192):
            p = softmax(Ball.exact(logits), dim=1)
            difference = column(place) - (p * np.eye(3)[[place]] - p * p[:, place : place + 1])
        assert np.all(np.abs(difference.midpoints()[0]) < 1e-50)


KINDS: dict[str, Callable[[Any], NumberArray]] = {
    "balls": Ball.exact,
    "duals": lambda values: dual(values, np.ones_like(values)),
    "bounded": lambda values: Bounded.exact(values, FORMATS["float32"]),
}
MOVES: dict[str, Callable[[Any], Any]] = {
    "index": lambda x: x[1],
    "slice": lambda x: x[:, 1:],
    "mask": lambda x: x[np.array([[True, False, True], [False, True, False]])],
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[2], [0]]), 1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 1), 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "transpose": np.transpose,
    "ravel": np.ravel,
    "where": lambda x: np.where([[True, False, True]], x, 9.0),
}


def values_of(number: Array) -> Any:
    """The plain values of any number."""
    if isinstance(number, Dual):
        number = number.real
    return number.midpoints()[0] if isinstance(number, Ball) else number.value


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("move", list(MOVES))
def test_moving_elements_moves_every_component(kind: str, move: str) -> None:
    plain = np.arange(6.0).reshape(2, 3)
    moved, expected = MOVES[move](KINDS[kind](plain)), MOVES[move](plain)
    assert type(moved) is type(KINDS[kind](plain))
    np.testing.assert_array_equal(values_of(moved), expected)
    assert (moved.shape, moved.ndim, moved.size) == (expected.shape, expected.ndim, expected.size)
    assert np.shape(moved) == expected.shape
    for component in moved.components:
        assert component.shape == expected.shape


@pytest.mark.parametrize("kind", list(KINDS))
def test_zeros_like_is_exactly_zero_in_the_same_shape(kind: str) -> None:
    zeros = np.zeros_like(KINDS[kind](np.ones((2, 3))))
    assert values_of(zeros).tolist() == np.zeros((2, 3)).tolist()


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("operation", [np.sinh, np.mean, np.multiply.reduce])
def test_what_a_number_does_not_define_is_an_error(kind: str, operation: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="does not define numpy"):
        operation(KINDS[kind]([1.0, 2.0]))

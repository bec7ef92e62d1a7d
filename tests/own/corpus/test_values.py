"""From a tensor as written to its numbers: rounded once, derived correctly, and nothing lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import DIGITS, LAYOUTS, decimal_of, literal, nearest_even
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.generator import draw_index, draw_uniform
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import (
    Concatenate,
    Derived,
    Fill,
    Index,
    Patch,
    Permute,
    Reshape,
    Tensor,
    Uniform,
)
from lossproof.corpus.values import approximate, exact_balls, rounded
from lossproof.numbers.ball import certified
from lossproof.numbers.formats import FORMATS

NAMES = tuple(FORMATS)
UNIFORM = Uniform(parse_numeral("-4"), parse_numeral("4"), (2, 3), 7)
MATRIX = literal([["1", "-2", "0.3"], ["4.5", "1e-5", "6"]])
DECIMALS = st.decimals(
    min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=9
) | st.builds(Decimal, st.tuples(st.just(0), st.just((1, 7)), st.integers(-50, 4)))


def of(tensor: Tensor, name: str) -> list[float]:
    numbers: list[float] = rounded(tensor, FORMATS[name]).ravel().tolist()
    return numbers


@pytest.mark.parametrize("name", NAMES)
@given(value=DECIMALS)
def test_a_decimal_is_rounded_once(name: str, value: Decimal) -> None:
    expected = nearest_even(Fraction(value), name)
    np.testing.assert_array_equal(of(literal([str(value)]), name), [expected])
    np.testing.assert_array_equal(of(Fill(parse_numeral(str(value)), (1,)), name), [expected])


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        # Each lies a hair above a tie of its format, which float64 cannot tell from the tie.
        ("1.00000005960464477539062500000000001", "float32", 1 + 2.0**-23),
        ("1.00390625000000000000000000000000001", "bfloat16", 1 + 2.0**-7),
        ("1.00048828125000000000000000000000001", "float16", 1 + 2.0**-10),
        ("1.00048828125", "float16", 1.0),
        ("1e-45", "float32", 2.0**-149),
        ("0.7e-45", "float32", 0.0),
        ("0x1p-149", "float32", 2.0**-149),
        ("0x1p-150", "float32", 0.0),
        ("6e-8", "float16", 2.0**-24),
        ("1e-40", "bfloat16", 2.0**-133),
        ("5e-324", "float64", 5e-324),
        ("65519.9", "float16", 65504.0),
        ("65520", "float16", math.inf),
        ("-65520.0", "float16", -math.inf),
        ("1e400", "float64", math.inf),
        ("9007199254740993", "float64", 9007199254740992.0),
        ("0x1.000002p0", "float32", 1 + 2.0**-23),
    ],
)
def test_ties_subnormals_and_the_range(text: str, name: str, expected: float) -> None:
    assert of(literal([text]), name) == [expected]


@pytest.mark.parametrize("name", NAMES)
def test_what_no_fraction_holds_is_kept(name: str) -> None:
    numbers = of(literal([".nan", ".inf", "-.inf", "-0.0", "-0", "0", "0.0"]), name)
    beyond = FORMATS[name].overflow([1.0, -1.0])
    np.testing.assert_array_equal(numbers[:3], [math.nan, *beyond])
    assert numbers[3:] == [0] * 4
    assert [math.copysign(1, number) for number in numbers[3:]] == [-1, -1, 1, 1]


def test_a_large_integer_is_rounded_once() -> None:
    assert of(literal(["1152921573326323713"]), "float32") == [2.0**60 + 2.0**37]


def test_an_integer_beyond_float64_is_infinite() -> None:
    assert of(literal(["1" + "0" * 400]), "float64") == [math.inf]


def test_a_fill_keeps_the_sign_of_zero() -> None:
    assert math.copysign(1, of(Fill(parse_numeral("-0.0"), (1,)), "float64")[0]) == -1


def exp(x: Decimal) -> Decimal:
    return DIGITS.exp(x)


def decimal_sigmoid(values: list[Decimal]) -> list[Decimal]:
    return [DIGITS.divide(Decimal(1), 1 + exp(-x)) for x in values]


def decimal_softmax(values: list[Decimal]) -> list[Decimal]:
    total = DIGITS.add(Decimal(0), sum((exp(x) for x in values), Decimal(0)))
    return [DIGITS.divide(exp(x), total) for x in values]


def decimal_log_softmax(values: list[Decimal]) -> list[Decimal]:
    total = Decimal(0)
    for x in values:
        total = DIGITS.add(total, exp(x))
    return [DIGITS.subtract(x, DIGITS.ln(total)) for x in values]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("function", "dim", "expected"),
    [
        ("sigmoid", None, decimal_sigmoid),
        ("softmax", 0, decimal_softmax),
        ("log_softmax", 0, decimal_log_softmax),
    ],
)
@given(values=st.lists(st.decimals(-60, 60, places=3), min_size=1, max_size=4))
def test_a_derived_tensor_is_the_correctly_rounded_function_of_the_decimals(
    name: str,
    function: str,
    dim: int | None,
    expected: Callable[[list[Decimal]], list[Decimal]],
    values: list[Decimal],
) -> None:
    tensor = Derived(function, literal([str(value) for value in values]), dim)
    if function == "log_softmax" and len(values) == 1:
        assert of(tensor, name) == [0.0]
        return
    truth = [nearest_even(Fraction(number), name) for number in expected(values)]
    assert of(tensor, name) == truth


@pytest.mark.parametrize("name", NAMES)
@given(value=st.decimals("0.001", 1000, places=3))
def test_a_logarithm_is_correctly_rounded(name: str, value: Decimal) -> None:
    truth = nearest_even(Fraction(DIGITS.ln(value)), name)
    assert of(Derived("log", literal([str(value)]), None), name) == [truth]


def test_derived_tensors_of_special_values() -> None:
    assert of(Derived("log", literal(["0", "1"]), None), "float32") == [-math.inf, 0]
    assert of(Derived("sigmoid", literal([".inf", "-.inf", "0"]), None), "float16") == [1, 0, 0.5]
    assert of(Derived("softmax", literal(["0", "-.inf"]), 0), "bfloat16") == [1, 0]
    assert np.isnan(of(Derived("log", literal(["-1", ".nan"]), None), "float64")).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_a_drawn_tensor_is_that_of_the_numbers_drawn_in_the_dtype(name: str) -> None:
    drawn = draw_uniform(-4.0, 4.0, (2, 3), 7, FORMATS[name])
    truth = [nearest_even(Fraction(decimal_sigmoid([decimal_of(x)])[0]), name) for x in drawn.ravel()]
    assert of(Derived("sigmoid", UNIFORM, None), name) == truth


def test_a_function_of_a_rearranged_drawn_tensor_sees_the_same_numbers() -> None:
    plain = of(Derived("sigmoid", UNIFORM, None), "bfloat16")
    assert of(Derived("sigmoid", Reshape(UNIFORM, (6,)), None), "bfloat16") == plain


def test_a_function_of_a_decimal_sees_it_before_any_rounding() -> None:
    """Rounding 2.7 to bfloat16 first would give another logarithm."""
    first_rounded = nearest_even(
        Fraction(DIGITS.ln(decimal_of(nearest_even(Fraction("2.7"), "bfloat16")))), "bfloat16"
    )
    right = nearest_even(Fraction(DIGITS.ln(Decimal("2.7"))), "bfloat16")
    assert right != first_rounded
    assert of(Derived("log", literal(["2.7"]), None), "bfloat16") == [right]


def test_functions_run_along_their_dimension() -> None:
    for dim, axis in ((0, 0), (1, 1), (-1, 1)):
        sums = np.sum(rounded(Derived("softmax", MATRIX, dim), FORMATS["float64"]), axis=axis)
        np.testing.assert_allclose(sums, 1, rtol=1e-15)


def test_tensors_are_rearranged_as_in_numpy() -> None:
    plain = np.array([[1, -2, 0.3], [4.5, 1e-5, 6]])
    other = literal([["7"], ["8"]])
    rearranged: list[tuple[Tensor, Any]] = [
        (Concatenate((MATRIX, other), 1), np.concatenate([plain, [[7], [8]]], axis=1)),
        (Concatenate((MATRIX, MATRIX), 0), np.concatenate([plain, plain])),
        (Reshape(MATRIX, (3, 2)), plain.reshape(3, 2)),
        (Permute(MATRIX, (1, 0)), plain.T),
        (Patch(MATRIX, ((0, 1), (-1, -3)), literal(["7", "8"])), [[1, 7, 0.3], [8, 1e-5, 6]]),
        (Fill(parse_numeral("2.5"), (0, 3)), np.full((0, 3), 2.5)),
        (UNIFORM, draw_uniform(-4.0, 4.0, (2, 3), 7, FORMATS["float64"])),
        (Index(9, (4,), 3), draw_index(9, (4,), 3)),
    ]
    for tensor, expected in rearranged:
        numbers = rounded(tensor, FORMATS["float64"])
        np.testing.assert_array_equal(numbers, expected)
        assert tensor.shape == numbers.shape == np.shape(expected)
        balls = certified(partial(exact_balls, tensor))
        np.testing.assert_array_equal(balls.midpoints()[0], expected)


def test_shapes_are_known_without_numbers() -> None:
    assert Derived("softmax", MATRIX, 1).shape == (2, 3)
    assert Concatenate((MATRIX, MATRIX, UNIFORM), -2).shape == (6, 3)
    assert Permute(Reshape(MATRIX, (1, 2, 3)), (2, 0, 1)).shape == (3, 1, 2)
    assert Fill(parse_numeral("0"), (10**9, 10**9)).shape == (10**9, 10**9)


@given(values=st.lists(st.decimals(-1000, 1000, places=6), min_size=1, max_size=5))
def test_balls_hold_the_decimals_before_any_rounding(values: list[Decimal]) -> None:
    balls = certified(lambda: exact_balls(literal([str(value) for value in values])))
    high, low = balls.midpoints()
    for value, first, second in zip(values, high, low, strict=True):
        assert abs(Fraction(float(first)) + Fraction(float(second)) - Fraction(value)) < Fraction(2) ** -90


@pytest.mark.parametrize(("function", "dim"), [("sigmoid", None), ("softmax", 0), ("log_softmax", 1)])
def test_an_approximation_is_as_close_as_floats_are(function: str, dim: int | None) -> None:
    tensor, format = Derived(function, UNIFORM, dim), FORMATS["float64"]
    np.testing.assert_allclose(approximate(tensor, format), rounded(tensor, format), rtol=1e-12)
    assert np.array_equal(approximate(UNIFORM, format), rounded(UNIFORM, format))


def test_an_approximation_warns_of_nothing() -> None:
    zero_and_one = Derived("log", literal(["0", "1"]), None)
    assert approximate(zero_and_one, FORMATS["float64"]).tolist() == [-math.inf, 0]


def test_balls_of_functions_stay_unrounded() -> None:
    ball = certified(lambda: exact_balls(Derived("log", literal(["0.3"]), None)))
    high, low = ball.midpoints()
    error = Fraction(float(high[0])) + Fraction(float(low[0])) - Fraction(DIGITS.ln(Decimal("0.3")))
    assert abs(error) < Fraction(2) ** -100


@pytest.mark.parametrize(
    ("tensor", "dtype"),
    [
        (literal(["1"]), None),
        (literal(["1"], dtype="int32"), "int32"),
        (Fill(parse_numeral("0"), (2,), "bool"), "bool"),
        (Index(3, (2,), 1), "int64"),
        (UNIFORM, None),
        (Reshape(Permute(Index(3, (2, 2), 1), (1, 0)), (4,)), "int64"),
        (Patch(Index(3, (2,), 1), ((0,),), literal(["1"])), "int64"),
        (Concatenate((literal(["1"], dtype="uint8"), literal(["2"], dtype="uint8")), 0), "uint8"),
        (Derived("log", literal(["1"]), None), None),
    ],
)
def test_the_dtype_that_a_tensor_insists_on(tensor: Tensor, dtype: str | None) -> None:
    assert tensor.dtype == dtype


def test_every_format_is_held_against_the_oracle() -> None:
    assert set(LAYOUTS) >= set(FORMATS)

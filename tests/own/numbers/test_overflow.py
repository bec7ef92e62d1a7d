"""What an overflow may turn a number into: all that honest arithmetic yields, and no more than that."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_arithmetic import Simulated

from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.formats import FORMATS
from lossproof.numbers.log_sum_exp import log_sum_exp
from lossproof.numbers.overflow import NEGATIVE, POSITIVE, UNDEFINED, marks_of
from lossproof.numbers.rules import Rules, following
from lossproof.numbers.vector_norm import vector_norm

FLOAT16 = FORMATS["float16"]
ANY_SIGN = POSITIVE | NEGATIVE

UNARY: tuple[Callable[[Any], Any], ...] = (
    np.negative,
    np.abs,
    np.exp,
    lambda x: np.exp(-np.abs(x)),
    lambda x: np.log(np.abs(x) + 0.25),
    lambda x: np.maximum(x, 0.5),
    lambda x: np.minimum(x, 300.0),
    lambda x: np.where([True, False, True, False], x, 1.0),
    lambda x: x * x,
    lambda x: x * 0.0,
    lambda x: np.reshape(x, (2, 2)).ravel() if isinstance(x, np.ndarray) else np.ravel(np.reshape(x, (2, 2))),
)
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    np.add,
    np.subtract,
    np.multiply,
    np.maximum,
    np.true_divide,
    lambda x, y: x / (np.abs(y) + 0.5),
)
PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(UNARY) - 1), st.integers(0, len(BINARY) - 1)), min_size=1, max_size=5
)


def run(program: list[tuple[int, int]], first: Any, second: Any) -> Any:
    for unary, binary in program:
        first, second = BINARY[binary](UNARY[unary](first), second), first
    return first


@given(program=PROGRAMS, draws=st.lists(st.integers(-4000, 4000), min_size=8, max_size=8))
def test_what_honest_arithmetic_overflows_to_is_marked(
    program: list[tuple[int, int]], draws: list[int]
) -> None:
    values = FLOAT16.round(np.array(draws) / 8)
    first, second = values[:4], values[4:]
    with np.errstate(all="ignore"):
        bounded = run(program, Bounded.exact(first, FLOAT16), Bounded.exact(second, FLOAT16))
        observed = run(program, Simulated(first, FLOAT16), Simulated(second, FLOAT16)).value
    # Near the largest number, and where a divisor may be zero, rounding decides what the marks do not know.
    is_clear = np.isfinite(bounded.value) & np.isfinite(bounded.bound) & (np.abs(bounded.value) < 1e300)
    is_clear &= np.abs(bounded.value) + bounded.bound < FLOAT16.largest
    came_out = marks_of(observed)
    assert np.all((came_out & ~bounded.overflows)[is_clear] == 0)


def number(*values: float) -> Array:
    return Bounded.exact(np.array(values), FLOAT16)


def large() -> Array:
    """One that may be plus infinity, and one that is a number for certain."""
    return number(300.0, 0.01) * 300.0


@pytest.mark.parametrize(
    ("compute", "mark"),
    [
        (lambda x: x + 1.0, POSITIVE),
        (lambda x: 1.0 - x, NEGATIVE),
        (lambda x: x - x, ANY_SIGN | UNDEFINED),
        (lambda x: x * -2.0, NEGATIVE),
        (lambda x: x * 0.0, UNDEFINED),
        (lambda x: x * 2.0**-25, POSITIVE | UNDEFINED),  # the factor may be flushed to zero
        (lambda x: x / -2.0, NEGATIVE),
        (lambda x: x / x, POSITIVE | UNDEFINED),
        (lambda x: 1.0 / x, 0),
        (lambda x: np.exp(-x), 0),
        (lambda x: np.log(-x), UNDEFINED),
        (lambda x: np.sqrt(x), POSITIVE),
        (lambda x: np.arctan(x), 0),
        (lambda x: np.power(x, 2.0), POSITIVE),
        (lambda x: np.power(x, -2.0), 0),
        (lambda x: np.sign(x), 0),
        (lambda x: np.heaviside(x - x, 1.0), UNDEFINED),
        (lambda x: np.abs(-x), POSITIVE),
        (lambda x: np.maximum(-x, 0.0), 0),
        (lambda x: np.minimum(x, 5.0), 0),
        (lambda x: np.maximum(x, 5.0), POSITIVE),
        (lambda x: np.maximum(x - x, 5.0), POSITIVE | UNDEFINED),
    ],
)
def test_an_infinity_becomes_what_ieee_754_says(compute: Callable[[Array], Array], mark: int) -> None:
    with np.errstate(all="ignore"):
        result = compute(large())
    assert result.overflows.tolist() == [mark, 0]


def test_along_an_axis_an_overflow_reaches_the_rows_that_hold_it() -> None:
    both = np.stack([large(), -large()])
    assert np.sum(both, axis=0).overflows.tolist() == [ANY_SIGN | UNDEFINED, 0]
    assert np.sum(both, axis=1).overflows.tolist() == [POSITIVE, NEGATIVE]
    assert np.max(both, axis=0).overflows.tolist() == [POSITIVE, 0]
    assert np.max(both, axis=1).overflows.tolist() == [POSITIVE, 0]
    # One element that is either infinity is no pair of them.
    either = large() - large()
    assert np.sum(either).overflows == either.overflows[0]
    assert vector_norm(both, 2, 0).overflows.tolist() == [[POSITIVE, 0]]
    assert log_sum_exp(both, 0).overflows.tolist() == [POSITIVE | UNDEFINED, 0]
    assert log_sum_exp(-np.stack([large(), large()]), 0).overflows.tolist() == [NEGATIVE, 0]
    assert log_sum_exp(np.stack([-large(), number(1.0, 1.0)]), 0).overflows.tolist() == [0, 0]


def test_mixed_with_plain_numbers_the_marks_stay_in_their_places() -> None:
    plain = number(1.0, 2.0)
    mixed: Array = np.where([True, False], large(), plain)
    assert mixed.overflows.tolist() == [POSITIVE, 0]
    mixed = np.where([True, False], plain, large())
    assert mixed.overflows.tolist() == [0, 0]
    mixed = np.concatenate([plain, large()])
    assert mixed.overflows.tolist() == [0, 0, POSITIVE, 0]


def test_whoever_asks_is_told_the_operation_that_overflows() -> None:
    told: list[str] = []

    def note(is_beyond: Any, words: Callable[[tuple[int, ...]], str]) -> None:
        told.append(words((int(np.argmax(is_beyond)),)))

    with following(Rules(note_overflow=note)), np.errstate(all="ignore"):
        np.exp(number(1.0, 12.0)) / (number(200.0, 300.0) * 300.0)
    assert told == ["exp(12) = 162755", "300 * 300 = 90000"]


def test_a_truly_infinite_number_is_no_overflow() -> None:
    infinite = number(math.inf, 1.0)
    with np.errstate(invalid="ignore"):
        results = (infinite + 1.0, infinite * 2.0, np.exp(infinite), np.log(infinite * 0.0 + 1.0))
    for result in results:
        assert result.overflows.tolist() == [0, 0]

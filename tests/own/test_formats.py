"""The floating-point formats: torch's constants, and rounding held against integer arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
import torch
from exact_arithmetic import nearest_even
from hypothesis import example, given
from hypothesis import strategies as st

from lossproof.numbers.formats import FORMATS, Float64Array

NAMES = tuple(FORMATS)
NUMPY_TYPES = {"float32": np.float32, "float16": np.float16}


def every_number_of(name: str) -> Float64Array:
    """All 65,536 numbers of a format of sixteen bits."""
    bits = np.arange(1 << 16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):  # some of them are signalling nans
        if name == "float16":
            numbers = bits.view(np.float16).astype(np.float64)
        else:
            numbers = (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        return np.where(np.isnan(numbers), np.nan, numbers)


def assert_identical(first: npt.ArrayLike, second: npt.ArrayLike) -> None:
    """Equal numbers with equal signs, also of zeros."""
    np.testing.assert_array_equal(first, second)
    numbers = ~np.isnan(np.asarray(first))
    np.testing.assert_array_equal(np.signbit(first)[numbers], np.signbit(second)[numbers])


@pytest.mark.parametrize("name", NAMES)
def test_constants_are_those_of_torch(name: str) -> None:
    format, known = FORMATS[name], torch.finfo(getattr(torch, name))
    assert format.unit_roundoff == known.eps / 2
    assert format.largest == known.max
    assert 2.0**format.smallest_exponent == known.smallest_normal
    assert format.subnormal_spacing == known.smallest_normal * known.eps


def test_sums_are_kept_in_at_least_float32() -> None:
    roundoffs = {name: format.accumulator.unit_roundoff for name, format in FORMATS.items()}
    assert roundoffs == {
        "float64": 2.0**-53,
        "float32": 2.0**-24,
        "bfloat16": 2.0**-24,
        "float16": 2.0**-24,
    }


def test_an_operation_may_flush_to_zero_except_in_float16() -> None:
    underflows = {name: format.underflow for name, format in FORMATS.items()}
    assert underflows == {
        "float64": 2.0**-1022,
        "float32": 2.0**-126,
        "bfloat16": 2.0**-126,
        "float16": 2 * 2.0**-24,
    }


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_every_number_of_a_format_stays_as_it_is(name: str) -> None:
    numbers = every_number_of(name)
    assert_identical(FORMATS[name].round(numbers), numbers)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_every_tie_goes_to_even(name: str) -> None:
    """Half-way between neighbours lies a tie; of the two, that with an even last bit is right."""
    numbers = every_number_of(name)
    finite = np.sort(numbers[np.isfinite(numbers) & (numbers > 0)])
    ties = (finite[:-1] + finite[1:]) / 2
    even = np.where(np.arange(1, ties.size + 1) % 2 == 0, finite[:-1], finite[1:])
    assert_identical(FORMATS[name].round(ties), even)
    assert_identical(FORMATS[name].round(-ties), -even)
    assert_identical(FORMATS[name].round(np.nextafter(ties, 0)), finite[:-1])
    assert_identical(FORMATS[name].round(np.nextafter(ties, np.inf)), finite[1:])


@pytest.mark.parametrize("name", list(NUMPY_TYPES))
@given(value=st.floats())
@example(value=65520.0)
@example(value=65519.999999999)
@example(value=3.4028235677973366e38)
@example(value=3.4028235677973362e38)
@example(value=2.0**-150)
@example(value=math.nextafter(2.0**-150, 1))
@example(value=-(2.0**-25))
def test_rounding_agrees_with_numpy(name: str, value: float) -> None:
    if abs(value) >= 2.0**1023:
        return  # see test_the_largest_float64_overflows_in_silence
    with np.errstate(all="ignore"):
        expected = np.float64(value).astype(NUMPY_TYPES[name]).astype(np.float64)
    assert_identical(FORMATS[name].round(value), expected)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_the_largest_float64_overflows_in_silence(name: str) -> None:
    assert_identical(
        FORMATS[name].round([1.7976931348623157e308, -1.7976931348623157e308]), [np.inf, -np.inf]
    )


@pytest.mark.parametrize("name", NAMES)
@given(value=st.fractions() | st.floats(allow_nan=False, allow_infinity=False).map(Fraction))
@example(value=Fraction(10) ** 400)
@example(value=-(Fraction(10) ** 400))
@example(value=Fraction(10) ** -400)
@example(value=Fraction(1, 10))
@example(value=Fraction(2) ** -1074 * Fraction(3, 2))
def test_exact_values_are_rounded_to_the_nearest(name: str, value: Fraction) -> None:
    if abs(value) >= Fraction(2) ** 1023 and abs(value) < Fraction(2) ** 1024:
        return  # see test_the_largest_float64_overflows_in_silence
    assert FORMATS[name].round_exact([value])[0] == nearest_even(value, name)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
@given(mantissa=st.integers(1, 1 << 24), sign=st.sampled_from([-1, 1]), far=st.integers(60, 400))
def test_exact_values_are_rounded_only_once(name: str, mantissa: int, sign: int, far: int) -> None:
    """A hair beside a tie: float64 would land on the tie itself, and then go the wrong way."""
    tie = Fraction(2 * (mantissa % (1 << FORMATS[name].precision)) + 1) * Fraction(2) ** -10
    value = tie + sign * Fraction(2) ** -far
    assert FORMATS[name].round_exact([value])[0] == nearest_even(value, name)


@pytest.mark.parametrize("name", NAMES)
def test_what_no_fraction_holds_is_kept(name: str) -> None:
    special = [math.nan, math.inf, -math.inf, -0.0]
    assert_identical(FORMATS[name].round_exact(special), special)


@pytest.mark.parametrize("name", NAMES)
def test_rounding_keeps_the_shape(name: str) -> None:
    assert FORMATS[name].round(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert FORMATS[name].round(1.5).shape == ()

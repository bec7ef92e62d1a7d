"""Numbers in sentences and tables: as many digits as are certain, and no exponent that is not needed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.command_line.digits import rounded_text
from lossproof.judging.number_text import (
    observed_digits,
    observed_text,
    shortest,
    significant,
    true_digits,
    true_text,
)
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS, Format

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def truth(value: float, remainder: float = 0.0, bound: float = 0.0, dtype: str = "float64") -> Truth:
    first, second, third = (np.array([number]) for number in (value, remainder, bound))
    return Truth(first, second, third, np.array([False]), FORMATS[dtype])


def test_a_value_between_two_float64_numbers_is_written_out() -> None:
    """The first number alone would be off by a unit of its own."""
    true = truth(0.9999999999999998, 2.0**-52 - 2.0**-90, 1e-17)
    assert true_text(true, (0,)) == "1.0"
    assert compare(np.array([0.5]), true).message.startswith("at [0] is 0.5, should be 1.0: ")
    assert true_text(truth(0.1, 1e-20, 1e-18), (0,)) == "0.10000000000000000556"


def test_what_float64_holds_is_written_as_python_does() -> None:
    for value in (2.5, -1.0, 0.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")):
        assert true_text(truth(value), (0,)) == repr(value)


@pytest.mark.parametrize("text", ["0.0", "-0.0", "inf", "-inf", "nan"])
def test_what_has_no_digits_is_written_as_python_does_whatever_its_bound(text: str) -> None:
    assert true_text(truth(float(text), bound=1e-3), (0,)) == text


def test_a_large_value_has_an_exponent_from_where_python_writes_one() -> None:
    for value in (1e15, 1.5e15, 1e16, 1.5e16, 1e20):
        assert true_text(truth(value, bound=value / 100), (0,)) == repr(value)


@pytest.mark.parametrize("bound", [float("inf"), float("nan")])
def test_without_a_bound_all_digits_are_written(bound: float) -> None:
    assert true_text(truth(1 / 3, bound=bound), (0,)) == repr(1 / 3)


def test_digits_that_are_not_certain_are_left_out() -> None:
    assert true_text(truth(0.8132616579532623, bound=2e-7, dtype="float32"), (0,)) == "0.813261657953"
    assert true_text(truth(0.30000000000000004, bound=2e-8, dtype="float32"), (0,)) == "0.3"
    assert true_text(truth(1.2345678e-30, bound=1.0), (0,)) == "1.23e-30"
    assert true_text(truth(1.23456789e-5, bound=1e-6), (0,)) == "1.2345679e-05"


def test_what_a_reference_in_float64_is_off_by_is_no_digit_of_the_truth() -> None:
    """The value is computed in float64 where the run is in float32; its last digits may be wrong."""
    true = truth(0.9999999999999998, bound=3e-7, dtype="float32")
    assert true_text(true, (0,)) == "1.0"
    assert compare(np.array([0.5]), true).message.startswith("at [0] is 0.5, should be 1.0: ")


@given(value=FINITE, share=st.floats(-0.5, 0.5), exponent=st.integers(-60, 0))
def test_the_text_is_within_what_the_digits_claim(value: float, share: float, exponent: int) -> None:
    """As a table that writes twenty digits of the same number has it."""
    with np.errstate(over="ignore"):
        remainder = float(share * np.spacing(np.abs(value)))
        bound = float(np.abs(value) * 2.0**exponent)
    text = true_text(truth(value, remainder, bound), (0,))
    exact = Fraction(value) + Fraction(remainder)
    table = Fraction(rounded_text(exact, 20))
    # Half a unit of the third digit at worst; half a unit of the last certain one otherwise.
    off = max(abs(exact) / 10**19, min(Fraction(bound) / 2**19 * 10, abs(exact) / 100))
    assert abs(Fraction(text) - table) <= off or (remainder == 0 and float(text) == value)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (100.0, 1, "100"),
        (100.0, 3, "100"),
        (1234.5, 3, "1230"),
        (999999.0, 3, "1e+06"),
        (123456.0, 6, "123456"),
        (1234567.0, 3, "1.23e+06"),
        (0.43219, 3, "0.432"),
        (0.00001, 3, "1e-05"),
        (0.00025, 3, "0.00025"),
        (3.876e-7, 3, "3.88e-07"),
        (-2.0, 3, "-2"),
        (0.0, 3, "0"),
        (-0.0, 3, "-0"),
        (float("inf"), 3, "inf"),
        (float("nan"), 3, "nan"),
    ],
)
def test_significant_digits(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


@given(value=FINITE, format=st.sampled_from(list(FORMATS.values())))
def test_the_shortest_text_reads_back_as_the_number(value: float, format: Format) -> None:
    number = float(format.round(value))
    text = shortest(number, format)
    assert float(format.round(float(text))) == number
    assert len(text.lstrip("-").replace(".", "").partition("e")[0].strip("0")) <= 17


def test_one_digit_is_enough_for_a_subnormal_half() -> None:
    assert shortest(2.0**-23, FORMATS["float16"]) == "1e-07"


@pytest.mark.parametrize(("value", "text"), [(100.0, "100"), (2000.0, "2000"), (1e10, "1e+10"), (0.5, "0.5")])
def test_whole_numbers_have_no_exponent(value: float, text: str) -> None:
    assert shortest(value, FORMATS["float32"]) == text


def test_an_observed_number_has_the_digits_of_its_format_and_the_form_of_a_float() -> None:
    texts = {0.6069912910461426: "0.6069913", 1.0: "1.0", 2.0**40: "1099511600000.0", -0.0: "-0.0"}
    assert {number: observed_text(number, FORMATS["float32"]) for number in texts} == texts
    assert observed_text(0.1, FORMATS["float16"]) == "0.1"  # which is none of its numbers


@given(value=FINITE, format=st.sampled_from(list(FORMATS.values())))
def test_an_observed_number_reads_back_as_itself(value: float, format: Format) -> None:
    number = float(format.round(value))
    text = observed_text(number, format)
    assert float(format.round(float(text))) == number
    assert "." in text or "e" in text or not np.isfinite(number)


def test_arrays_have_the_same_digits_as_their_numbers() -> None:
    third = float(np.float32(1 / 3))
    value, bound = np.array([0.45 - 2.0**-54, 12.0]), np.full(2, 1e-8)
    true = Truth(value, np.zeros(2), bound, np.zeros(2, bool), FORMATS["float32"])
    assert true_digits(true) == "[0.45 12.0]"
    assert observed_digits(np.array([third, 12.0]), FORMATS["float32"]) == "[0.33333334       12.0]"
    assert observed_digits(np.full(1000, third), FORMATS["float32"]).count("0.33333334") == 6

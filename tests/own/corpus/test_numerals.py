"""The grammar of numbers: what a text means exactly, and what its digits claim."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.numeral import parse_numeral


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_text_of_a_float_is_that_float(value: float) -> None:
    numeral = parse_numeral(repr(value))
    assert float(numeral) == value
    assert math.copysign(1, float(numeral)) == math.copysign(1, value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_hexadecimal_text_of_a_float_is_exact(value: float) -> None:
    numeral = parse_numeral(value.hex())
    assert numeral.exact == Fraction(value)
    assert numeral.claim == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000))
def test_a_decimal_claims_half_of_its_last_digit(value: object) -> None:
    numeral = parse_numeral(str(value))
    assert numeral.exact == Fraction(str(value))
    assert numeral.claim == Fraction(1, 20000)


@pytest.mark.parametrize(
    ("text", "exact", "claim"),
    [
        ("1e-5", Fraction(1, 100000), Fraction(1, 200000)),
        ("-.5", Fraction(-1, 2), Fraction(1, 20)),
        ("1.", Fraction(1), Fraction(1, 2)),
        ("+3", Fraction(3), Fraction(0)),
        ("1.50E2", Fraction(150), Fraction(1, 2)),
        ("0x1p-149", Fraction(1, 2**149), Fraction(0)),
        ("-0x.8p1", Fraction(-1), Fraction(0)),
        ("-.inf", -math.inf, Fraction(0)),
    ],
)
def test_numbers_mean_what_they_print(text: str, exact: Fraction | float, claim: Fraction) -> None:
    numeral = parse_numeral(text)
    assert (numeral.text, numeral.exact, numeral.claim) == (text, exact, claim)


@pytest.mark.parametrize(
    "text", ["", ".", "1e", "e5", "0x10", "0x1p", "1_0", "inf", "nan", ".Inf", "1,5", " 1", "1 "]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number; write it like"):
        parse_numeral(text)

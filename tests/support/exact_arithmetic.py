"""What the tests of the numbers hold them against: fractions and decimals of the standard library."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Literal

# 80 digits; the exponents reach far enough for the exponential of any float16.
DIGITS = Context(prec=80, Emin=-(10**9), Emax=10**9)
# name: bits of the significand, exponent of the smallest normal number, largest finite number.
LAYOUTS = {
    "float64": (53, -1022, (2**53 - 1) << 971),
    "float32": (24, -126, (2**24 - 1) << 104),
    "bfloat16": (8, -126, (2**8 - 1) << 120),
    "float16": (11, -14, (2**11 - 1) << 5),
    "float8_e5m2": (3, -14, 0b111 << 13),
    "float8_e4m3fn": (4, -6, 0b1110 << 5),
}
WITHOUT_INFINITIES = {"float8_e4m3fn"}


def nearest_even(value: Fraction, name: str) -> float:
    """A fraction rounded to a format, by integer arithmetic alone."""
    precision, smallest, largest = LAYOUTS[name]
    if value == 0:
        return 0.0
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** exponent > magnitude:
        exponent -= 1
    spacing = Fraction(2) ** (max(exponent, smallest) - precision + 1)
    rounded = round(magnitude / spacing) * spacing
    beyond = math.nan if name in WITHOUT_INFINITIES else math.inf
    result = beyond if rounded > largest else float(rounded)
    return result if value > 0 else -result


def decimal_of(value: Fraction | float) -> Decimal:
    """A number as a decimal of 80 digits."""
    exact = Fraction(value)
    return DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def literal(values: Any, dtype: str | None = None) -> Literal:
    """A tensor as a case writes it, from nested lists of texts."""
    array = np.array(values, dtype=object)
    return Literal(tuple(parse_numeral(str(text)) for text in array.ravel()), array.shape, dtype)

"""Numbers as text: with no digits beyond those that are certain, and no exponent unless one is needed."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np

from lossproof.judging.truth import Truth
from lossproof.numbers.formats import Float64Array, Format

# The digits of a true value that the tables of the command line show.
_MOST_DIGITS = 20
# The largest error of a true value, in units of its bound: see truth.py.
_RESOLUTION = 2.0**-20
_FEWEST_DIGITS = 3
# Powers of ten beyond which a number has an exponent: as Python writes floats, and for few digits.
_SMALL, _LARGE, _LARGE_OF_FEW = -4, 16, 6


def true_text(truth: Truth, place: tuple[int, ...]) -> str:
    """The digits of the true value at a place that are certain, as Python writes a float.

    A value that fits float64 is written as one; any other is the sum of two float64 numbers.
    """
    value, remainder = float(truth.value[place]), float(truth.remainder[place])
    total = Fraction(value) + Fraction(remainder) if math.isfinite(value) else Fraction(0)
    digits = _certain_digits(total, float(truth.bound[place]))
    if total == 0 or (remainder == 0 and digits >= _MOST_DIGITS):
        return repr(value)
    text = _decimal_text(_rounded(total, digits), _LARGE)
    return text if "." in text or "e" in text else f"{text}.0"


def digits(numbers: Float64Array) -> str:
    """All digits of the numbers; of many numbers, only the first and the last."""
    return np.array2string(numbers, floatmode="unique", threshold=60, max_line_width=100)


def significant(value: float, digits: int) -> str:
    """A number rounded to significant digits.

    >>> significant(0.43219, 3), significant(1234.5, 3), significant(1234567.0, 3), significant(100.0, 1)
    ('0.432', '1230', '1.23e+06', '100')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return _decimal_text(_rounded(Fraction(value), digits), max(_LARGE_OF_FEW, digits))


def shortest(value: float, format: Format) -> str:
    """The shortest decimal that rounds to this number of the format."""
    for digits in range(1, 18):
        text = significant(value, digits)
        if float(format.round(float(text))) == value:
            return text
    return repr(value)


def _certain_digits(total: Fraction, bound: float) -> int:
    if bound == 0 or not math.isfinite(bound):
        return _MOST_DIGITS
    unit = math.ceil(math.log10(bound) + math.log10(_RESOLUTION))
    leading = _rounded(abs(total), _MOST_DIGITS).adjusted()
    return max(_FEWEST_DIGITS, min(_MOST_DIGITS, leading - unit + 1))


def _rounded(value: Fraction, digits: int) -> Decimal:
    context = Context(prec=digits)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def _decimal_text(number: Decimal, large: int) -> str:
    """A decimal without trailing zeros, with an exponent below 1e-4 and from 10^large on."""
    sign, digits, _ = number.normalize(Context(prec=_MOST_DIGITS)).as_tuple()
    exponent, text = number.adjusted(), "".join(map(str, digits))
    minus = "-" if sign else ""
    if _SMALL <= exponent < 0:
        return f"{minus}0.{'0' * (-exponent - 1)}{text}"
    if 0 <= exponent < large:
        integer = text[: exponent + 1].ljust(exponent + 1, "0")
        return f"{minus}{integer}.{text[exponent + 1 :]}".rstrip(".")
    return f"{minus}{text[0]}.{text[1:]}".rstrip(".") + f"e{exponent:+03d}"

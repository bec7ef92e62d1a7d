"""Numbers as text: with no digits beyond those that are certain, and no exponent unless one is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

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
    return _as_python(_rounded(total, digits))


def observed_text(value: float, format: Format) -> str:
    """The shortest decimal that rounds to this number of the format, as Python writes a float.

    A number that the format lacks is written as one of float64.
    """
    digits = _fewest_digits(value, format)
    return repr(value) if digits is None else _as_python(_rounded(Fraction(value), digits))


def true_digits(truth: Truth) -> str:
    """The true values, each with the digits that are certain; of many, only the first and the last."""
    shape = truth.value.shape
    return _laid_out(shape, lambda place: true_text(truth, tuple(map(int, np.unravel_index(place, shape)))))


def observed_digits(numbers: Float64Array, format: Format) -> str:
    """Observed numbers of a format; of many, only the first and the last."""
    return _laid_out(numbers.shape, lambda place: observed_text(float(numbers.flat[place]), format))


def shown_places(shape: Sequence[int]) -> list[int]:
    """The places, in row-major order, of the numbers that the text of an array shows."""
    return [int(text) for text in re.findall(r"\d+", _laid_out(shape, str))]


def _laid_out(shape: Sequence[int], text_of: Callable[[int], str]) -> str:
    """An array of texts in brackets and columns; only those that are shown are asked for."""
    places = np.arange(math.prod(shape)).reshape(shape)
    texts = cache(text_of)

    def in_columns(width: int) -> str:
        def text(place: np.integer[Any]) -> str:
            return texts(int(place)).rjust(width)

        return np.array2string(places, threshold=60, max_line_width=100, formatter={"int": text})

    widest = max(map(len, re.findall(r"[^][\s]+", in_columns(0))), default=0)
    return in_columns(widest if places.ndim else 0)


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
    digits = _fewest_digits(value, format)
    return repr(value) if digits is None else significant(value, digits)


def _fewest_digits(value: float, format: Format) -> int | None:
    """How many digits tell a number from the others of its format; None if it has no digits, or is none."""
    if value == 0 or not math.isfinite(value):
        return None
    enough = (
        digits
        for digits in range(1, 18)
        if float(format.round(float(_rounded(Fraction(value), digits)))) == value
    )
    return next(enough, None)


def _certain_digits(total: Fraction, bound: float) -> int:
    if bound == 0 or not math.isfinite(bound):
        return _MOST_DIGITS
    unit = math.ceil(math.log10(bound) + math.log10(_RESOLUTION))
    leading = _rounded(abs(total), _MOST_DIGITS).adjusted()
    return max(_FEWEST_DIGITS, min(_MOST_DIGITS, leading - unit + 1))


def _rounded(value: Fraction, digits: int) -> Decimal:
    context = Context(prec=digits)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def _as_python(number: Decimal) -> str:
    text = _decimal_text(number, _LARGE)
    return text if "." in text or "e" in text else f"{text}.0"


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

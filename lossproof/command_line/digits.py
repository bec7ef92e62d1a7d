"""Writes proven values with a given number of digits, all of them right."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from lossproof.numbers.ball import Ball, Undecided, certified, fraction_of

# In bits. Smaller values are zero in every format: the smallest float64 is 2^-1074.
_SMALLEST_EXPONENT = -1400
# Beyond this a value fits no format, and its exact fraction would fill the memory.
_LARGEST_EXPONENT = 20_000


def certified_digits(compute: Callable[[], Ball], digits: int) -> tuple[list[str], tuple[int, ...]]:
    """The numbers that ``compute`` yields on balls, in row-major order, and their shape.

    Each is written as in a case file: correctly rounded to ``digits`` significant digits, so that it claims
    no more than is proven.

    Raises:
        Undecided: no precision determines the digits.
    """

    def texts() -> tuple[list[str], tuple[int, ...]]:
        balls = compute()
        return [decimal(element, digits) for element in balls.elements.ravel().tolist()], balls.shape

    return certified(texts)


def decimal(ball: Any, digits: int) -> str:
    """The decimal text of a ball; Undecided is raised if its ends round to different digits."""
    if not ball.is_finite():
        return ".nan" if ball.is_nan() else "-.inf" if ball < 0 else ".inf"
    exponent = _exponent_of(ball)
    if exponent is not None and exponent < _SMALLEST_EXPONENT:
        return "0." + "0" * digits
    if exponent is not None and exponent > _LARGEST_EXPONENT:
        return str(ball.mid().str(digits, radius=False))
    low, high = fraction_of(ball.lower()), fraction_of(ball.upper())
    if low == high and low.denominator == 1 and abs(low) < 10**digits:
        return str(low.numerator)
    # A value half-way between two roundings is decided by one more digit.
    for count in (digits, digits + 1):
        text = rounded_text(low, count)
        if text == rounded_text(high, count):
            return text
    raise Undecided(f"{digits} digits of {ball}")


def rounded_text(value: Fraction, digits: int) -> str:
    """A fraction rounded to significant digits, in a form that claims half a unit of the last one."""
    if value == 0:
        return "0." + "0" * digits
    exponent = _decimal_exponent(abs(value))
    mantissa = round(abs(value) / Fraction(10) ** (exponent - digits + 1))
    if mantissa == 10**digits:
        mantissa, exponent = mantissa // 10, exponent + 1
    sign, figures = "-" if value < 0 else "", str(mantissa)
    if -5 <= exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{figures}"
    # A text without a point is an integer and claims to be exact.
    if 0 <= exponent < digits - 1:
        return f"{sign}{figures[: exponent + 1]}.{figures[exponent + 1 :]}"
    point = "." if digits > 1 else ""
    return f"{sign}{figures[0]}{point}{figures[1:]}e{exponent}"


def _decimal_exponent(value: Fraction) -> int:
    """The largest e with 10^e <= value."""
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    exponent = math.floor((bits - 1) * math.log10(2))
    while Fraction(10) ** (exponent + 1) <= value:
        exponent += 1
    return exponent


def _exponent_of(ball: Any) -> int | None:
    """The binary exponent of the largest number in a ball; None for an exact zero."""
    mantissa, exponent = ball.abs_upper().man_exp()
    return None if mantissa == 0 else int(exponent) + int(mantissa).bit_length()

"""Certified numbers in decimals: rounded correctly, to as many digits as are asked for.

A numeral of very many digits, such as that of 1 + exp(-80), is the sum of two short ones:
``1 + 1.804851e-35``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import flint

from lossproof.numbers.ball import Undecided
from lossproof.numbers.near import Near, is_zero

# What a reader takes in at a glance; what is exact may have a few more.
_USUAL_DIGITS = 7
_FEW_DIGITS = 10
# A longer run of zeros or nines is left out: what comes after it is added.
_LONGEST_RUN = 9
# A smaller number stands as 0, and one beyond the inverse has no numeral: digits for them would fill pages.
_MOST_DECIMALS = 1_000_000
_SMALLEST = flint.arb(10) ** -_MOST_DECIMALS
_LARGEST = flint.arb(10) ** _MOST_DECIMALS

_ZERO = Near(flint.fmpq(0))
_HALF = flint.fmpq(1, 2)
# Further from its rounding, in units of the last digit, a number is nearly half-way: a digit more settles it.
_CLEAR = flint.fmpq(49, 100)
_NOT_WIDE = flint.arb(2) ** -10


@dataclass(frozen=True, slots=True)
class Numeral:
    """How a number is printed.

    Attributes:
        text: its decimals, or ``inf``, ``-inf`` or ``nan``.
        shown: the number that the text stands for.
        digits: how many significant digits it has; 0 where none can be added.
        unit: the unit of the last digit; None where there is none, as in 0.
        head: the numeral that this one adds something to.
        decimals: of a 0, how many of its decimals are known to be 0; None where all are.
    """

    text: str
    shown: Near
    digits: int = 0
    unit: flint.fmpq | None = None
    head: Numeral | None = None
    decimals: int | None = None


@lru_cache(maxsize=4096)
def numeral_of(number: Near) -> Numeral:
    """A number rounded to seven significant digits, or to up to ten where it is then exact.

    Where it is nearly half-way between two roundings it gets another digit.

    Raises:
        Undecided: where the ball is too wide to tell the digits, or the number is too large to have any.
    """
    if not number.is_finite:
        around = number.ball()
        return Numeral("nan" if around.is_nan() else "inf" if around > 0 else "-inf", number)
    if is_zero(number):
        return Numeral("0", _ZERO, decimals=None if number.is_exact else decimals_of_zero(number))
    size = abs(number.ball())
    if size < _SMALLEST:
        return Numeral("0", _ZERO, decimals=_MOST_DECIMALS)
    if not size < _LARGEST:
        raise Undecided(f"a number beyond 1e{_MOST_DECIMALS}")
    if number.is_exact:
        exact = _rounded(number, _FEW_DIGITS)
        if exact.shown.rational == number.rational:
            return exact
    return _rounded(number, _USUAL_DIGITS)


def next_numeral(number: Near, numeral: Numeral) -> Numeral | None:
    """The next numeral that tells more of a number; None where there is nothing more to tell.

    Raises:
        Undecided: where the ball is too wide to tell it.
    """
    if numeral.unit is None:
        return None
    missing = number - numeral.shown
    if is_zero(missing) or abs(missing.ball()) < _SMALLEST:
        return None
    head = numeral.head
    rest = number if head is None else number - head.shown
    digits = max(numeral.digits + 1, exponent_of(rest) - exponent_of(missing))
    if head is None and digits > numeral.digits + _LONGEST_RUN:
        return _added(numeral, _rounded(missing, 1))
    while (longer := _rounded(rest, digits)).text == numeral.text:
        digits += 1
    return longer if head is None else _added(head, longer)


def exponent_of(number: Near) -> int:
    """The e for which 10^e is next below a number that is not 0, or an e off by one."""
    around = abs(number.ball())
    nearest = float(around)
    if 1e-300 < nearest < 1e300:
        return math.floor(math.log10(nearest))
    mantissa, exponent = around.mid().man_exp()
    return math.floor(math.log10(int(mantissa)) + int(exponent) * math.log10(2))


def decimals_of_zero(number: Near) -> int:
    """How many decimals of a number are proven to be 0."""
    mantissa, exponent = number.ball().abs_upper().man_exp()
    bits = -int(exponent) - int(mantissa).bit_length()
    return min(int(bits * math.log10(2)), _MOST_DECIMALS)


def _added(head: Numeral, rest: Numeral) -> Numeral:
    text = f"{head.text} {'-' if rest.text.startswith('-') else '+'} {rest.text.lstrip('-')}"
    return Numeral(text, head.shown + rest.shown, rest.digits, rest.unit, head)


def _rounded(number: Near, digits: int) -> Numeral:
    last = exponent_of(number) - digits + 1
    while True:
        mantissa = _nearest_integer(number, _power_of_ten(-last))
        if mantissa is None:
            digits, last = digits + 1, last - 1
            continue
        surplus = len(str(abs(mantissa))) - digits
        if surplus == 0 or (surplus == 1 and abs(mantissa) == flint.fmpz(10) ** digits):
            break
        last += surplus
    unit = _power_of_ten(last)
    return Numeral(_decimals(mantissa, last), Near(mantissa * unit), digits, unit)


def _nearest_integer(number: Near, scale: flint.fmpq) -> flint.fmpz | None:
    """The integer next to a multiple of a number; None where it is nearly half-way between two."""
    scaled = number.rational * scale
    whole = (scaled + _HALF).floor()
    if number.is_exact:
        return whole if abs(scaled - whole) <= _CLEAR else None
    missing = number.rest * scale + (scaled - whole)
    nearest = (missing + _HALF).floor().unique_fmpz()
    if nearest is not None and abs(missing - nearest) <= _CLEAR:
        return whole + nearest
    if not missing.rad() < _NOT_WIDE:
        raise Undecided(f"the digits of {number.ball()}")
    return None


@lru_cache(maxsize=1024)
def _power_of_ten(exponent: int) -> flint.fmpq:
    return flint.fmpq(10) ** exponent


def _decimals(mantissa: flint.fmpz, last: int) -> str:
    sign, digits = "-" if mantissa < 0 else "", str(abs(mantissa))
    exponent = last + len(digits) - 1
    digits = digits.rstrip("0")
    if exponent < -4 or exponent >= max(_USUAL_DIGITS, len(digits)):
        point = "." if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{point}{digits[1:]}e{exponent:+03d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"

"""A number as a case writes it: its text, its exact value, and the digits that it claims."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache

DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)[pP][-+]?[0-9]+")
SPECIAL = {".nan": math.nan, ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf}
# Beyond this an exact fraction would need megabytes, and no format reaches half as far.
_LARGEST_EXPONENT = 5000


@dataclass(frozen=True)
class Numeral:
    """A number together with its text in the case file.

    Attributes:
        text: the characters in the case file, without quotes.
        exact: the value, a ``Fraction`` when finite, else a float (nan or an infinity).
        claim: half a unit of the last digit printed; 0 for integers, hexadecimal and special
            values, which claim to be exact.
    """

    text: str
    exact: Fraction | float = field(repr=False)  # an int of more than 4,300 digits has no repr
    claim: Fraction = field(repr=False)

    @property
    def is_integer(self) -> bool:
        """Whether the text has neither a point, an exponent nor a special value."""
        return self.text.lstrip("+-").isdigit()

    @property
    def is_negative_zero(self) -> bool:
        """Whether the text is a zero with a minus sign, which a fraction cannot hold."""
        return self.exact == 0 and self.text.startswith("-")

    def __float__(self) -> float:
        return self._nearest

    @cached_property
    def _nearest(self) -> float:
        if isinstance(self.exact, float):
            return self.exact
        return -0.0 if self.is_negative_zero else float(self.exact)


# A corpus repeats a few thousand numbers many times.
@lru_cache(1 << 16)
def parse_numeral(text: str) -> Numeral:
    """Read one number of the case format.

    All files share one grammar: decimals with an optional exponent (``1e-5`` is a number),
    ``.nan``, ``.inf``, ``-.inf``, and C hexadecimal floats (``0x1p-149``).

    Raises:
        ValueError: ``text`` is not a number, or its exponent is too large; the message is a sentence.
    """
    if text in SPECIAL:
        return Numeral(text, SPECIAL[text], Fraction(0))
    if _HEXADECIMAL.fullmatch(text):
        return Numeral(text, _hexadecimal(text), Fraction(0))
    if not DECIMAL.fullmatch(text):
        raise ValueError(f"'{text}' is not a number; write it like 1.5, 1e-5, .nan, -.inf or '0x1p-149'")
    mantissa, _, exponent_text = text.lower().partition("e")
    _check_exponent(text, exponent_text)
    exponent = int(exponent_text or 0)
    decimals = len(mantissa.partition(".")[2])
    exact = Fraction(mantissa.rstrip(".")) * Fraction(10) ** exponent
    is_integer = "." not in mantissa and not exponent_text
    claim = Fraction(0) if is_integer else Fraction(10) ** (exponent - decimals) / 2
    return Numeral(text, exact, claim)


def _hexadecimal(text: str) -> Fraction:
    sign = -1 if text.startswith("-") else 1
    mantissa, exponent = text.lower().lstrip("+-")[2:].split("p")
    _check_exponent(text, exponent)
    integer, _, fraction = mantissa.partition(".")
    return sign * Fraction(int(integer + fraction, 16)) * Fraction(2) ** (int(exponent) - 4 * len(fraction))


def _check_exponent(text: str, exponent: str) -> None:
    if len(exponent.lstrip("+-")) > 4 or abs(int(exponent or 0)) > _LARGEST_EXPONENT:
        raise ValueError(f"the exponent of '{text}' is beyond every floating-point format; write .inf or 0")

"""Names and numbers as a case file writes them."""

from __future__ import annotations

import re
from fractions import Fraction

# A longer decimal is written as a hexadecimal float, which is exact.
_LONGEST_DECIMAL = 8


def slug(loss: str) -> str:
    """The name of a loss as part of an id.

    >>> slug("BCEWithLogitsLoss")
    'bce-with-logits-loss'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", loss).lower()


def number(value: float | bool) -> str:
    """Digits that mean exactly this number.

    >>> number(0.5), number(2.0**-40), number(float("-inf"))
    ('0.5', "'0x1p-40'", '-.inf')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    decimal = f"{value:.{_LONGEST_DECIMAL}g}"
    if len(decimal) <= _LONGEST_DECIMAL and Fraction(decimal) == Fraction(value):
        return decimal
    return "'" + re.sub(r"\.?0*p", "p", float(value).hex()) + "'"

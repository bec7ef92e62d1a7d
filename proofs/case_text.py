"""Names and numbers as a case file writes them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy.typing as npt

# A longer decimal is written as a hexadecimal float, which is exact.
_LONGEST_DECIMAL = 8
_WIDTH = 110


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


def listed(values: npt.NDArray[Any]) -> str:
    """Numbers one by one, in brackets that show their shape."""
    if values.ndim == 0:
        return number(values.item())
    return f"[{', '.join(listed(part) for part in values)}]"


def block(key: str, texts: Mapping[str, str]) -> Iterator[str]:
    """The lines of a case's arguments or parameters, by name; none where there are none."""
    if texts:
        yield f"    {key}:"
    for name, text in texts.items():
        yield from wrapped(name, text, 6)


def wrapped(key: str, text: str, indent: int) -> Iterable[str]:
    """The lines of a key and its value, indented by so many spaces."""
    return textwrap.wrap(
        f"{key}: {text}",
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
        break_long_words=False,
    )

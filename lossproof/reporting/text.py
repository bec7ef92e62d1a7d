"""Prints texts and numbers from elsewhere safely and readably in the reports."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context

# Control characters, direction overrides, zero-width characters, lone surrogates and non-characters:
# a terminal may obey them, XML forbids many, and readers see none of them. Newline and tab stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return the text with every invisible character escaped.

    >>> visible("a\\x1b[2J")
    'a\\\\x1b[2J'
    """
    return _INVISIBLE.sub(lambda match: _escape(ord(match[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


LONGEST = 4000  # characters of a text on the page


def cut(text: str) -> str:
    """Return the text, truncated if it is too long for the page."""
    over = len(text) - LONGEST
    return text if over <= 0 else f"{text[:LONGEST]}\n[{over:,} more characters in results.jsonl]"


_LONGEST_LINE = 500  # characters
# The characters of Markdown, HTML, mathematics, mentions, emoji and links. An underscore or a colon between
# letters is none of these and stays, so that names are readable in the plain file.
_MARKUP = re.compile(
    r"[][\\`*<>#|~&$@]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|(?<![0-9A-Za-z]):(?! |$)|:(?=//)|(?<=www)\."
)


def escaped(text: str) -> str:
    """Return Markdown that shows the text itself: one line without markup, truncated if long.

    >>> escaped("a *b*")
    'a &#42;b&#42;'
    """
    line = " ".join(visible(text[: _LONGEST_LINE + 1]).split())
    short = line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
    return _MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", short)


_TWO_DIGITS = Context(prec=2, rounding=ROUND_HALF_UP)  # as a browser's toPrecision rounds


def share(error_over_budget: float | None) -> str:
    """Return a share of the error budget with two significant digits, as on the page.

    Only a share of exactly 1 is printed as 1.

    >>> share(0.43219), share(0.9997), share(1.0), share(1.0004), share(1234567.0), share(None)
    ('0.43', '<1', '1', '>1', '1.2e+06', '')
    """
    if error_over_budget is None:
        return ""
    if not math.isfinite(error_over_budget) or error_over_budget == 0:
        return f"{error_over_budget:g}"
    if 100 <= error_over_budget < 1e5:
        return f"{math.floor(error_over_budget + 0.5):,}"
    rounded = float(_TWO_DIGITS.create_decimal(error_over_budget))
    if rounded == 1 != error_over_budget:
        return "<1" if error_over_budget < 1 else ">1"
    return f"{rounded:g}" if 1e-3 <= error_over_budget < 1e5 else f"{rounded:.1e}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number with its noun.

    >>> count(1, "check"), count(12000, "check")
    ('1 check', '12,000 checks')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

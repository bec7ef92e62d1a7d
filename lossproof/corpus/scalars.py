"""The meaning of scalars without quotes, in a grammar narrower than any version of YAML."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from lossproof.corpus.numeral import DECIMAL, SPECIAL, parse_numeral


class Meaning(Enum):
    """The kinds of scalars without quotes."""

    NOTHING = "nothing"
    BOOLEAN = "a boolean"
    NULL = "null"
    NUMBER = "a number"
    STRING = "a text"
    AMBIGUOUS = "ambiguous"


# What some version or some reader of YAML takes for something else.
_AMBIGUOUS = re.compile(
    r"""
      y | n | yes | no | on | off | true | false | null | ~ | =      # booleans and null, in any case
    | [-+]?\.?(?:nan|inf|infinity)                                   # only .nan, .inf and -.inf are numbers
    | [-+]?0[0-9][0-9_.]*(?:e[-+]?[0-9]+)?                           # octal for some, decimal for others
    | [-+]?[0-9.]*_[0-9_.]*(?:e[-+]?[0-9]+)?                         # digits grouped by underscores
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?               # base sixty
    | [-+]?0[xob][0-9a-f_.]*(?:p[-+]?[0-9]+)?                        # other bases
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t\ ].*)?                     # dates
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_EXACT = {
    "": Meaning.NOTHING,
    "true": Meaning.BOOLEAN,
    "false": Meaning.BOOLEAN,
    "null": Meaning.NULL,
    **dict.fromkeys(SPECIAL, Meaning.NUMBER),
}
_HEXADECIMAL = re.compile(r"[-+]?0[xX]")


@lru_cache(1 << 16)
def meaning(text: str) -> Meaning:
    """The meaning of ``text`` without quotes."""
    if text in _EXACT:
        return _EXACT[text]
    if _AMBIGUOUS.fullmatch(text):
        return Meaning.AMBIGUOUS
    return Meaning.NUMBER if DECIMAL.fullmatch(text) else Meaning.STRING


def is_hexadecimal(text: str) -> bool:
    """Whether ``text`` is a hexadecimal float, the only kind of number that needs quotes."""
    if not _HEXADECIMAL.match(text):
        return False
    try:
        parse_numeral(text)
    except ValueError:
        return False
    return True

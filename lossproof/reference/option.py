"""What a parameter of a loss may be: its kind, its default, and the values it takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import FORMATS
from lossproof.reference.arrays import array_of, holds_whole_numbers
from lossproof.reference.refusals import OptionRefusal

LARGEST_WHOLE = 2**63 - 1
SMALLEST_WHOLE = -(2**63)


class Kind(Enum):
    """What a parameter is, in words."""

    WHOLE = "a whole number of int64"
    REAL = "a number"
    BOOLEAN = "true or false"
    WORD = "a text"
    TENSOR = "an array of numbers"
    WHOLES = "a list of whole numbers"


@dataclass(frozen=True)
class Option:
    """A parameter of a loss.

    Attributes:
        kind: what its values are.
        default: its value where a call gives none.
        known: the only values that it may have, where these are few; empty for any of its kind.
        is_required: whether a call must give one, so that None is not a default.
    """

    kind: Kind
    default: Any = None
    known: tuple[Any, ...] = ()
    is_required: bool = False

    @property
    def may_be_null(self) -> bool:
        """Whether None is one of its values."""
        return self.default is None and not self.is_required

    @property
    def wanted(self) -> str:
        """What its values are, in words."""
        named = " or ".join(map(str, self.known)) if self.known else self.kind.value
        return f"{named}, or None" if self.may_be_null else named

    def accept(self, name: str, value: Any) -> Any:
        """The value as the reference uses it: NumPy's numbers as Python's, arrays as NumPy's.

        Raises:
            OptionRefusal: for a value of another kind, and for one that is not known.
            DtypeRefusal, ShapeRefusal: for what is not an array of numbers.
        """
        if value is None and self.may_be_null:
            return None
        accepted = self._array(name, value) if self.kind in _ARRAYS else _PLAIN[self.kind](value)
        if accepted is None or (self.known and accepted not in self.known):
            raise OptionRefusal(f"{name} is {value!r}; it must be {self.wanted}")
        return accepted

    def _array(self, name: str, value: Any) -> npt.NDArray[Any] | None:
        if value is None or isinstance(value, (bool, int, float, complex, str, np.generic)):
            return None
        array = array_of(name, value)
        if self.kind is Kind.TENSOR:
            return array
        # An empty list makes an array of floats.
        is_whole = array.size == 0 or (array.dtype.kind != "b" and holds_whole_numbers(array))
        return array.astype(np.int64) if array.ndim == 1 and is_whole else None


def whole(default: int | None) -> Option:
    """A whole number."""
    return Option(Kind.WHOLE, default)


def real(default: float, known: tuple[float, ...] = ()) -> Option:
    """A number."""
    return Option(Kind.REAL, default, known)


def boolean(default: bool | None) -> Option:
    """True or false."""
    return Option(Kind.BOOLEAN, default)


def word(default: str | None, known: tuple[str, ...] = ()) -> Option:
    """A text."""
    return Option(Kind.WORD, default, known)


def floating_dtype() -> Option:
    """A dtype to compute in, by torch's name; None for that of the tensors."""
    return word(None, tuple(FORMATS))


TENSOR = Option(Kind.TENSOR)
WHOLES = Option(Kind.WHOLES, is_required=True)


def _is_integer(value: Any) -> bool:
    # To NumPy, a span of time is an integer, too.
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def _whole(value: Any) -> int | None:
    return int(value) if _is_integer(value) and SMALLEST_WHOLE <= value <= LARGEST_WHOLE else None


def _real(value: Any) -> float | None:
    """A number that a float64 holds as it is, or nearest to it if it is written with more digits."""
    if _is_integer(value):
        return int(value) if abs(int(value)) <= sys.float_info.max else None
    is_real = isinstance(value, float) or (isinstance(value, np.floating) and value.dtype.itemsize <= 8)
    return float(value) if is_real else None


def _boolean(value: Any) -> bool | None:
    return bool(value) if isinstance(value, (bool, np.bool_)) else None


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


_ARRAYS = (Kind.TENSOR, Kind.WHOLES)
_PLAIN: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.WHOLE: _whole,
    Kind.REAL: _real,
    Kind.BOOLEAN: _boolean,
    Kind.WORD: _word,
}

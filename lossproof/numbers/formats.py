"""The floating-point formats: their constants, and rounding to nearest even."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]


class Exact(Protocol):
    """A number that is compared with floats without any rounding."""

    def __float__(self) -> float:
        """The nearest float, to even of two."""
        ...

    def __gt__(self, other: float, /) -> bool: ...


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Attributes:
        name: torch's name of the dtype.
        precision: bits of the significand, the hidden one included.
        smallest_exponent: exponent of the smallest normal number.
        largest: the largest finite number.
        has_infinities: whether a number beyond the range becomes an infinity; else it becomes nan.
        is_default: whether cases that name no dtypes run in it.
        complex_dtype: torch's name of the dtype of complex numbers with such parts, if there is one.
    """

    name: str
    precision: int
    smallest_exponent: int
    largest: float
    has_infinities: bool = True
    is_default: bool = True
    complex_dtype: str | None = None

    def __hash__(self) -> int:
        return hash(self.name)

    # Every operation on bounded numbers asks for these.
    @cached_property
    def accumulator(self) -> Format:
        """The format that sums are kept in: at least float32."""
        return self if self.precision > _SINGLE.precision else _SINGLE

    @cached_property
    def unit_roundoff(self) -> float:
        """Half the distance from 1 to the next number: the relative error of one rounding."""
        return float(2.0**-self.precision)

    @cached_property
    def underflow(self) -> float:
        """The absolute error that one operation may commit near zero.

        An implementation may flush subnormal results to zero, but computes in at least float32, where those
        of a smaller range are normal numbers.
        """
        if self.smallest_exponent == self.accumulator.smallest_exponent:
            return float(2.0**self.smallest_exponent)
        return 2 * self.subnormal_spacing

    @property
    def subnormal_spacing(self) -> float:
        """The distance between neighbouring subnormal numbers."""
        return float(2.0 ** (self.smallest_exponent - self.precision + 1))

    def overflow(self, values: npt.ArrayLike) -> Float64Array:
        """What numbers beyond the range are rounded to."""
        return np.copysign(np.inf if self.has_infinities else np.nan, values)

    def unit_in_the_last_place(self, values: npt.ArrayLike) -> Float64Array:
        """The distance from a finite number to the next one that is larger in magnitude."""
        _, exponent = np.frexp(np.asarray(values, dtype=np.float64))
        exponent = np.maximum(exponent - 1, self.smallest_exponent)
        return np.asarray(np.ldexp(1.0, exponent - self.precision + 1))

    def round(self, values: npt.ArrayLike) -> Float64Array:
        """Round float64 values to this format, to nearest even; the result is float64 again."""
        array = np.asarray(values, dtype=np.float64)
        if self.precision >= 53:
            return array
        if (own := _OF_NUMPY.get(self.name)) is not None:
            with np.errstate(over="ignore"):
                return array.astype(own).astype(np.float64)
        _, exponent = np.frexp(array)
        spacing = np.maximum(exponent - self.precision, self.smallest_exponent - self.precision + 1)
        with np.errstate(invalid="ignore", over="ignore"):
            rounded = np.ldexp(np.rint(np.ldexp(array, -spacing)), spacing)
            overflows = np.abs(rounded) > self.largest
        return np.where(overflows, self.overflow(array), rounded)

    def round_exact(self, values: Iterable[Exact]) -> Float64Array:
        """Round exact values (such as fractions; floats for nan, infinities and -0.0), each only once."""
        first_rounding = _nearest if self.precision >= 53 else _round_to_odd
        return self.round([first_rounding(value) for value in values])

    def holds(self, value: Fraction | float) -> bool:
        """Whether this is a number of the format: a fraction, or a float that is nan or an infinity."""
        if isinstance(value, float):
            return self.has_infinities or math.isnan(value)
        number = _nearest(value)
        _, exponent = math.frexp(number)
        last_place = max(exponent - self.precision, self.smallest_exponent - self.precision + 1)
        is_whole = math.ldexp(number, -last_place).is_integer()
        return is_whole and number == value and abs(number) <= self.largest


def _nearest(value: Exact) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _round_to_odd(value: Exact) -> float:
    """Round to float64 such that a later rounding to a narrower format is as if done at once.

    Rounding twice to nearest can go wrong where the first rounding lands on a tie of the second. An
    inexact first result with an odd last bit never does (Boldo and Melquiond, 2008).
    """
    nearest = _nearest(value)
    if isinstance(value, float) or not math.isfinite(nearest) or value == nearest:
        return nearest
    is_odd = nearest / math.ulp(nearest) % 2 == 1
    return nearest if is_odd else math.nextafter(nearest, math.inf if value > nearest else -math.inf)


_SINGLE = Format("float32", 24, -126, 3.4028234663852886e38, complex_dtype="complex64")

FORMATS = {
    format.name: format
    for format in (
        Format("float64", 53, -1022, 1.7976931348623157e308, complex_dtype="complex128"),
        _SINGLE,
        Format("bfloat16", 8, -126, 3.3895313892515355e38),
        Format("float16", 11, -14, 65504.0),
    )
}

# NumPy's own formats, to which it rounds ten times as fast.
_OF_NUMPY: Mapping[str, type[np.floating[Any]]] = {"float32": np.float32, "float16": np.float16}

# What cases run in that name no dtypes.
DEFAULT_DTYPES = tuple(format.name for format in FORMATS.values() if format.is_default)

# The dtypes of complex numbers, with those of their parts.
PARTS = {format.complex_dtype: format.name for format in FORMATS.values() if format.complex_dtype}

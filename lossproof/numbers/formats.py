"""The floating-point formats: their constants, and rounding to nearest even."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]


_LARGEST_SINGLE = (2 - 2.0**-23) * 2.0**127


@dataclass(frozen=True)
class Format:
    """A binary floating-point format, after IEEE 754 (and bfloat16 after Intel's definition).

    Attributes:
        name: torch's name of the dtype.
        precision: bits of the significand, the hidden one included.
        smallest_exponent: exponent of the smallest normal number.
        largest_exponent: exponent of the largest finite number.
        accumulator_precision: significand bits of the format that sums are kept in: at least float32's.
        flushes: whether an implementation may flush subnormal results to zero. Half precision on a
            CPU is computed in float32, where its subnormals are normal numbers.
    """

    name: str
    precision: int
    smallest_exponent: int
    largest_exponent: int
    accumulator_precision: int
    flushes: bool

    @property
    def unit_roundoff(self) -> float:
        """Half the distance from 1 to the next number: the relative error of one rounding."""
        return float(2.0**-self.precision)

    @property
    def accumulator_roundoff(self) -> float:
        """The unit roundoff of the format that sums are kept in."""
        return float(2.0**-self.accumulator_precision)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return float((2 - 2.0 ** (1 - self.precision)) * 2.0**self.largest_exponent)

    @property
    def accumulator_largest(self) -> float:
        """The largest number of the format that sums are kept in."""
        return max(self.largest, _LARGEST_SINGLE)

    @property
    def underflow(self) -> float:
        """The absolute error that one operation may commit near zero."""
        if self.flushes:
            return float(2.0**self.smallest_exponent)
        return 2 * self.subnormal_spacing

    @property
    def subnormal_spacing(self) -> float:
        """The distance between neighbouring subnormal numbers."""
        return float(2.0 ** (self.smallest_exponent - self.precision + 1))

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
        _, exponent = np.frexp(array)
        spacing = np.maximum(exponent - self.precision, self.smallest_exponent - self.precision + 1)
        with np.errstate(invalid="ignore", over="ignore"):
            rounded = np.ldexp(np.rint(np.ldexp(array, -spacing)), spacing)
            overflows = np.abs(rounded) > self.largest
        return np.where(overflows, np.copysign(np.inf, array), rounded)

    def round_exact(self, values: Iterable[Fraction | float]) -> Float64Array:
        """Round exact values (fractions, or floats for nan, infinities and -0.0), each only once."""
        first_rounding = _nearest if self.precision >= 53 else _round_to_odd
        return self.round([first_rounding(value) for value in values])


def _nearest(value: Fraction | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _round_to_odd(value: Fraction | float) -> float:
    """Round to float64 such that a later rounding to a narrower format is as if done at once.

    Rounding twice to nearest can go wrong where the first rounding lands on a tie of the second. An
    inexact first result with an odd last bit never does (Boldo and Melquiond, 2008).
    """
    nearest = _nearest(value)
    if isinstance(value, float) or not np.isfinite(nearest) or Fraction(nearest) == value:
        return nearest
    is_odd = np.float64(nearest).view(np.uint64) & np.uint64(1)
    return nearest if is_odd else float(np.nextafter(nearest, np.inf if value > nearest else -np.inf))


FORMATS = {
    format.name: format
    for format in (
        Format("float64", 53, -1022, 1023, 53, flushes=True),
        Format("float32", 24, -126, 127, 24, flushes=True),
        Format("bfloat16", 8, -126, 127, 24, flushes=True),
        Format("float16", 11, -14, 15, 24, flushes=False),
    )
}

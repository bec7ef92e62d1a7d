"""The numbers of a format in their order, counted from zero in both directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array, Format

Places = npt.NDArray[np.int64]

# A sixteen-bit format is probed at each of its numbers, a wider one at each that has these leading bits.
_PROBED_BITS = 16


def number_at(places: npt.ArrayLike, format: Format) -> Float64Array:
    """The number at a place: 0 at 0, the smallest subnormal number at 1, its opposite at -1.

    >>> from lossproof.numbers.formats import FORMATS
    >>> print(number_at([0, 1, -1, 0x3F800000], FORMATS["float32"]))
    [ 0.00000000e+00  1.40129846e-45 -1.40129846e-45  1.00000000e+00]
    """
    signed = np.asarray(places, dtype=np.int64)
    place = np.abs(signed)
    hidden = np.int64(1) << np.int64(format.precision - 1)
    field = place // hidden
    significand = place % hidden + np.where(field > 0, hidden, 0)
    exponent = np.maximum(field, 1) - 1 + format.smallest_exponent - format.precision + 1
    return np.asarray(np.sign(signed) * np.ldexp(significand.astype(np.float64), exponent))


def place_of(numbers: npt.ArrayLike, format: Format) -> Places:
    """The place of a finite number of the format.

    >>> from lossproof.numbers.formats import FORMATS
    >>> print(place_of([65504.0, -1.0], FORMATS["float16"]))
    [ 31743 -15360]
    """
    values = np.asarray(numbers, dtype=np.float64)
    _, exponent = np.frexp(values)
    exponent = np.where(values == 0, format.smallest_exponent, exponent - 1)
    exponent = np.maximum(exponent, format.smallest_exponent)
    hidden = np.int64(1) << np.int64(format.precision - 1)
    significand = np.ldexp(np.abs(values), format.precision - 1 - exponent).astype(np.int64)
    place = (exponent - format.smallest_exponent).astype(np.int64) * hidden + significand
    return np.asarray(np.where(values < 0, -place, place))


def probed_places(low: float, high: float, format: Format) -> Places:
    """Places all over the format from ``low`` to ``high``, evenly spaced, the ends included."""
    last = int(place_of(format.largest, format))
    stride = 1 << max(last.bit_length() + 1 - _PROBED_BITS, 0)
    ends = number_at([-last, last], format).clip(low, high)
    first, final = place_of(format.round(ends), format).tolist()
    # An end that lies between two numbers may have been rounded to the one outside.
    first += int(number_at(first, format) < low)
    final -= int(number_at(final, format) > high)
    inside = np.arange(-(-first // stride), final // stride + 1, dtype=np.int64) * stride
    return np.unique(np.concatenate([[first], inside, [final]]))

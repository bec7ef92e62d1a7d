"""Tensors and numbers in the messages of a runner: every bit arrives, in any language.

A floating number is a text in C's hexadecimal form, since JSON has no nan and readers of JSON round. An
integer is a decimal text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.complaints import quoted
from lossproof.numbers.formats import FORMATS, PARTS, Format
from lossproof.subjects.call import Values

_HEXADECIMAL = re.compile(r"-?0x([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?p([+-]?[0-9]{1,9})")
_NOT_FINITE = {"nan": math.nan, "-nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class NoAnswer(ValueError):
    """What a runner wrote is no answer; the message says what is wrong and where."""


def number_text(number: float) -> str:
    """A float64 in C's form, without zeros at its end.

    >>> [number_text(number) for number in (1.5, -0.0, float("-inf"), 5e-324)]
    ['0x1.8p+0', '-0x0p+0', '-inf', '0x0.0000000000001p-1022']
    """
    if not math.isfinite(number):
        return str(number)
    significand, _, exponent = number.hex().partition("p")
    return f"{significand.rstrip('0').removesuffix('.')}p{exponent}"


def number_of(text: str) -> float | None:
    """The float64 that a text states exactly; None if it states none.

    >>> number_of("0x1.8p+0"), number_of("1.5"), number_of("0x1p+9999")
    (1.5, None, None)
    """
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    parts = _HEXADECIMAL.fullmatch(text)
    if parts is None:
        return None
    whole, fraction, exponent = parts[1], parts[2] or "", int(parts[3])
    try:
        number = float.fromhex(text)
    except OverflowError:
        return None
    stated = _odd_and_exponent(int(whole + fraction, 16), exponent - 4 * len(fraction))
    numerator, denominator = number.as_integer_ratio()
    is_exact = stated == _odd_and_exponent(abs(numerator), 1 - denominator.bit_length())
    return number if is_exact else None


def _odd_and_exponent(whole: int, exponent: int) -> tuple[int, int]:
    """An odd number and the power of two that multiply to the same; zeros for zero."""
    if whole == 0:
        return 0, 0
    zeros = (whole & -whole).bit_length() - 1
    return whole >> zeros, exponent + zeros


def tensor_json(values: Values) -> dict[str, Any]:
    """A tensor as a message holds it."""
    numbers = values.numbers
    if numbers.dtype.kind == "c":
        elements = np.stack([numbers.real, numbers.imag], axis=-1).ravel()
    else:
        elements = numbers.ravel()
    is_floating = elements.dtype.kind == "f"
    write = number_text if is_floating else lambda number: str(int(number))
    return {
        "dtype": values.dtype,
        "shape": list(numbers.shape),
        "data": [write(number) for number in elements.tolist()],
    }


def tensor_of(message: Mapping[str, Any], place: str) -> tuple[npt.NDArray[Any], str]:
    """The numbers of a tensor, floating ones in float64, and the name of its dtype.

    The parts of complex numbers are a last dimension, as in an ``Observation``.

    Args:
        message: a tensor of a message that the schema accepts.
        place: where in the message it stands.

    Raises:
        NoAnswer: if it holds too few or too many numbers, or one that its dtype does not have.
    """
    dtype, data = message["dtype"], message["data"]
    shape = [*message["shape"], *([2] if dtype in PARTS else [])]
    if len(data) != math.prod(shape):
        raise NoAnswer(
            f"{place}.data has {len(data)} elements; a {dtype} tensor of shape {message['shape']} has "
            f"{math.prod(shape)}"
        )
    format = FORMATS.get(PARTS.get(dtype, dtype))
    numbers = _integers(data, dtype, place) if format is None else _floats(data, dtype, format, place)
    try:
        return numbers.reshape(shape), dtype
    except (ValueError, OverflowError):
        raise NoAnswer(f"{place}.shape is {quoted(str(message['shape']))}, which is no shape") from None


def _floats(data: Sequence[str], dtype: str, format: Format, place: str) -> npt.NDArray[np.float64]:
    found = [number_of(text) for text in data]
    if None in found:
        index = found.index(None)
        raise NoAnswer(
            f"{place}.data[{index}] is {quoted(data[index])}, which states no {dtype} exactly; "
            "write it in C's hexadecimal form (%a), such as 0x1.8p+0"
        )
    numbers = np.array(found, np.float64)
    is_held = (format.round(numbers) == numbers) | np.isnan(numbers)
    if not np.all(is_held):
        index = int(np.argmin(is_held))
        raise NoAnswer(
            f"{place}.data[{index}] is {quoted(data[index])}, which is no {dtype}; "
            "round it, or name the dtype that it has"
        )
    return numbers


def _integers(data: Sequence[str], dtype: str, place: str) -> npt.NDArray[Any]:
    limits = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    for index, text in enumerate(data):
        if not re.fullmatch("-?[0-9]{1,20}", text) or not limits[0] <= int(text) <= limits[1]:
            raise NoAnswer(
                f"{place}.data[{index}] is {quoted(text)}, which is no {dtype}; "
                f"write a decimal integer from {limits[0]} to {limits[1]}"
            )
    return np.array([int(text) for text in data], dtype)

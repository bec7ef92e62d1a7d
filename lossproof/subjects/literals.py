"""Numbers as Python expressions: plain numbers, and the tensors that hold them."""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import PARTS, Float64Array
from lossproof.subjects.call import Values
from lossproof.subjects.drawing import drawn_source

_LITERAL_ELEMENTS = 300


def tensor_source(values: Values, device: str, dtype: str = "") -> str:
    """An expression for the tensor that holds the numbers."""
    numbers = values.numbers
    if numbers.dtype.kind == "c":  # whose nan and -0.0 Python cannot write
        parts = np.stack([numbers.real, numbers.imag], axis=-1)
        return f"torch.view_as_complex({tensor_source(Values(parts, PARTS[values.dtype]), device)})"
    where = "" if device == "cpu" else f", device='{device}'"
    options = f"dtype={dtype or f'torch.{values.dtype}'}{where}"
    # Bits are compared, since 0.0 == -0.0.
    if numbers.size > 1 and numbers.tobytes() == numbers.flat[0].tobytes() * numbers.size:
        return f"torch.full({list(numbers.shape)}, {literal(numbers.flat[0].item())}, {options})"
    if numbers.size <= _LITERAL_ELEMENTS:
        text = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(numbers.tolist()))
        reshaped = "" if numbers.size else f".reshape({list(numbers.shape)})"
        return f"torch.tensor({text}, {options}){reshaped}"
    if drawn := drawn_source(values):
        return f"torch.from_numpy({drawn}).to({options})"
    stored = _narrowed(numbers)
    flat = f"torch.frombuffer(bytearray({_bytes_source(stored)}), dtype=torch.{stored.dtype})"
    return f"{flat}.reshape({list(numbers.shape)}).to({options})"


def array_source(values: Values) -> str:
    """An expression for the NumPy array that holds the numbers, in the dtype that a ``Call`` has them in."""
    numbers = values.numbers
    if numbers.size > 1 and numbers.tobytes() == numbers.flat[0].tobytes() * numbers.size:
        one = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(numbers.flat[0].item()))
        return f"numpy.full({numbers.shape}, {one}, dtype='{numbers.dtype}')"
    if numbers.size <= _LITERAL_ELEMENTS and numbers.dtype.kind != "c":
        text = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(numbers.tolist()))
        return f"numpy.array({text}, dtype='{numbers.dtype}').reshape({numbers.shape})"
    if drawn := drawn_source(values):
        return drawn
    stored = _narrowed(numbers)
    flat = f"numpy.frombuffer({_bytes_source(stored)}, dtype='{stored.dtype}')"
    return f"{flat}.reshape({numbers.shape}).astype('{numbers.dtype}')"


def numbers_source(numbers: Float64Array) -> str:
    """An expression for many numbers as Python's own, row by row."""
    stored = _narrowed(numbers)
    # NumPy and struct call each float format by the same letter.
    return f"struct.unpack('{stored.size}{stored.dtype.char}', {_bytes_source(stored)})"


def _bytes_source(numbers: npt.NDArray[Any]) -> str:
    packed = base64.b85encode(zlib.compress(numbers.tobytes(), 9)).decode()
    return f"zlib.decompress(base64.b85decode({packed!r}))"


def _narrowed(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same numbers in the narrowest format that holds them all."""
    if numbers.dtype == np.float64:
        with np.errstate(over="ignore"):
            for narrow in (numbers.astype(np.float16), numbers.astype(np.float32)):
                if np.array_equal(narrow, numbers, equal_nan=True):
                    return narrow
    return numbers


def by_name(expressions: Mapping[str, str]) -> str:
    """An expression for a dictionary of other expressions."""
    return f"{{{', '.join(f'{name!r}: {expression}' for name, expression in expressions.items())}}}"


def literal(value: Any) -> str:
    """Plain data as Python writes it, including infinities and nan."""
    return f"float('{value}')" if isinstance(value, float) and not math.isfinite(value) else repr(value)

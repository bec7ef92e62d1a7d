"""Numbers as Python writes them: plain ones, and those of tensors."""

from __future__ import annotations

import base64
import math
import re
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import PARTS, Float64Array
from lossproof.subjects.call import Values

_LITERAL_ELEMENTS = 300


def tensor_source(values: Values, device: str, dtype: str = "") -> str:
    """An expression of the tensor that holds some numbers."""
    numbers = values.numbers
    if numbers.dtype.kind == "c":  # of which Python writes neither nan nor -0.0
        parts = np.stack([numbers.real, numbers.imag], axis=-1)
        return f"torch.view_as_complex({tensor_source(Values(parts, PARTS[values.dtype]), device)})"
    options = f"dtype={dtype or f'torch.{values.dtype}'}" + (
        "" if device == "cpu" else f", device='{device}'"
    )
    # The bits are compared, since 0.0 == -0.0.
    if numbers.size > 1 and numbers.tobytes() == numbers.flat[0].tobytes() * numbers.size:
        return f"torch.full({list(numbers.shape)}, {literal(numbers.flat[0].item())}, {options})"
    if numbers.size <= _LITERAL_ELEMENTS:
        text = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(numbers.tolist()))
        return f"torch.tensor({text}, {options})" + (
            "" if numbers.size else f".reshape({list(numbers.shape)})"
        )
    stored = _narrowed(numbers)
    flat = f"torch.frombuffer(bytearray({_bytes_source(stored)}), dtype=torch.{stored.dtype})"
    return f"{flat}.reshape({list(numbers.shape)}).to({options})"


def numbers_source(numbers: Float64Array) -> str:
    """An expression of many numbers as Python's own, row by row."""
    stored = _narrowed(numbers)
    # NumPy and struct call each float format by the same letter.
    return f"struct.unpack('{stored.size}{stored.dtype.char}', {_bytes_source(stored)})"


def _bytes_source(numbers: npt.NDArray[Any]) -> str:
    packed = base64.b85encode(zlib.compress(numbers.tobytes(), 9)).decode()
    return f"zlib.decompress(base64.b85decode({packed!r}))"


def _narrowed(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same numbers in the narrowest format that holds them all, to be packed."""
    if numbers.dtype == np.float64:
        with np.errstate(over="ignore"):
            for narrow in (numbers.astype(np.float16), numbers.astype(np.float32)):
                if np.array_equal(narrow, numbers, equal_nan=True):
                    return narrow
    return numbers


def literal(value: Any) -> str:
    """Plain data as Python writes it, infinities and nan as well."""
    return f"float('{value}')" if isinstance(value, float) and not math.isfinite(value) else repr(value)

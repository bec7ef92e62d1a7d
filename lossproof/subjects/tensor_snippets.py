"""How a program makes the tensors of a call: their numbers, and how they lie in memory."""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.subjects.call import Call, Values

_LITERAL_ELEMENTS = 300
_PARTS = {"complex64": "float32", "complex128": "float64"}
_STANDARD_MODULES = ("base64", "copy", "math", "pickle", "re", "warnings", "zlib")


def program(lines: Iterable[str]) -> str:
    """Lines as a program that imports torch, and what else it names of the standard library."""
    body = list(lines)
    named = [
        module
        for module in _STANDARD_MODULES
        # The plain test first: a line may hold the digits of thousands of numbers.
        if any(f"{module}." in line and re.search(rf"(?<![\w.]){module}\.\w", line) for line in body)
    ]
    return "\n".join([*(f"import {module}" for module in named), "import torch", *body]) + "\n"


def tensor_lines(call: Call, requires_grad: bool = True) -> Iterator[str]:
    """Lines that make the tensors of a call, laid out in memory as the call has them."""
    places = {name: place for place, name in enumerate((*call.args, *call.params))}
    for name, values in tensors_of(call).items():
        yield f"{name} = {tensor_source(values, call.device)}"
        yield from _laid_out(name, values, call.layout, places[name])
    if requires_grad:
        yield from (f"{name}.requires_grad_()" for name in call.wrt)


def tensors_of(call: Call) -> dict[str, Values]:
    """The arguments and tensor parameters."""
    params = {name: value for name, value in call.params.items() if isinstance(value, Values)}
    return {**call.args, **params}


def upstream_line(call: Call, place: int = -1, dtype: str = "") -> str:
    """A line that makes one of the call's upstream gradients, of a dtype's expression or of the call's."""
    values = Values(call.upstreams[place], call.dtype)
    return f"upstream = {tensor_source(values, call.device, dtype)}"


def tensor_source(values: Values, device: str, dtype: str = "") -> str:
    """An expression of the tensor that holds some numbers."""
    numbers = values.numbers
    if numbers.dtype.kind == "c":  # of which Python writes neither nan nor -0.0
        parts = np.stack([numbers.real, numbers.imag], axis=-1)
        return f"torch.view_as_complex({tensor_source(Values(parts, _PARTS[values.dtype]), device)})"
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
    packed = base64.b85encode(zlib.compress(stored.tobytes(), 9)).decode()
    unpacked = f"bytearray(zlib.decompress(base64.b85decode({packed!r})))"
    flat = f"torch.frombuffer({unpacked}, dtype=torch.{stored.dtype})"
    return f"{flat}.reshape({list(numbers.shape)}).to({options})"


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


def _laid_out(name: str, values: Values, layout: str, place: int) -> Iterator[str]:
    """What ``torch_layouts`` does, with the same poison between the elements."""
    shape = values.numbers.shape
    poison = "float('nan')" if values.numbers.dtype.kind == "f" else "0"
    if layout == "transposed" and len(shape) > 1:
        order = list(reversed(range(len(shape))))
        yield f"{name} = {name}.permute({order}).contiguous().permute({order})"
    if layout == "strided" and shape:
        yield f"buffer = {name}.new_full((*{name}.shape, {2 + place}), {poison})"
        yield f"buffer[..., 0] = {name}"
        yield f"{name} = buffer[..., 0]"
    constant = [
        size > 1 and bool(np.all(values.numbers == values.numbers.take([0], axis=axis)))
        for axis, size in enumerate(shape)
    ]
    if layout == "expanded" and any(constant):
        first = ", ".join(":1" if is_constant else ":" for is_constant in constant)
        yield f"buffer = {name}.new_full({name}.shape, {poison})"
        yield f"buffer[{first}] = {name}[{first}]"
        yield f"{name} = buffer[{first}].expand_as({name})"

"""Tensors and numbers of the exported corpus."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.case import Printed
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Derived, Literal, Tensor
from lossproof.corpus.values import rounded, whole_numbers
from lossproof.numbers.formats import FORMATS, PARTS

_MOST_NUMBERS = 1024
_NUMBERS_OF_A_LARGE_ONE = 16
_RUN = "run"
# Words that are not part of the form, and whole numbers that readers of JSON may round.
_NOT_PART_OF_THE_FORM = ("shape", "dtype")
_LARGE = ("index", "seed")


def tensor_json(tensor: Tensor, default: str | None, dtypes: tuple[str, ...]) -> dict[str, Any]:
    """A tensor: its shape, dtype, form and numbers.

    A tensor that states no dtype has the ``default``; if that is None, the dtype of the run.
    """
    dtype = tensor.dtype or default or _RUN
    elements = {key: _elements(tensor, key) for key in _keys(tensor, dtype, dtypes)}
    size = int(np.prod(tensor.shape))
    data: dict[str, Any] = {"shape": list(tensor.shape), "dtype": dtype, "form": _form_json(tensor)}
    if size <= _MOST_NUMBERS:
        data["numbers"] = {key: _texts(numbers) for key, numbers in elements.items()}
    else:
        data["first"] = {key: _texts(numbers[:_NUMBERS_OF_A_LARGE_ONE]) for key, numbers in elements.items()}
    return data


def number_json(numeral: Numeral, is_count: bool = False) -> dict[str, str]:
    """A single number; a count has no floating-point form."""
    return {"decimal": numeral.text} | ({} if is_count else {"hex": float(numeral).hex()})


def printed_json(printed: Printed) -> dict[str, Any]:
    """A printed tensor: its numbers, and their claims or the dtype in which they were observed."""
    data: dict[str, Any] = {
        "shape": list(printed.shape),
        "decimals": [value.text for value in printed.values],
    }
    if printed.dtype is not None:
        return data | {"dtype": printed.dtype}
    return data | {"claims": [_claim(value.claim) for value in printed.values]}


def _keys(tensor: Tensor, dtype: str, dtypes: tuple[str, ...]) -> tuple[str, ...]:
    """The dtypes under which the numbers of a tensor are written."""
    if dtype != _RUN:
        return (dtype,)
    return dtypes if _differs_by_dtype(tensor) else ("float64",)


def _differs_by_dtype(tensor: Tensor) -> bool:
    """Whether the numbers of a dtype are not simply the stated decimals, rounded once."""
    return tensor.is_drawn or isinstance(tensor, Derived) or any(map(_differs_by_dtype, tensor.parts))


def _elements(tensor: Tensor, dtype: str) -> npt.NDArray[Any]:
    format = FORMATS.get(PARTS.get(dtype, dtype))
    return (whole_numbers(tensor) if format is None else rounded(tensor, format)).ravel()


def _texts(elements: npt.NDArray[Any]) -> list[Any]:
    if elements.dtype.kind == "c":
        return [[number.real.hex(), number.imag.hex()] for number in elements.tolist()]
    if elements.dtype.kind == "f":
        return [number.hex() for number in elements.tolist()]
    return [str(number) for number in elements.tolist()]


def _form_json(tensor: Tensor) -> dict[str, Any]:
    if isinstance(tensor, Literal):
        return {"data": [value.text for value in tensor.values]}
    words = {key: value for key, value in tensor.words.items() if key not in _NOT_PART_OF_THE_FORM}
    return {key: str(value) if key in _LARGE else _json(value) for key, value in words.items()}


def _json(value: Any) -> Any:
    """A part of a form; an inner tensor has no numbers of its own."""
    if isinstance(value, Tensor):
        return {"shape": list(value.shape), "form": _form_json(value)}
    if isinstance(value, tuple):
        return list(map(_json, value))
    return value.text if isinstance(value, Numeral) else value


def _claim(claim: Fraction) -> str:
    """Half a unit of a decimal digit, which is 5 times a power of ten, or 0."""
    if claim == 0:
        return "0"
    exponent = 0
    while claim < 5:
        claim, exponent = claim * 10, exponent - 1
    while claim > 5:
        claim, exponent = claim / 10, exponent + 1
    return f"5e{exponent}"

"""Tensors and numbers as ``export`` writes them; see there."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.case import Printed
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import (
    Complex,
    Concatenate,
    Derived,
    Fill,
    Index,
    Literal,
    Permute,
    Reshape,
    Tensor,
    Uniform,
)
from lossproof.corpus.values import rounded, shape_of, whole_numbers, written_dtype
from lossproof.numbers.formats import FORMATS

_MOST_NUMBERS = 1024
_FIRST = 16
_RUN = "run"
_FORMAT_OF_COMPLEX = {"complex64": "float32"}


def tensor_json(tensor: Tensor, default: str | None, dtypes: tuple[str, ...]) -> dict[str, Any]:
    """A tensor: its shape, dtype, form and numbers.

    Args:
        tensor: as the case writes it.
        default: the dtype that the loss gives it where the case gives none; None for that of the run.
        dtypes: those that the case runs in.
    """
    dtype = written_dtype(tensor) or default or _RUN
    elements = {key: _elements(tensor, key) for key in _keys(tensor, dtype, dtypes)}
    size = int(np.prod(shape_of(tensor)))
    told: dict[str, Any] = {"shape": list(shape_of(tensor)), "dtype": dtype, "form": _form_json(tensor)}
    if size <= _MOST_NUMBERS:
        told["numbers"] = {key: _texts(found) for key, found in elements.items()}
    else:
        told["first"] = {key: _texts(found[:_FIRST]) for key, found in elements.items()}
    return told


def number_json(numeral: Numeral, is_count: bool = False) -> dict[str, str]:
    """A single number; one that counts something is no floating-point number."""
    return {"decimal": numeral.text} | ({} if is_count else {"hex": float(numeral).hex()})


def printed_json(printed: Printed) -> dict[str, Any]:
    """A printed tensor: its numbers, and what they claim or where they were seen."""
    told: dict[str, Any] = {
        "shape": list(printed.shape),
        "decimals": [value.text for value in printed.values],
    }
    if printed.dtype is not None:
        return told | {"dtype": printed.dtype}
    return told | {"claims": [_claim(value.claim) for value in printed.values]}


def _keys(tensor: Tensor, dtype: str, dtypes: tuple[str, ...]) -> tuple[str, ...]:
    """Under which dtypes a tensor's numbers are told."""
    if dtype != _RUN:
        return (dtype,)
    return dtypes if _differs_by_dtype(tensor) else ("float64",)


def _differs_by_dtype(tensor: Tensor) -> bool:
    """Whether the numbers of a dtype are more than the written decimals, rounded once."""
    match tensor:
        case Uniform() | Derived():
            return True
        case Reshape(of=inner) | Permute(of=inner):
            return _differs_by_dtype(inner)
        case Concatenate(parts=parts):
            return any(map(_differs_by_dtype, parts))
        case Complex(real=real, imaginary=imaginary):
            return _differs_by_dtype(real) or _differs_by_dtype(imaginary)
        case _:
            return False


def _elements(tensor: Tensor, dtype: str) -> npt.NDArray[Any]:
    if dtype in FORMATS:
        return rounded(tensor, FORMATS[dtype]).ravel()
    if dtype in _FORMAT_OF_COMPLEX:
        return rounded(tensor, FORMATS[_FORMAT_OF_COMPLEX[dtype]]).ravel()
    return whole_numbers(tensor).ravel()


def _texts(elements: npt.NDArray[Any]) -> list[Any]:
    if elements.dtype.kind == "c":
        return [[number.real.hex(), number.imag.hex()] for number in elements.tolist()]
    if elements.dtype.kind == "f":
        return [number.hex() for number in elements.tolist()]
    return [str(number) for number in elements.tolist()]


def _form_json(tensor: Tensor) -> dict[str, Any]:
    match tensor:
        case Literal(values=values):
            return {"data": [value.text for value in values]}
        case Fill(value=value):
            return {"fill": value.text}
        case Uniform(low=low, high=high, seed=seed):
            return {"uniform": [low.text, high.text], "seed": str(seed)}
        case Index(classes=classes, seed=seed):
            return {"index": str(classes), "seed": str(seed)}
        case Derived(function=function, of=inner, dim=dim):
            return {function: _part_json(inner)} | ({} if dim is None else {"dim": dim})
        case Concatenate(parts=parts, dim=dim):
            return {"concatenate": [_part_json(part) for part in parts], "dim": dim}
        case Reshape(of=inner):
            return {"reshape": _part_json(inner)}
        case Permute(of=inner, dims=dims):
            return {"permute": _part_json(inner), "dims": list(dims)}
        case Complex(real=real, imaginary=imaginary):
            return {"complex": [_part_json(real), _part_json(imaginary)]}


def _part_json(tensor: Tensor) -> dict[str, Any]:
    """A tensor within another: its numbers are told with the whole."""
    return {"shape": list(shape_of(tensor)), "form": _form_json(tensor)}


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

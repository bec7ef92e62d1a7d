"""Turns the tensors of a case into numbers: rounded to a dtype, or exact as balls."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_index, draw_uniform
from lossproof.corpus.keys import INTEGER_DTYPES
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.tensors import Complex, Derived, Fill, Index, Literal, Tensor, Uniform
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.reference.softmax import log_softmax, sigmoid, softmax

_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "sigmoid": lambda x, dim: sigmoid(x),
    "softmax": lambda x, dim: softmax(x, dim=dim),
    "log_softmax": lambda x, dim: log_softmax(x, dim=dim),
    "log": lambda x, dim: np.log(x),
}


def rounded(tensor: Tensor, format: Format) -> npt.NDArray[Any]:
    """The numbers of a tensor, each rounded once to ``format``, in a float64 or complex128 array."""
    match tensor:
        case Literal():
            return format.round_exact(map(_signed, tensor.values)).reshape(tensor.shape)
        case Fill():
            return np.full(tensor.shape, format.round_exact([_signed(tensor.value)])[0])
        case Uniform():
            return draw_uniform(float(tensor.low), float(tensor.high), tensor.shape, tensor.seed, format)
        case Index():
            return draw_index(tensor.classes, tensor.shape, tensor.seed).astype(np.float64)
        case Derived(inner=inner):
            if inner.is_drawn:  # derived from numbers on this format's grid
                return _derive_rounded(tensor, lambda: Ball.exact(rounded(inner, format)), format)
            return _derive_rounded(tensor, lambda: exact_balls(inner), format)
        case Complex():
            return rounded(tensor.real, format) + 1j * rounded(tensor.imaginary, format)
        case _:
            return tensor.arranged([rounded(part, format) for part in tensor.parts])


def approximate(tensor: Tensor, format: Format) -> npt.NDArray[Any]:
    """As ``rounded``, but the numbers of a function as NumPy has them: to prove a rounding takes long."""
    if not isinstance(tensor, Derived):
        return rounded(tensor, format)
    with np.errstate(all="ignore"):
        numbers: Float64Array = _FUNCTIONS[tensor.function](rounded(tensor.inner, format), tensor.dim)
    return numbers


def whole_numbers(tensor: Tensor) -> npt.NDArray[np.int64]:
    """The numbers of an integer tensor, never rounded; a ValueError if one is not a whole number."""
    match tensor:
        case Literal():
            numbers = [int(value.text) for value in tensor.values]
            return np.array(numbers, dtype=np.int64).reshape(tensor.shape)
        case Fill():
            return np.full(tensor.shape, int(tensor.value.text), dtype=np.int64)
        case Index():
            return draw_index(tensor.classes, tensor.shape, tensor.seed)
        case Uniform() | Derived() | Complex():
            raise ValueError(f"{type(tensor).__name__} does not make whole numbers")
        case _:
            return tensor.arranged(list(map(whole_numbers, tensor.parts)))


def typed_numbers(
    tensor: Tensor, dtype: str, round_to: Callable[[Tensor, Format], npt.NDArray[Any]] = rounded
) -> tuple[npt.NDArray[Any], str]:
    """The numbers of a tensor, rounded to the dtype that it states or else to ``dtype``, and that dtype."""
    dtype = tensor.dtype or dtype
    if dtype in INTEGER_DTYPES:
        return whole_numbers(tensor).astype(dtype), dtype
    if dtype in FORMATS:
        numbers = round_to(tensor, FORMATS[dtype])
        if numbers.dtype.kind == "c":
            dtype = FORMATS[dtype].complex_dtype or dtype
        return numbers, dtype
    return rounded(tensor, FORMATS["float64"]).astype(dtype), dtype


def plain_number(value: Numeral) -> int | float:
    """A parameter as Python's own number: torch takes integers and doubles."""
    return int(value.text) if value.is_integer else float(value)


def exact_balls(tensor: Tensor, grid: Format = FORMATS["float64"]) -> Array:
    """The numbers of a tensor as balls around the decimals in the file, before any rounding.

    Drawn numbers are taken from the grid of a format.
    """
    match tensor:
        case Literal():
            return Ball.of_fractions([value.exact for value in tensor.values], tensor.shape)
        case Fill():
            one = Ball.of_fractions([tensor.value.exact], ())
            return Ball(np.full(tensor.shape, one.elements[()], dtype=object))
        case Uniform() | Index():
            return Ball.exact(rounded(tensor, grid))
        case Derived():
            result: Ball = _FUNCTIONS[tensor.function](exact_balls(tensor.inner, grid), tensor.dim)
            return result
        case Complex():
            return ComplexPair(exact_balls(tensor.real, grid), exact_balls(tensor.imaginary, grid))
        case _:
            return Ball(tensor.arranged([exact_balls(part, grid).elements for part in tensor.parts]))


def _signed(value: Numeral) -> Fraction | float:
    """The exact value, as a float for a negative zero, which a fraction cannot hold."""
    return -0.0 if value.is_negative_zero else value.exact


def _derive_rounded(tensor: Derived, inner: Callable[[], Ball], format: Format) -> Float64Array:
    """Round certified values, raising the precision until both ends of each ball round alike."""

    def compute() -> tuple[Float64Array, Float64Array]:
        balls = _FUNCTIONS[tensor.function](inner(), tensor.dim)
        ends = (_ends(balls, flint.arb.lower), _ends(balls, flint.arb.upper))
        low, high = (format.round_exact(end).reshape(balls.shape) for end in ends)
        return low, high

    low, _ = certified(compute, accept=lambda ends: np.array_equal(ends[0], ends[1], equal_nan=True))
    return low


def _ends(balls: Ball, end: Callable[[flint.arb], flint.arb]) -> list[flint.arb | float]:
    """One end of each ball, which has no radius of its own."""
    ends = map(end, balls.elements.ravel().tolist())
    return [x if x.is_finite() else float(x) for x in ends]

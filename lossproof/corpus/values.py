"""From a tensor as written to its numbers: rounded to a dtype, or exact as balls."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_index, draw_uniform
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
    Shape,
    Tensor,
    Uniform,
)
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


def shape_of(tensor: Tensor) -> Shape:
    """The shape of a tensor, without making its numbers."""
    match tensor:
        case Derived(of=inner) | Complex(real=inner):
            return shape_of(inner)
        case Concatenate(parts=parts, dim=dim):
            shapes = [list(shape_of(part)) for part in parts]
            joined = shapes[0]
            joined[dim] = sum(shape[dim] for shape in shapes)
            return tuple(joined)
        case Permute(of=inner, dims=dims):
            shape = shape_of(inner)
            return tuple(shape[dim] for dim in dims)
        case _:
            return tensor.shape


def written_dtype(tensor: Tensor) -> str | None:
    """The dtype that a tensor insists on, or None for the loss's default."""
    match tensor:
        case Literal(dtype=dtype) | Fill(dtype=dtype):
            return dtype
        case Index():
            return "int64"
        case Concatenate(parts=(first, *_)) | Reshape(of=first) | Permute(of=first):
            return written_dtype(first)
        case _:
            return None


def rounded(tensor: Tensor, format: Format) -> npt.NDArray[Any]:
    """The numbers of a tensor, each rounded once to ``format``; float64, or complex128."""
    match tensor:
        case Literal(values=values, shape=shape):
            return format.round_exact(map(_signed, values)).reshape(shape)
        case Fill(value=value, shape=shape):
            return np.full(shape, format.round_exact([_signed(value)])[0])
        case Uniform(low=low, high=high, shape=shape, seed=seed):
            return draw_uniform(float(low), float(high), shape, seed, format)
        case Index(classes=classes, shape=shape, seed=seed):
            return draw_index(classes, shape, seed).astype(np.float64)
        case Derived(function=function, of=inner, dim=dim):
            if _is_drawn(inner):  # on this format's grid, and derived from there
                return _derive_rounded(function, dim, lambda: Ball.exact(rounded(inner, format)), format)
            return _derive_rounded(function, dim, lambda: exact_balls(inner), format)
        case Concatenate(parts=parts, dim=dim):
            return np.concatenate([rounded(part, format) for part in parts], axis=dim)
        case Reshape(of=inner, shape=shape):
            return rounded(inner, format).reshape(shape)
        case Permute(of=inner, dims=dims):
            return np.transpose(rounded(inner, format), dims)
        case Complex(real=real, imaginary=imaginary):
            return rounded(real, format) + 1j * rounded(imaginary, format)


def whole_numbers(tensor: Tensor) -> npt.NDArray[np.int64]:
    """The numbers of a tensor of whole numbers, none of them rounded.

    Raises:
        ValueError: where one is no whole number.
    """
    match tensor:
        case Literal(values=values, shape=shape):
            return np.array([int(value.text) for value in values], dtype=np.int64).reshape(shape)
        case Fill(value=value, shape=shape):
            return np.full(shape, int(value.text), dtype=np.int64)
        case Index(classes=classes, shape=shape, seed=seed):
            return draw_index(classes, shape, seed)
        case Concatenate(parts=parts, dim=dim):
            return np.concatenate([whole_numbers(part) for part in parts], axis=dim)
        case Reshape(of=inner, shape=shape):
            return whole_numbers(inner).reshape(shape)
        case Permute(of=inner, dims=dims):
            return np.transpose(whole_numbers(inner), dims)
        case _:
            raise ValueError(f"{type(tensor).__name__} makes no whole numbers")


def exact_balls(tensor: Tensor, grid: Format = FORMATS["float64"]) -> Array:
    """The numbers of a tensor as balls around the decimals as written, before any rounding.

    Drawn numbers are those on the grid of a format.
    """
    match tensor:
        case Literal(values=values, shape=shape):
            return Ball.of_fractions([value.exact for value in values], shape)
        case Fill(value=value, shape=shape):
            one = Ball.of_fractions([value.exact], ())
            return Ball(np.full(shape, one.elements[()], dtype=object))
        case Derived(function=function, of=inner, dim=dim):
            result: Ball = _FUNCTIONS[function](exact_balls(inner, grid), dim)
            return result
        case Concatenate(parts=parts, dim=dim):
            return Ball(np.concatenate([exact_balls(part, grid).elements for part in parts], axis=dim))
        case Reshape(of=inner, shape=shape):
            return Ball(exact_balls(inner, grid).elements.reshape(shape))
        case Permute(of=inner, dims=dims):
            return Ball(np.transpose(exact_balls(inner, grid).elements, dims))
        case Complex(real=real, imaginary=imaginary):
            return ComplexPair(exact_balls(real, grid), exact_balls(imaginary, grid))
        case _:
            return Ball.exact(rounded(tensor, grid))


def _signed(value: Numeral) -> Fraction | float:
    """The exact value; a fraction has no negative zero."""
    return -0.0 if value.is_negative_zero else value.exact


def _is_drawn(tensor: Tensor) -> bool:
    match tensor:
        case Uniform():
            return True
        case Derived(of=inner) | Reshape(of=inner) | Permute(of=inner) | Complex(real=inner):
            return _is_drawn(inner)
        case Concatenate(parts=parts):
            return any(map(_is_drawn, parts))
        case _:
            return False


def _derive_rounded(
    function: str, dim: int | None, inner: Callable[[], Ball], format: Format
) -> Float64Array:
    """Round certified values: repeat at more precision while both ends of a ball round differently."""

    def compute() -> tuple[Float64Array, Float64Array]:
        balls = _FUNCTIONS[function](inner(), dim)
        ends = (_fractions(balls, flint.arb.lower), _fractions(balls, flint.arb.upper))
        low, high = (format.round_exact(end).reshape(balls.shape) for end in ends)
        return low, high

    low, _ = certified(compute, accept=lambda ends: np.array_equal(ends[0], ends[1], equal_nan=True))
    return low


def _fractions(balls: Ball, end: Callable[[flint.arb], flint.arb]) -> list[Fraction | float]:
    return [_fraction(end(element)) for element in balls.elements.ravel().tolist()]


def _fraction(x: Any) -> Fraction | float:
    if not x.is_finite():
        return float(x)
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

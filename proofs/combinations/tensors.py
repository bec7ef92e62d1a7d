"""Tensors as a case file writes them, short even where they are long, beside the numbers that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.generator import draw_index, draw_uniform
from lossproof.numbers.formats import Format
from proofs.case_text import listed as numbers_of
from proofs.case_text import number
from proofs.combinations.table import Choice

Shape = tuple[int, ...]
# So many numbers at most stand in the file one by one.
_MOST_LISTED = 8


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor.

    Attributes:
        text: what a case file writes.
        values: what this means.
    """

    text: str
    values: npt.NDArray[Any]

    @property
    def shape(self) -> Shape:
        """Its shape."""
        return self.values.shape


def drawn(low: float, high: float, shape: Shape, seed: int, format: Format) -> Tensor:
    """Numbers from low to high."""
    values = draw_uniform(low, high, shape, seed, format)
    return Tensor(f"{{uniform: [{number(low)}, {number(high)}], {_shape(shape)}, seed: {seed}}}", values)


def drawn_classes(classes: int, shape: Shape, seed: int) -> Tensor:
    """Class indices."""
    return Tensor(f"{{index: {classes}, {_shape(shape)}, seed: {seed}}}", draw_index(classes, shape, seed))


def filled(value: float, shape: Shape, dtype: str | None = None) -> Tensor:
    """One number everywhere."""
    text = f"{{fill: {number(value)}, {_shape(shape)}{_dtype(dtype)}}}"
    return Tensor(text, np.full(shape, value, dtype=_held(dtype)))


def listed(values: npt.ArrayLike, dtype: str | None = None) -> Tensor:
    """Numbers one by one."""
    array = np.asarray(values)
    text = f"{{dtype: {dtype}, data: {numbers_of(array)}}}" if dtype else numbers_of(array)
    return Tensor(text, array)


def in_blocks(values: Sequence[float], shape: Shape, dtype: str | None = None) -> Tensor:
    """These numbers in turn: one by one where they are few, else in blocks along the longest dimension."""
    size = int(np.prod(shape))
    if size == 0 or len(values) == 1:
        return filled(values[0], shape, dtype)
    if size <= _MOST_LISTED:
        return listed(np.resize(np.asarray(values, dtype=_held(dtype)), shape), dtype)
    axis = int(np.argmax(shape))
    ends = np.linspace(0, shape[axis], min(len(values), shape[axis]) + 1).astype(int)
    parts = [
        filled(value, (*shape[:axis], int(length), *shape[axis + 1 :]), dtype)
        for value, length in zip(values, np.diff(ends), strict=False)
    ]
    text = f"{{concatenate: [{', '.join(part.text for part in parts)}], dim: {axis}}}"
    return Tensor(text, np.concatenate([part.values for part in parts], axis=axis))


def joined(tensors: Sequence[Tensor], axis: int) -> Tensor:
    """The tensors one behind the other along an axis, without those that hold nothing."""
    kept = [tensor for tensor in tensors if tensor.values.size] or tensors
    if len(kept) == 1:
        return kept[0]
    text = f"{{concatenate: [{', '.join(tensor.text for tensor in kept)}], dim: {axis}}}"
    return Tensor(text, np.concatenate([tensor.values for tensor in kept], axis=axis))


def patched(tensor: Tensor, numbers: Mapping[int, float]) -> Tensor:
    """The tensor with other numbers at these places, counted through all its dimensions."""
    kept = {place: value for place, value in numbers.items() if 0 <= place < tensor.values.size}
    if not kept:
        return tensor
    values = tensor.values.copy()
    at = [[int(index) for index in np.unravel_index(place, tensor.shape)] for place in kept]
    for place, value in kept.items():
        values.flat[place] = value
    texts = ", ".join(number(value) for value in kept.values())
    return Tensor(f"{{patch: {tensor.text}, at: {at}, numbers: [{texts}]}}", values)


def function_of(name: str, tensor: Tensor, dim: int | None = None) -> Tensor:
    """A function of a tensor, such as its log_softmax; its values stay unknown, but for their shape."""
    text = f"{{{name}: {tensor.text}{'' if dim is None else f', dim: {dim}'}}}"
    return Tensor(text, np.full(tensor.shape, np.nan))


def nearly_whole(choice: Choice, name: str, shape: Shape, axis: int) -> Tensor:
    """Probabilities whose sums are beside 1 by half a hundredth, above or below."""
    axis %= len(shape)
    if choice.among("excess", 0, 1):
        return filled(choice.format.round(0.995 / shape[axis]).item(), shape)
    lesser, one = ((*shape[:axis], size, *shape[axis + 1 :]) for size in (shape[axis] - 1, 1))
    shares = function_of("softmax", drawn(-2, 2, lesser, choice.seed(name), choice.format), axis)
    return joined([shares, filled(choice.format.round(0.005).item(), one)], axis)


def next_to(value: float, format: Format, direction: float = np.inf) -> float:
    """The neighbour of a number in its format.

    >>> from lossproof.numbers.formats import FORMATS
    >>> next_to(1.0, FORMATS["bfloat16"])
    1.0078125
    """
    spacing = float(format.unit_in_the_last_place(value))
    return value + spacing if direction > 0 else value - spacing


def _held(dtype: str | None) -> npt.DTypeLike:
    return np.float64 if dtype is None or "float" in dtype else np.int64


def _shape(shape: Shape) -> str:
    return f"shape: {list(shape)}"


def _dtype(dtype: str | None) -> str:
    return f", dtype: {dtype}" if dtype else ""

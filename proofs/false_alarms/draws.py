"""Random choices, and the type of functions that build random calls from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from lossproof.corpus.generator import draw_bits, draw_index, draw_uniform
from lossproof.numbers.formats import Float64Array, Format

Choice = TypeVar("Choice")


class Draws:
    """A stream of choices from one seed of the suite's generator."""

    def __init__(self, seed: int) -> None:
        self._seeds = iter(draw_bits(64, seed).tolist())

    def choose(self, *options: Choice) -> Choice:
        """One of ``options``."""
        return options[int(next(self._seeds)) % len(options)]

    def uniform(self, low: float, high: float, shape: tuple[int, ...], format: Format) -> Float64Array:
        """Random numbers of the format."""
        return draw_uniform(low, high, shape, next(self._seeds), format)

    def index(self, classes: int, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Class indices."""
        return draw_index(classes, shape, next(self._seeds))


# From a stream of choices to the arguments and parameters of a legal call.
Builder = Callable[[Draws, Format], tuple[dict[str, Any], dict[str, Any]]]

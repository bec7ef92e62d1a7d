"""SplitMix64 (Steele, Lea and Flood, 2014): the suite's random numbers, the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array, Format

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)


def draw_bits(count: int, seed: int) -> npt.NDArray[np.uint64]:
    """The first ``count`` outputs of SplitMix64 from ``seed``."""
    state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * _GAMMA
    state = (state ^ (state >> np.uint64(30))) * _FIRST_FACTOR
    state = (state ^ (state >> np.uint64(27))) * _SECOND_FACTOR
    return state ^ (state >> np.uint64(31))


def draw_uniform(low: float, high: float, shape: tuple[int, ...], seed: int, format: Format) -> Float64Array:
    """Numbers in [low, high] on the grid of ``format``, so that none needs rounding.

    A number is low + (high - low) k / 2^p, rounded to the format: p is the format's precision, and k the top
    p bits of a draw.
    """
    count = int(np.prod(shape))
    top = draw_bits(count, seed) >> np.uint64(64 - format.precision)
    unit = top.astype(np.float64) * 2.0**-format.precision
    return format.round(low + (high - low) * unit).reshape(shape)


def draw_index(classes: int, shape: tuple[int, ...], seed: int) -> npt.NDArray[np.int64]:
    """Class indices in [0, classes)."""
    count = int(np.prod(shape))
    return (draw_bits(count, seed) % np.uint64(classes)).astype(np.int64).reshape(shape)

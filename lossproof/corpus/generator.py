"""SplitMix64 (Steele, Lea and Flood, 2014): the suite's random numbers, the same on every machine."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array, Format


def draw_bits(count: int, seed: int) -> npt.NDArray[np.uint64]:
    """The first ``count`` outputs of SplitMix64 from ``seed``."""
    state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def draw_on_grid(low: float, high: float, shape: tuple[int, ...], seed: int, bits: int) -> Float64Array:
    """The numbers low + (high - low) k / 2^bits, with k the top bits of a draw."""
    top = draw_bits(math.prod(shape), seed) >> np.uint64(64 - bits)
    return (low + (high - low) * (top.astype(np.float64) * 2.0**-bits)).reshape(shape)


def draw_uniform(low: float, high: float, shape: tuple[int, ...], seed: int, format: Format) -> Float64Array:
    """Numbers in [low, high] on the grid of as many bits as ``format`` has, each rounded to the format."""
    return format.round(draw_on_grid(low, high, shape, seed, format.precision))


def draw_index(classes: int, shape: tuple[int, ...], seed: int) -> npt.NDArray[np.int64]:
    """Class indices in [0, classes)."""
    count = int(np.prod(shape))
    return (draw_bits(count, seed) % np.uint64(classes)).astype(np.int64).reshape(shape)

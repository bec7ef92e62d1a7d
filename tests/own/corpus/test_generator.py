"""The generator: SplitMix64's published outputs, each format's grid, and checksums that hold for ever."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.generator import draw_bits, draw_index, draw_uniform
from lossproof.numbers.formats import FORMATS

CHECKSUMS = {
    "float64": "07b0efb5e9c8085a6a165c3e494ae2d61024b7ecdc998f461a6736bf002cf6b2",
    "float32": "b193c96483e775af41afb1c9c2ef2c25089680f2605a232d6897fd3b4b390d9a",
    "bfloat16": "08a69e81edc6c3d43e68c139a05090461ce5cf32d8d00146109011ad3b293349",
    "float16": "a089c2e35cb6e022c5384bca79a6f8db12a14af2c61e88cb4f4f7653d6650b04",
}


def splitmix64(state: int, count: int) -> list[int]:
    """The generator as Vigna's C code has it, in Python's unbounded integers."""
    mask, outputs = (1 << 64) - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        outputs.append(z ^ (z >> 31))
    return outputs


@pytest.mark.parametrize(
    ("seed", "published"),
    [
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]),
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]),
    ],
)
def test_published_outputs(seed: int, published: list[int]) -> None:
    assert draw_bits(3, seed).tolist() == published


@given(seed=st.integers(0, (1 << 64) - 1), count=st.integers(0, 50))
def test_every_seed_gives_the_sequence_of_the_definition(seed: int, count: int) -> None:
    assert draw_bits(count, seed).tolist() == splitmix64(seed, count)


@pytest.mark.parametrize("name", list(FORMATS))
def test_uniform_numbers_never_change(name: str) -> None:
    """Cases rest on these very numbers: a checksum that moves means a generator that moved."""
    numbers = draw_uniform(-4.0, 4.0, (64, 100), 7, FORMATS[name])
    assert numbers.shape == (64, 100)
    assert hashlib.sha256(numbers.astype("<f8").tobytes()).hexdigest() == CHECKSUMS.get(name)


@pytest.mark.parametrize("name", list(FORMATS))
def test_uniform_numbers_come_from_the_top_bits_of_a_draw(name: str) -> None:
    precision = FORMATS[name].precision
    expected = [(bits >> (64 - precision)) / 2**precision for bits in splitmix64(7, 200)]
    np.testing.assert_array_equal(draw_uniform(0.0, 1.0, (200,), 7, FORMATS[name]), expected)


@pytest.mark.parametrize("name", list(FORMATS))
@given(
    low=st.floats(-100, 100, width=16), width=st.floats(0.0009765625, 100, width=16), seed=st.integers(0, 999)
)
def test_uniform_numbers_lie_in_their_range_on_the_grid(
    name: str, low: float, width: float, seed: int
) -> None:
    format = FORMATS[name]
    low, high = float(format.round(low)), float(format.round(low + width))
    numbers = draw_uniform(low, high, (100,), seed, format)
    np.testing.assert_array_equal(format.round(numbers), numbers)
    assert np.all((low <= numbers) & (numbers <= high))


@pytest.mark.parametrize("name", list(FORMATS))
def test_uniform_numbers_fill_their_range_evenly(name: str) -> None:
    numbers = draw_uniform(-4.0, 4.0, (4000,), 3, FORMATS[name])
    counts, _ = np.histogram(numbers, bins=8, range=(-4.0, 4.0))
    assert counts.sum() == 4000
    assert np.all(abs(counts - 500) < 100)  # 4.8 standard deviations


def test_a_larger_shape_begins_with_the_numbers_of_a_smaller_one() -> None:
    few = draw_uniform(-1.0, 1.0, (6,), 5, FORMATS["float32"])
    many = draw_uniform(-1.0, 1.0, (4, 3), 5, FORMATS["float32"])
    np.testing.assert_array_equal(many.ravel()[:6], few)


def test_indices_never_change() -> None:
    assert draw_index(10, (3, 4), 8).tolist() == [[2, 7, 5, 4], [2, 2, 9, 4], [5, 0, 5, 0]]


@given(classes=st.integers(1, 1000), seed=st.integers(0, (1 << 64) - 1))
def test_indices_are_draws_modulo_the_classes(classes: int, seed: int) -> None:
    indices = draw_index(classes, (20,), seed)
    assert indices.dtype == np.int64
    assert indices.tolist() == [bits % classes for bits in splitmix64(seed, 20)]


def test_no_elements_and_no_dimensions() -> None:
    assert draw_uniform(-1.0, 1.0, (0, 3), 1, FORMATS["float64"]).shape == (0, 3)
    assert draw_uniform(-1.0, 1.0, (), 1, FORMATS["float64"]).shape == ()
    assert draw_index(3, (0,), 1).shape == (0,)

"""Programs draw the numbers that a case draws, and hold all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Literal, Patch, Tensor, Uniform
from lossproof.judging.call_values import tensor_values
from lossproof.subjects.call import Values
from lossproof.subjects.literals import array_source, tensor_source
from lossproof.subjects.program import Program

DRAWN = Uniform(parse_numeral("-3"), parse_numeral("4.5"), (3, 200), 7)


def patched(*numbers: str) -> Patch:
    places = ((0, 1), (-1, -1))[: len(numbers)]
    return Patch(DRAWN, places, Literal(tuple(map(parse_numeral, numbers)), (len(numbers),)))


PATCHED, WITH_INFINITY = patched("9", "-0.1"), patched("-.inf")


def numbers_in(text: str) -> npt.NDArray[Any]:
    scope: dict[str, Any] = {}
    exec(text, scope)
    return np.asarray(scope["result"].tolist())


def program(source: str) -> str:
    return Program().assemble(f"result = {source}")


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("tensor", [DRAWN, PATCHED, WITH_INFINITY])
def test_a_program_makes_the_very_numbers(tensor: Tensor, dtype: str) -> None:
    values = tensor_values(tensor, dtype)
    for source in (tensor_source(values, "cpu"), array_source(values)):
        np.testing.assert_array_equal(numbers_in(program(source)), values.numbers, strict=True)


@pytest.mark.parametrize("tensor", [DRAWN, PATCHED])
def test_numbers_that_a_case_draws_are_drawn(tensor: Tensor) -> None:
    values = tensor_values(tensor, "float32")
    for source in (tensor_source(values, "cpu"), array_source(values)):
        assert len(source) < 250
        assert len(program(source)) < 1500


def test_numbers_that_are_others_than_those_drawn_are_written() -> None:
    values = tensor_values(DRAWN, "float32")
    changed = Values(values.numbers * 2, values.dtype, values.drawn)
    np.testing.assert_array_equal(numbers_in(program(array_source(changed))), changed.numbers)

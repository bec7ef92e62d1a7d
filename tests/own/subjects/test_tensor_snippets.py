"""The tensors of a program are those of the call: their bits, and how they lie in memory."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, Values
from lossproof.subjects.literals import tensor_source
from lossproof.subjects.torch.tensors import make_tensors, tensor_lines

TENSORS = {
    "nothing": Values(np.zeros((0, 3)), "float32"),
    "a number": Values(np.array(0.1), "float64"),
    "nan and infinities": Values(np.array([math.nan, math.inf, -math.inf, 1.0]), "float16"),
    "all nan": Values(np.full((2, 2), math.nan), "bfloat16"),
    "zeros of both signs": Values(np.array([0.0, -0.0]), "float32"),
    "many of one number": Values(np.full((40, 40), -0.25), "float64"),
    "integers": Values(np.array([[1, -100], [2**40, 3]]), "int64"),
    "truths": Values(np.array([True, False]), "bool"),
    "complex": Values(np.array([1 + 2j, -0.5j, complex(math.nan, math.inf)]), "complex64"),
    "many": Values(np.linspace(-1, 1, 777).reshape(7, 111), "float64"),
    "many narrow": Values(np.arange(777, dtype=np.float64) / 8, "bfloat16"),
    "many beyond the narrow": Values(np.append(np.arange(777.0), [1e300, math.nan]), "float64"),
    "many integers": Values(np.arange(777) % 5, "uint8"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_is_written_with_all_its_bits(name: str) -> None:
    values = TENSORS[name]
    scope: dict[str, Any] = {}
    exec(f"import base64, zlib, torch\nmade = {tensor_source(values, 'cpu')}", scope)
    expected = torch.from_numpy(values.numbers).to(getattr(torch, values.dtype))
    made = scope["made"]
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    assert str(made.tolist()) == str(expected.tolist())  # which tells 0.0 from -0.0, and takes nan for nan


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tensor_lies_in_memory_as_the_subject_laid_it_out(layout: str) -> None:
    args = {
        "input": Values(np.array([[1.0, 2.0, 2.0], [1.0, 4.0, 4.0]]), "float32"),
        "target": Values(np.array([[7, 7, 7], [7, 7, 7]]), "int64"),
        "alone": Values(np.array(3.0), "float32"),
    }
    call = Call(
        "CrossEntropyLoss", {"eps": 1.0, "weight": Values(np.ones(4), "float32")}, args, None, "float32"
    )
    call = replace(call, layout=layout)
    scope: dict[str, Any] = {}
    lines = [line for made in tensor_lines(call).values() for line in made]
    exec("\n".join(["import torch", *lines]), scope)
    for name, wanted in make_tensors(call).items():
        made = scope[name]
        assert made.dtype == wanted.dtype
        assert (made.stride(), made.storage_offset()) == (wanted.stride(), wanted.storage_offset()), name
        # All of the memory, what lies between the elements included.
        assert bytes(made.untyped_storage()) == bytes(wanted.untyped_storage()), name


@pytest.mark.parametrize(
    ("layout", "strides", "memory"),
    [
        ("contiguous", (3, 1), [1, 2, 2, 1, 4, 4]),
        ("transposed", (1, 2), [1, 1, 2, 4, 2, 4]),
        ("strided", (6, 2), [1, 0, 2, 0, 2, 0, 1, 0, 4, 0, 4, 0]),
    ],
)
def test_a_layout_is_what_it_is_called(layout: str, strides: tuple[int, ...], memory: list[int]) -> None:
    """Integers are poisoned with 0; of the tensors of a call, the first has every second element."""
    values = Values(np.array([[1, 2, 2], [1, 4, 4]]), "int64")
    [tensor] = make_tensors(Call("NLLLoss", {}, {"target": values}, None, "float32", layout=layout)).values()
    assert tensor.tolist() == values.numbers.tolist()
    assert tensor.stride() == strides
    assert tensor.as_strided((len(memory),), (1,), 0).tolist() == memory


def test_what_repeats_itself_is_expanded_over_poison() -> None:
    values = Values(np.array([[1.0, 1.0], [2.0, 2.0]]), "float32")
    [tensor] = make_tensors(
        Call("MSELoss", {}, {"input": values}, None, "float32", layout="expanded")
    ).values()
    assert tensor.tolist() == values.numbers.tolist()
    assert tensor.stride() == (2, 0)
    assert str(tensor.as_strided((4,), (1,), 0).tolist()) == "[1.0, nan, 2.0, nan]"

"""The tensors of a program are those of the call: their bits, and how they lie in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, Values
from lossproof.subjects.tensor_snippets import tensor_lines, tensor_source
from lossproof.subjects.torch.layouts import lay_out

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
    scope: dict[str, Any] = {}
    exec("\n".join(["import torch", *tensor_lines(replace(call, layout=layout))]), scope)
    tensors: Mapping[str, tuple[int, Values]] = {
        **{name: (place, values) for place, (name, values) in enumerate(args.items())},
        "weight": (4, call.params["weight"]),
    }
    for name, (place, values) in tensors.items():
        plain = torch.from_numpy(values.numbers).to(getattr(torch, values.dtype))
        wanted, made = lay_out(plain, layout, place), scope[name]
        assert (made.stride(), made.storage_offset()) == (wanted.stride(), wanted.storage_offset()), name
        # All of the memory, what lies between the elements included.
        assert bytes(made.untyped_storage()) == bytes(wanted.untyped_storage()), name

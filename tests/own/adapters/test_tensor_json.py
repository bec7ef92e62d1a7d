"""Numbers travel to a runner and back bit for bit, or are refused with their place."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.adapters.tensor_json import NoAnswer, number_of, number_text, tensor_json, tensor_of
from lossproof.numbers.formats import FORMATS
from lossproof.subjects.call import Values

INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "bool")


def bits_of(number: float) -> bytes:
    return b"nan" if math.isnan(number) else struct.pack("<d", number)


@given(st.floats())
def test_a_float64_returns_with_its_bits(number: float) -> None:
    text = number_text(number)
    returned = number_of(text)
    assert returned is not None
    assert bits_of(returned) == bits_of(number)


@given(st.floats())
def test_so_does_a_float64_as_python_writes_it(number: float) -> None:
    returned = number_of(number.hex())
    assert returned is not None
    assert bits_of(returned) == bits_of(number)


@given(st.lists(st.floats(), min_size=6, max_size=6), st.sampled_from([*FORMATS]))
def test_a_tensor_returns_with_its_bits_its_shape_and_its_dtype(numbers: list[float], dtype: str) -> None:
    array = FORMATS[dtype].round(numbers).reshape(2, 3)
    message = json.loads(json.dumps(tensor_json(Values(array, dtype)), allow_nan=False))
    returned, returned_dtype = tensor_of(message, "value")
    assert (returned.shape, returned_dtype) == ((2, 3), dtype)
    assert [*map(bits_of, returned.ravel())] == [*map(bits_of, array.ravel())]


@given(st.data(), st.sampled_from(INTEGERS))
def test_integers_return(data: st.DataObject, dtype: str) -> None:
    low, high = (0, 1) if dtype == "bool" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    numbers = np.array(data.draw(st.lists(st.integers(low, high))), dtype)
    returned, _ = tensor_of(tensor_json(Values(numbers, dtype)), "value")
    assert returned.dtype == numbers.dtype
    assert returned.tolist() == numbers.tolist()


@given(st.lists(st.complex_numbers(width=64)))
def test_a_complex_number_is_two_elements(numbers: list[complex]) -> None:
    array = np.array(numbers, np.complex64)
    message = tensor_json(Values(array, "complex64"))
    assert message["shape"] == [len(numbers)]
    returned, _ = tensor_of(message, "value")
    parts = [part for number in array.tolist() for part in (number.real, number.imag)]
    assert [*map(bits_of, returned.ravel())] == [*map(bits_of, parts)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0x3p-1", 1.5),
        ("0x1.80p0", 1.5),
        ("0xc.00p-3", 1.5),
        ("-0x0p+0", -0.0),
        ("-nan", math.nan),
        ("0x1p-1074", 5e-324),
        ("0x0.0000000000001p-1022", 5e-324),
        ("0x18000000000000p-52", 1.5),
    ],
)
def test_every_way_to_write_a_number_in_hexadecimal_is_read(text: str, number: float) -> None:
    returned = number_of(text)
    assert returned is not None
    assert bits_of(returned) == bits_of(number)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1.5",
            "0.1",
            "1",
            "",
            " 0x1p+0",
            "0x1p+0\n",
            "0x1p+0 ",
            "+0x1p+0",
            "0x1.8",
            "0xp+0",
            "NaN",
            "Infinity",
        ),
        *("0x1p+1024", "0x1p+999999999", "0x1p+9999999999", "0x1p-999999999", "0x1p-1075", "0x1.8p-1074"),
        "0x1.00000000000001p+0",
    ],
)
def test_what_is_no_float64_exactly_is_not_read(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("dtype", "shape", "data", "words"),
    [
        ("float64", [2], ["0x1p+0", "0.5"], "x.data[1] is '0.5', which states no float64 exactly"),
        ("float32", [2], ["0x1p+0", "0x1.000001p+0"], "x.data[1] is '0x1.000001p+0', which is no float32"),
        ("float16", [1], ["0x1p+16"], "x.data[0] is '0x1p+16', which is no float16"),
        ("bfloat16", [1], ["0x1.01p+0"], "which is no bfloat16"),
        ("complex64", [1], ["0x1p+0"], "x.data has 1 elements; a complex64 tensor of shape [1] has 2"),
        ("float64", [2, 3], ["0x1p+0"], "x.data has 1 elements; a float64 tensor of shape [2, 3] has 6"),
        ("float64", [], [], "x.data has 0 elements; a float64 tensor of shape [] has 1"),
        ("int64", [1], ["0x1p+0"], "x.data[0] is '0x1p+0', which is no int64"),
        ("int64", [1], ["9223372036854775808"], "which is no int64"),
        (
            "uint8",
            [2],
            ["1", "-1"],
            "x.data[1] is '-1', which is no uint8; write a decimal integer from 0 to 255",
        ),
        ("bool", [1], ["2"], "which is no bool"),
        ("float64", [0] * 100, [], "which is no shape"),
        ("float64", [0, 10**30], [], "which is no shape"),
    ],
)
def test_a_wrong_tensor_is_refused_with_the_place(
    dtype: str, shape: list[int], data: list[str], words: str
) -> None:
    message: dict[str, Any] = {"dtype": dtype, "shape": shape, "data": data}
    with pytest.raises(NoAnswer) as refused:
        tensor_of(message, "x")
    assert words in str(refused.value)

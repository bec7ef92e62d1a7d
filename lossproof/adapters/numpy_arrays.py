"""Arrays of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.adapters.arrays import Arrays
from lossproof.subjects.call import Call, Values
from lossproof.subjects.literals import array_source
from lossproof.subjects.program import Lines


class NumpyArrays(Arrays):
    """Arrays of float64, float32 and float16: NumPy has no bfloat16, and differentiates nothing."""

    name = "numpy"
    packages = ("numpy",)
    dtypes = ("float64", "float32", "float16")
    layouts = ("contiguous", "transposed", "strided")
    in_double = "numpy.float64(result)"

    def make(self, values: Values, call: Call, place: int = 0) -> npt.NDArray[Any]:
        array = values.numbers.astype(values.dtype)
        if call.layout == "transposed" and array.ndim > 1:
            return np.asfortranarray(array)
        if call.layout == "strided" and array.ndim:
            return np.repeat(array, 2 + place, axis=-1)[..., :: 2 + place]
        return array

    def read(self, array: Any) -> tuple[npt.NDArray[Any], str]:
        array = np.array(array)
        if array.dtype.kind == "c":
            array = np.stack([array.real, array.imag], axis=-1)
        return array.astype(np.float64) if array.dtype.kind == "f" else array, str(array.dtype)

    def lines(self, name: str, values: Values, call: Call, place: int = 0) -> Lines:
        lines = [f"{name} = {array_source(Values(self.make(values, call, place), values.dtype))}"]
        if call.layout == "transposed" and values.numbers.ndim > 1:
            lines.append(f"{name} = numpy.asfortranarray({name})")
        if call.layout == "strided" and values.numbers.ndim:
            lines.append(f"{name} = numpy.repeat({name}, {2 + place}, axis=-1)[..., ::{2 + place}]")
        return tuple(lines)

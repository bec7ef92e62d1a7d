"""Arrays of MLX."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import mlx
import mlx.core as mx
import numpy as np
import numpy.typing as npt

from lossproof.adapters.arrays import Arrays, Function
from lossproof.numbers.formats import FORMATS
from lossproof.subjects.call import Call, Values
from lossproof.subjects.literals import array_source
from lossproof.subjects.program import Lines

_BOOLEAN = {"bool": "bool_"}


class MlxArrays(Arrays):
    """Arrays in all dtypes, on the processor; gradients by ``mlx.core.vjp``."""

    name = "mlx"
    packages = ("mlx",)
    dtypes = tuple(FORMATS)
    imports = ("import mlx.core",)
    scope = MappingProxyType({"mlx": mlx})
    in_double = "numpy.float64(result)"
    differentiates = True

    def __init__(self) -> None:
        mx.set_default_device(mx.cpu)  # which alone has float64

    def make(self, values: Values, call: Call, place: int = 0) -> mx.array:
        dtype = getattr(mx, _BOOLEAN.get(values.dtype, values.dtype))
        return mx.array(values.numbers, dtype=dtype)

    def read(self, array: Any) -> tuple[npt.NDArray[Any], str]:
        name = str(array.dtype).rpartition(".")[2]
        if name in FORMATS:
            return np.array(array.astype(mx.float64)), name
        numbers = np.array(array)
        return np.stack([numbers.real, numbers.imag], axis=-1) if numbers.dtype.kind == "c" else numbers, name

    def differentiate(
        self, function: Function, tensors: Mapping[str, Any], wrt: tuple[str, ...], upstream: Any
    ) -> tuple[Any, Mapping[str, Any]]:
        shapes: list[tuple[int, ...]] = []

        def of_sources(*sources: Any) -> Any:
            output = function({**tensors, **dict(zip(wrt, sources, strict=True))})
            shapes.append(tuple(output.shape))
            return output

        sources = [tensors[name] for name in wrt]
        output = of_sources(*sources)
        if shapes[0] != tuple(upstream.shape):
            return output, {}
        _, gradients = mx.vjp(of_sources, sources, [upstream.astype(output.dtype)])
        return output, dict(zip(wrt, gradients, strict=True))

    def lines(self, name: str, values: Values, call: Call, place: int = 0) -> Lines:
        setting = () if place else ("mlx.core.set_default_device(mlx.core.cpu)",)
        dtype = _BOOLEAN.get(values.dtype, values.dtype)
        return (*setting, f"{name} = mlx.core.array({array_source(values)}, dtype=mlx.core.{dtype})")

    def dtype_source(self, name: str) -> str:
        return f"mlx.core.{name}"

    def gradient_lines(self, expression: str, call: Call, argument: str) -> Lines:
        return (
            f"(result,), gradients = mlx.core.vjp(lambda {argument}: {expression}, [{argument}], [upstream])",
            "(result,) = gradients",
        )

"""Arrays of JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import ml_dtypes
import numpy as np
import numpy.typing as npt

from lossproof.adapters.arrays import Arrays, Function
from lossproof.numbers.formats import FORMATS
from lossproof.subjects.call import Call, Values
from lossproof.subjects.literals import array_source
from lossproof.subjects.program import Lines


class JaxArrays(Arrays):
    """Arrays in all dtypes; gradients by ``jax.vjp``.

    JAX has float64 and int64 only if ``jax_enable_x64`` is set, which changes what its functions compute in
    other dtypes. So it is set for calls in float64 alone; in others, indices are int32.
    """

    name = "jax"
    packages = ("jax", "jaxlib")
    dtypes = tuple(FORMATS)
    imports = ("import jax",)
    in_double = "numpy.float64(result)"
    differentiates = True

    def make(self, values: Values, call: Call, place: int = 0) -> Any:
        return jax.numpy.asarray(values.numbers.astype(_dtype_in(call, values.dtype)))

    def read(self, array: Any) -> tuple[npt.NDArray[Any], str]:
        numbers = np.asarray(array)
        name = str(numbers.dtype)
        if numbers.dtype.kind == "c":
            numbers = np.stack([numbers.real, numbers.imag], axis=-1)
        return numbers.astype(np.float64) if name in FORMATS or numbers.dtype.kind == "f" else numbers, name

    def differentiate(
        self, function: Function, tensors: Mapping[str, Any], wrt: tuple[str, ...], upstream: Any
    ) -> tuple[Any, Mapping[str, Any]]:
        def of_sources(*sources: Any) -> Any:
            return function({**tensors, **dict(zip(wrt, sources, strict=True))})

        output, pull_back = jax.vjp(of_sources, *(tensors[name] for name in wrt))
        if output.shape != upstream.shape:
            return output, {}
        return output, dict(zip(wrt, pull_back(upstream.astype(output.dtype)), strict=True))

    def settings(self, call: Call) -> Any:
        return jax.enable_x64(_needs_double(call))

    def lines(self, name: str, values: Values, call: Call, place: int = 0) -> Lines:
        setting = ("jax.config.update('jax_enable_x64', True)",) if _needs_double(call) and not place else ()
        dtype = np.dtype(_dtype_in(call, values.dtype)).name
        source = array_source(Values(values.numbers, values.dtype))
        return (*setting, f"{name} = jax.numpy.asarray({source}, dtype='{dtype}')")

    def gradient_lines(self, expression: str, call: Call, argument: str) -> Lines:
        return (
            f"result, pull_back = jax.vjp(lambda {argument}: {expression}, {argument})",
            "(result,) = pull_back(upstream.astype(result.dtype))",
        )


def _needs_double(call: Call) -> bool:
    return "float64" in (call.dtype, call.upstream_dtype)


def _dtype_in(call: Call, dtype: str) -> Any:
    if dtype == "bfloat16":
        return ml_dtypes.bfloat16
    return "int32" if dtype == "int64" and not _needs_double(call) else dtype

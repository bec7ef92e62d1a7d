"""Tensors of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch

from lossproof.adapters.arrays import Arrays, Function
from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, Values
from lossproof.subjects.literals import tensor_source
from lossproof.subjects.program import Lines
from lossproof.subjects.torch.layouts import lay_out, layout_lines
from lossproof.subjects.torch.subject import TorchSubject
from lossproof.subjects.torch.tensors import dtype_of, make_tensor, numbers_of


class TorchArrays(Arrays):
    """Tensors in every layout; gradients by autograd."""

    name = "torch"
    packages = ("torch",)
    dtypes = TorchSubject.dtypes
    layouts = LAYOUTS
    in_double = "result.double()"
    differentiates = True

    def devices(self) -> tuple[str, ...]:
        return TorchSubject().devices()

    def make(self, values: Values, call: Call, place: int = 0) -> torch.Tensor:
        return lay_out(make_tensor(values, call.device), values, call.layout, place)

    def read(self, array: torch.Tensor) -> tuple[npt.NDArray[Any], str]:
        return numbers_of(array), dtype_of(array)

    def differentiate(
        self, function: Function, tensors: Mapping[str, Any], wrt: tuple[str, ...], upstream: Any
    ) -> tuple[Any, Mapping[str, Any]]:
        sources = [tensors[name].requires_grad_() for name in wrt]
        output = function(tensors)
        if not output.requires_grad or output.shape != upstream.shape:
            return output, {}
        # Some library may have written to the inputs: they are leaves all the same.
        gradients = torch.autograd.grad(output, sources, upstream.to(output.dtype), allow_unused=True)
        found = zip(wrt, gradients, strict=True)
        return output, {name: gradient for name, gradient in found if gradient is not None}

    def lines(self, name: str, values: Values, call: Call, place: int = 0) -> Lines:
        source = f"{name} = {tensor_source(values, call.device)}"
        return (source, *layout_lines(name, values, call.layout, place))

    def gradient_lines(self, expression: str, call: Call, argument: str) -> Lines:
        return (
            f"{argument}.requires_grad_()",
            f"result = {expression}",
            f"(result,) = torch.autograd.grad(result, [{argument}], upstream.to(result.dtype))",
        )

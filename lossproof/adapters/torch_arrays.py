"""Tensors of torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy.typing as npt
import torch

from lossproof.adapters.arrays import Arrays, Function
from lossproof.adapters.forms import Form
from lossproof.corpus.keys import LAYOUTS
from lossproof.subjects.call import Call, ModeObservation, Values, tensors_of
from lossproof.subjects.literals import tensor_source
from lossproof.subjects.program import Lines, Program
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.layouts import lay_out, layout_lines
from lossproof.subjects.torch.modes.running import failure, run_in_mode
from lossproof.subjects.torch.modes.table import GROUPS_OF_OTHERS, promises_of
from lossproof.subjects.torch.programs import program_of_mode
from lossproof.subjects.torch.subject import TorchSubject
from lossproof.subjects.torch.tensors import dtype_of, make_tensor, numbers_of


class TorchArrays(Arrays):
    """Tensors in every layout; gradients by autograd."""

    name = "torch"
    packages = ("torch",)
    dtypes = TorchSubject.dtypes
    layouts = LAYOUTS
    scope = MappingProxyType({"torch": torch})
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

    def dtype_source(self, name: str) -> str:
        return f"torch.{name}"

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """See ``subjects.torch.modes``."""
        return promises_of(GROUPS_OF_OTHERS, call)

    def run_way(self, way: str, call: Call, form: Form) -> ModeObservation:
        return run_in_mode(way, call, form.functions(tensors_of(call)), {}, failure)

    def program_of_way(self, way: str, call: Call, form: Form, part: str) -> Program:
        return program_of_mode(way, call, {}, part, form, form.imports)

    def gradient_lines(self, expression: str, call: Call, argument: str) -> Lines:
        return (
            f"{argument}.requires_grad_()",
            f"result = {expression}",
            f"(result,) = torch.autograd.grad(result, [{argument}], upstream.to(result.dtype))",
        )

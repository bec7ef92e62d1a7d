"""torch.compile without a code generator: the losses of torch, decomposed into simpler operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import torch
import torch._dynamo

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation, Refused, Unsupported, changed_since, tensors_of
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.forms import Form, function_form
from lossproof.subjects.torch.programs import TorchPrograms
from lossproof.subjects.torch.subject import FunctionSubject
from lossproof.subjects.torch.tensors import dtype_of, numbers_of

_BACKEND = "aot_eager_decomp_partition"
# Beyond its limit of recompilations, dynamo runs eager torch without a word.
_LIMITS = {
    "recompile_limit": 10_000,
    "accumulated_recompile_limit": 10_000,
    "fail_on_recompile_limit_hit": True,
}


def compiled_form(call: Call) -> Form:
    """A function that calls the one of torch.nn.functional, compiled for the shapes of the call."""
    form, tensors = function_form(call), tensors_of(call)
    compiled = f"loss = torch.compile(loss, backend='{_BACKEND}', dynamic=False)"
    construct = (*form.definition(tensors), compiled)
    return replace(form, call=f"loss({', '.join(tensors)})", construct=construct)


class DecomposedSubject(FunctionSubject):
    """What compiled code starts from: each loss and its gradient as a graph of simple operations."""

    name = "torch.compile-decomposed"
    layouts = ("contiguous",)  # each layout is another compilation
    programs = TorchPrograms(compiled_form)

    def __init__(self) -> None:
        super().__init__()
        self._loss = ""

    def has_loss(self, loss: str) -> bool:
        """Whether torch has a function for the loss."""
        return LOSSES[loss].functional is not None

    def illustrates(self, loss: str) -> bool:
        return False

    def modes(self, call: Call) -> Mapping[str, Promise]:
        return {}

    def run(self, call: Call) -> Observation:
        """Run forward and backward anew for each upstream gradient, since compiled code frees its buffers."""
        if call.loss != self._loss:
            torch._dynamo.reset()
            self._loss = call.loss
        with torch._dynamo.config.patch(_LIMITS):
            first, *others = (
                super(DecomposedSubject, self).run(replace(call, upstreams=upstreams))
                for upstreams in ([(one,) for one in call.upstreams] or [()])
            )
        return replace(
            first,
            gradients=tuple(gradients for one in (first, *others) for gradients in one.gradients),
            changes=tuple(dict.fromkeys(name for one in (first, *others) for name in one.changes)),
            failure=next((one.failure for one in (first, *others) if one.failure), None),
        )

    def _form_of(self, call: Call) -> Form:
        return compiled_form(call)

    def _apply(self, call: Call, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        try:
            return super()._apply(call, tensors)
        except Refused as refused:
            original = _original(refused.__cause__)
            if isinstance(original, NotImplementedError):
                raise Unsupported(str(original).partition("\n")[0]) from original
            raise Refused(type(original).__name__, str(original), refused.when) from original


def _original(error: BaseException | None) -> BaseException | None:
    """The exception that the compiler wrapped, if it did."""
    inner = error
    while inner is not None and type(inner).__module__.startswith("torch._dynamo"):
        inner = inner.__cause__ or inner.__context__
    return inner or error

"""torch.compile without a code generator: the losses of torch, decomposed into simpler operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
import torch._dynamo

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation, Refused, Unsupported, tensors_of
from lossproof.subjects.program import Lines
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.forms import Form, function_form
from lossproof.subjects.torch.programs import TorchPrograms
from lossproof.subjects.torch.source import execute
from lossproof.subjects.torch.subject import FunctionSubject

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
    tracker = "https://github.com/pytorch/pytorch/issues"
    layouts = ("contiguous",)  # each layout is another compilation
    programs = TorchPrograms(compiled_form)

    def has_loss(self, loss: str) -> bool:
        """Whether torch has a function for the loss."""
        return LOSSES[loss].functional is not None

    def illustrates(self, loss: str) -> bool:
        return False

    def modes(self, call: Call) -> Mapping[str, Promise]:
        return {}

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        return ()

    def run(self, call: Call) -> Observation:
        """Run forward and backward anew for each upstream gradient, since compiled code frees its buffers."""
        with torch._dynamo.config.patch(_LIMITS):
            calls = [replace(call, upstreams=(one,)) for one in call.upstreams] or [call]
            runs = [super(DecomposedSubject, self).run(one) for one in calls]
        return replace(
            runs[0],
            gradients=tuple(gradients for run in runs for gradients in run.gradients),
            changes=tuple(dict.fromkeys(name for run in runs for name in run.changes)),
            failure=next((run.failure for run in runs if run.failure), None),
        )

    def _form_of(self, call: Call) -> Form:
        return compiled_form(call)

    def _apply(self, call: Call, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        form = compiled_form(call)
        form.demand()
        try:
            with self._refusals("call"):
                output: torch.Tensor = _compiled(form.construct)(*tensors.values())
                return output
        except Refused as refused:
            original = _original(refused.__cause__)
            if isinstance(original, NotImplementedError):
                raise Unsupported(str(original).partition("\n")[0]) from original
            raise Refused(type(original).__name__, str(original), refused.when) from original


@lru_cache(maxsize=1)
def _compiled(construct: Lines) -> Callable[..., torch.Tensor]:
    """The function that lines define; all that were compiled before are forgotten."""
    torch._dynamo.reset()
    scope: dict[str, Any] = {}
    execute(construct, scope)
    loss: Callable[..., torch.Tensor] = scope["loss"]
    return loss


def _original(error: BaseException | None) -> BaseException | None:
    """The exception that the compiler wrapped, if it did."""
    inner = error
    while inner is not None and type(inner).__module__.startswith("torch._dynamo"):
        inner = inner.__cause__ or inner.__context__
    return inner or error

"""How torch's subjects read as programs; on a subject that writes none, what torch does on the same call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Values, tensors_of
from lossproof.subjects.program import Lines, Program, Programs
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.aspects import aspect_program
from lossproof.subjects.torch.forms import Form, function_form
from lossproof.subjects.torch.modes.table import MODES
from lossproof.subjects.torch.tensors import plainly_listed, tensor_lines, upstream_line
from lossproof.subjects.written import tensor_source

_ANNOTATIONS = "from __future__ import annotations"


class TorchPrograms(Programs):
    """Programs of torch and plain numbers alone.

    Args:
        form_of: how the subject makes a call.
        note: a comment on each program.
    """

    def __init__(self, form_of: Callable[[Call], Form], note: str = "") -> None:
        self._form_of = form_of
        self._note = note

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        """See ``Programs``."""
        call = plainly_listed(call)
        form, kind = self._form_of(call), quantity.partition(":")[0]
        tensors, gradient = tensor_lines(call, call.wrt), tuple(_backward(call, quantity))
        if kind == "unchanged" and call.wrt:
            tensors["upstream"] = (upstream_line(call),)
        result = (f"result = {form.call}",)
        return Program(self._note, (), tensors, form.construct, result, gradient, in_double="result.double()")

    def of_mode(
        self, mode: str, call: Call, directions: Mapping[str, Float64Array], part: str = ""
    ) -> Program:
        """See ``Programs``: the source of the function that runs the mode, and a call of it."""
        call = plainly_listed(call)
        run, tensors = MODES[mode], tensor_lines(call)
        given = {
            "loss": "loss",
            "tensors": _by_name({name: name for name in tensors}),
            "args": repr(tuple(call.args)),
            "wrt": repr(call.wrt),
            "upstream": "upstream",
            "directions": _by_name({name: f"{name}_direction" for name in call.wrt}),
        }
        shown = {"": "output, gradients", "value": "output"}.get(part, f"gradients[{part!r}]")
        passed = ", ".join(given[name] for name in run.takes)
        making: Lines = (f"output, gradients = {run.function.__name__}({passed})", f"result = {shown}")
        if run.promise is Promise.BIT_FOR_BIT:
            plainly = ", ".join(given[name] for name in ("loss", "tensors", "wrt", "upstream"))
            making = (f"output, gradients = plain({plainly})", f"first = {shown}", *making)
        tensors["upstream"] = (upstream_line(call),)
        for name in call.wrt if "directions" in run.takes else ():
            source = tensor_source(Values(directions[name], call.dtype), call.device)
            tensors[f"{name}_direction"] = (f"{name}_direction = {source}",)
        construct = (*self._form_of(call).definition(tensors_of(call)), *run.source)
        imports = (_ANNOTATIONS, *run.imports)
        return Program(
            self._note, imports, tensors, construct, making, class_check=run.class_check if part else ""
        )

    def of_module(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> Program:
        """See ``Programs``: the source of the function that looks at the aspect, and a call of it."""
        tensors, construct, call = aspect_program(aspect, loss, params, expected)
        return Program(self._note, (_ANNOTATIONS,), tensors, construct, call)


def programs_on_behalf_of(subject: str) -> TorchPrograms:
    """What torch does on the calls of a subject that writes no programs of its own, which they say."""
    return TorchPrograms(
        function_form,
        f"# This is torch on the call that {subject} was given. What is asserted is right: torch passes.",
    )


def _backward(call: Call, quantity: str) -> Iterator[str]:
    """Lines of the backward pass; of one gradient, they put it in the place of ``result``."""
    kind, _, argument = quantity.partition(":")
    sources = f"[{', '.join(call.wrt)}]"
    if kind == "unchanged" and call.wrt:
        yield f"torch.autograd.grad(result, {sources}, upstream, materialize_grads=True)"
    if kind not in ("gradient", "vjp"):
        return
    if not argument:
        for place in range(len(call.upstreams)):
            yield upstream_line(call, place, "result.dtype")
            yield f"torch.autograd.grad(result, {sources}, upstream, retain_graph=True)"
        return
    yield upstream_line(call, 0 if kind == "gradient" else 1, "result.dtype")
    named = ", ".join("result" if name == argument else "_" for name in call.wrt)
    target = named if len(call.wrt) > 1 else f"({named},)"
    yield f"{target} = torch.autograd.grad(result, {sources}, upstream, materialize_grads=True)"
    if tensors_of(call)[argument].numbers.dtype.kind == "c":
        yield "result = torch.view_as_real(result)"


def _by_name(expressions: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name!r}: {expression}' for name, expression in expressions.items())}}}"

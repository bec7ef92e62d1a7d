"""Programs that show torch's subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Values, tensors_of
from lossproof.subjects.literals import by_name, tensor_source
from lossproof.subjects.program import Lines, Program, Programs
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.aspects import aspect_program
from lossproof.subjects.torch.forms import Form
from lossproof.subjects.torch.modes.table import mode_named
from lossproof.subjects.torch.tensors import tensor_lines, upstream_line, with_plain_lists

_ANNOTATIONS = "from __future__ import annotations"


class TorchPrograms(Programs):
    """Programs that use only torch and plain numbers; ``form_of`` says how the subject makes a call."""

    def __init__(self, form_of: Callable[[Call], Form]) -> None:
        self._form_of = form_of

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        call = with_plain_lists(call)
        form, kind = self._form_of(call), quantity.partition(":")[0]
        tensors, gradient = tensor_lines(call, call.wrt), tuple(_backward(call, quantity))
        if kind == "unchanged" and call.wrt:
            tensors["upstream"] = (upstream_line(call),)
        result = (f"result = {form.call}",)
        return Program((), tensors, form.construct, result, gradient, in_double="result.double()")

    def of_mode(
        self, mode: str, call: Call, directions: Mapping[str, Float64Array], part: str = ""
    ) -> Program:
        """See ``Programs``."""
        call = mode_named(mode).rewritten(with_plain_lists(call))
        return program_of_mode(mode, call, directions, part, self._form_of(call))

    def of_module(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> Program:
        """See ``Programs``: the source of the function that looks at the aspect, and a call of it."""
        tensors, construct, call = aspect_program(aspect, loss, params, expected)
        return Program((_ANNOTATIONS,), tensors, construct, call)


class Definitions(Protocol):
    """How a subject makes a call, as definitions of functions of its tensors; see ``Form`` and ``Mode``."""

    def definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``loss``."""

    def parted_definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``make`` and ``forward``."""


def program_of_mode(
    mode: str,
    call: Call,
    directions: Mapping[str, Float64Array],
    part: str,
    form: Definitions,
    imports: Lines = (),
) -> Program:
    """The source of the function that runs a mode, and a call of it; see ``Programs.of_mode``.

    The call is written as the mode writes it, and ``imports`` are what the definitions need.
    """
    run = mode_named(mode)
    tensors = tensor_lines(call)
    sources = {
        "loss": "loss",
        "make": "make",
        "forward": "forward",
        "tensors": by_name({name: name for name in tensors}),
        "args": repr(tuple(call.args)),
        "wrt": repr(call.wrt),
        "wrt_args": repr(tuple(name for name in call.wrt if name in call.args)),
        "upstream": "upstream",
        "directions": by_name({name: f"{name}_direction" for name in call.wrt}),
    }
    shown = {"": "output, gradients", "value": "output"}.get(part, f"gradients[{part!r}]")
    arguments = ", ".join(sources[name] for name in run.takes)
    lines: Lines = (f"output, gradients = {run.function.__name__}({arguments})", f"result = {shown}")
    if run.promise is Promise.BIT_FOR_BIT:
        plainly = ", ".join(sources[name] for name in ("loss", "tensors", "wrt", "upstream"))
        lines = (f"output, gradients = plain({plainly})", f"first = {shown}", *lines)
    tensors["upstream"] = (upstream_line(call),)
    for name in call.wrt if "directions" in run.takes else ():
        source = tensor_source(Values(directions[name], call.dtype), call.device)
        tensors[f"{name}_direction"] = (f"{name}_direction = {source}",)
    names = tensors_of(call)
    definition = form.parted_definition(names) if run.is_of_module else form.definition(names)
    imports = (_ANNOTATIONS, *imports, *run.imports)
    class_line = run.class_line if part else ""
    return Program(imports, tensors, (*definition, *run.source), lines, class_line=class_line)


def _backward(call: Call, quantity: str) -> Iterator[str]:
    """Lines of the backward pass; if one gradient is requested, they replace ``result`` by it."""
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
    targets = ", ".join("result" if name == argument else "_" for name in call.wrt)
    target = targets if len(call.wrt) > 1 else f"({targets},)"
    yield f"{target} = torch.autograd.grad(result, {sources}, upstream, materialize_grads=True)"
    if tensors_of(call)[argument].numbers.dtype.kind == "c":
        yield "result = torch.view_as_real(result)"

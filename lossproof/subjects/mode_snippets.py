"""A call in a mode as a short program, of torch alone, that shows what was observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Values
from lossproof.subjects.snippet import reproduce, tensor_source

_ASSIGNED = "result = "

# The modes that change the tensors or the settings, and then make the plain call: what comes before it, and
# what is done to each tensor.
_PREPARATIONS: Mapping[str, tuple[str, str]] = {
    "meta": ("", "{0}.to('meta')"),
    "fake": (
        "from torch._subclasses.fake_tensor import FakeTensorMode\nmode = FakeTensorMode().__enter__()",
        "mode.from_tensor({0})",
    ),
    "subclass": ("class Subclass(torch.Tensor):\n    pass", "{0}.as_subclass(Subclass)"),
    "threads": ("torch.set_num_threads(2)", ""),
    "channels_last": ("", "{0}.contiguous(memory_format=torch.channels_last) if {0}.ndim == 4 else {0}"),
    "autocast": ("torch.autocast('cpu', dtype=torch.bfloat16).__enter__()", ""),
    "twice": ("", ""),
}


def reproduce_mode(subject: str, call: Call, quantity: str, directions: Mapping[str, Float64Array]) -> str:
    """A program that makes the call in a mode and prints what comes out.

    Args:
        subject: the subject's name.
        call: the call, of whose upstream gradients the last one is taken.
        quantity: a mode, and after a colon the argument where one is meant.
        directions: for each of the call's ``wrt``, the direction to differentiate along.
    """
    lines = reproduce(subject, call).splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith(_ASSIGNED))
    expression = lines[place].removeprefix(_ASSIGNED)
    upstream = f"upstream = {tensor_source(Values(call.upstreams[-1], call.dtype), call.device)}"
    mode, _, argument = quantity.partition(":")
    if mode in _PREPARATIONS:
        program = _prepared(mode, call, expression)
    else:
        program = _transformed(mode, argument or call.wrt[0], call, expression, directions)
    return "\n".join([*lines[:place], upstream, *program, "print(result)"]) + "\n"


def _prepared(mode: str, call: Call, expression: str) -> Iterator[str]:
    preparation, change = _PREPARATIONS[mode]
    if preparation:
        yield preparation
    tensors = [
        *call.args,
        *(name for name, value in call.params.items() if isinstance(value, Values)),
        "upstream",
    ]
    if change:
        for name in tensors:
            yield f"{name} = {change.format(name)}"
    for name in call.wrt:
        yield f"{name}.requires_grad_()"
    if mode == "twice":
        yield f"torch.autograd.grad({expression}, [{', '.join(call.wrt)}], upstream)"
    yield f"output = {expression}"
    if mode == "autocast":
        yield "result = output"
    else:
        yield f"result = output, torch.autograd.grad(output, [{', '.join(call.wrt)}], upstream)"


def _transformed(
    mode: str, argument: str, call: Call, expression: str, directions: Mapping[str, Float64Array]
) -> Iterator[str]:
    names = ", ".join(call.wrt)
    along = ", ".join(tensor_source(Values(directions[name], call.dtype), call.device) for name in call.wrt)
    if mode == "vmap":
        batches = (
            f"torch.stack([{name}, {name}{' / 2' * (name in call.wrt)}, {name}])" for name in call.args
        )
        yield f"result = torch.func.vmap(lambda {', '.join(call.args)}: {expression})({', '.join(batches)})"
        return
    yield f"directions = ({along},)"
    if mode == "jvp":
        yield f"result = torch.func.jvp(lambda {names}: {expression}, ({names},), directions)[1]"
        return
    if mode == "double_backward":
        yield f"for tensor in ({names}, upstream):\n    tensor.requires_grad_()"
        yield f"gradients = torch.autograd.grad({expression}, [{names}], upstream, create_graph=True)"
        yield "along = sum((gradient * way).sum() for gradient, way in zip(gradients, directions))"
        yield f"(result,) = torch.autograd.grad(along, [{argument}], materialize_grads=True)"
        return
    if mode == "func.grad":
        yield f"weighted = lambda {names}: ({expression} * upstream).sum()"
        yield f"result = torch.func.grad(weighted, argnums={call.wrt.index(argument)})({names})"
    else:
        first = call.wrt[0]
        yield f"gradient = torch.func.grad(lambda {first}: ({expression} * upstream).sum())"
        yield f"result = torch.func.jvp(gradient, ({first},), directions[:1])[1]"

"""A call in a mode as a short program, of torch alone, that fails while what was observed stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.behaviour_snippets import indented
from lossproof.subjects.call import Call, Values
from lossproof.subjects.snippet import call_source, preamble
from lossproof.subjects.tensor_snippets import (
    program,
    tensor_lines,
    tensor_source,
    tensors_of,
    upstream_line,
)

_FORWARD_AD = "from torch.autograd import forward_ad"
_FAKE = "from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode"


def reproduce_mode(
    subject: str,
    call: Call,
    quantity: str,
    directions: Mapping[str, Float64Array],
    part: str = "",
    check: Sequence[str] = (),
) -> str:
    """A program that makes the call in a mode, prints what comes out, and checks that.

    Args:
        subject: the subject's name.
        call: the call, of whose upstream gradients the last one is taken.
        quantity: a mode, and after a colon the argument where one is meant.
        directions: for each of the call's ``wrt``, the direction to differentiate along.
        part: ``value`` or the argument by whose gradient, where the mode has several results; all if empty.
        check: lines that look at ``result``.
    """
    mode, _, argument = quantity.partition(":")
    part = argument or part
    expression = call_source(subject, call)
    return program(
        [
            *preamble(subject),
            *tensor_lines(call, requires_grad=False),
            upstream_line(call),
            *_directions(mode, call, directions),
            *_LINES[mode](call, expression, part),
            "print(result)",
            *check,
        ]
    )


def _directions(mode: str, call: Call, directions: Mapping[str, Float64Array]) -> Iterator[str]:
    if mode in ("jvp", "double_backward", "forward_over_reverse"):
        for name in call.wrt:
            yield f"{name}_direction = {tensor_source(Values(directions[name], call.dtype), call.device)}"


def _plain(call: Call, expression: str, part: str) -> list[str]:
    """Forward and backward; the value alone where it alone is looked at."""
    sources = ", ".join(call.wrt)
    lines = [f"{name}.requires_grad_()" for name in call.wrt]
    if part == "value":
        return [*lines, f"result = {expression}"]
    gradients = f"torch.autograd.grad(output, [{sources}], upstream, materialize_grads=True)"
    picked = f"[{call.wrt.index(part)}]" if part else ""
    return [*lines, f"output = {expression}", f"result = {gradients}{picked}"]


def _changed(call: Call, change: str) -> list[str]:
    return [f"{name} = {change.format(name)}" for name in (*tensors_of(call), "upstream")]


def _meta(call: Call, expression: str, part: str) -> list[str]:
    return [*_changed(call, "{0}.to('meta')"), *_plain(call, expression, part)]


def _fake(call: Call, expression: str, part: str) -> list[str]:
    body = [*_changed(call, "mode.from_tensor({0})"), *_plain(call, expression, part)]
    return [_FAKE, "with FakeTensorMode() as mode:", *indented(body)]


def _subclass(call: Call, expression: str, part: str) -> list[str]:
    made = ["class Subclass(torch.Tensor):", "    pass"]
    return [*made, *_changed(call, "{0}.as_subclass(Subclass)"), *_plain(call, expression, part)]


def _twice(call: Call, expression: str, part: str) -> list[str]:
    """``first`` and ``result``: the same of two calls."""
    once = _plain(call, expression, "")
    sources, making = once[: len(call.wrt)], once[len(call.wrt) :]
    place = 1 + call.wrt.index(part) if part in call.wrt else 0
    shown = [*making, f"result = (output, *result)[{place}]"]
    return [*sources, *shown, "first = result", *shown]


def _threads(call: Call, expression: str, part: str) -> list[str]:
    return ["torch.set_num_threads(2)", *_plain(call, expression, part)]


def _channels_last(call: Call, expression: str, part: str) -> list[str]:
    formats = "{4: torch.channels_last, 5: torch.channels_last_3d}"
    change = "{0}.contiguous(memory_format=formats.get({0}.ndim, torch.contiguous_format))"
    return [f"formats = {formats}", *_changed(call, change), *_plain(call, expression, part)]


def _autocast(call: Call, expression: str, part: str) -> list[str]:
    return [f"with torch.autocast('{call.device}', dtype=torch.bfloat16):", f"    result = {expression}"]


def _vmap(call: Call, expression: str, part: str) -> list[str]:
    """A batch of three, whose ends are the call."""
    batches = (f"torch.stack([{name}, {name}{' / 2' * (name in call.wrt)}, {name}])" for name in call.args)
    vmapped = f"torch.func.vmap(lambda {', '.join(call.args)}: {expression})"
    return [f"result = {vmapped}({', '.join(batches)})[::2]"]


def _jvp(call: Call, expression: str, part: str) -> list[str]:
    body = [f"{name} = forward_ad.make_dual({name}, {name}_direction)" for name in call.wrt]
    body += [
        f"primal, tangent = forward_ad.unpack_dual({expression})",
        "result = torch.zeros_like(primal) if tangent is None else tangent",
    ]
    return [_FORWARD_AD, "with forward_ad.dual_level():", *indented(body)]


def _double_backward(call: Call, expression: str, part: str) -> list[str]:
    names = ", ".join(call.wrt)
    along = ", ".join(f"(gradients[{place}] * {name}_direction).sum()" for place, name in enumerate(call.wrt))
    sources = [*call.wrt, "upstream"]
    picked = f"[{sources.index(part)}]" if part else ""
    return [
        *(f"{name}.requires_grad_()" for name in sources),
        f"output = {expression}",
        f"gradients = torch.autograd.grad(output, [{names}], upstream, create_graph=True, "
        "materialize_grads=True)",
        f"along = torch.stack([{along}]).sum()",
        f"result = torch.autograd.grad(along, [{', '.join(sources)}], materialize_grads=True){picked}",
    ]


def _forward_over_reverse(call: Call, expression: str, part: str) -> list[str]:
    first = call.wrt[0]
    return [
        f"gradient = torch.func.grad(lambda {first}: ({expression} * upstream).sum())",
        f"result = torch.func.jvp(gradient, ({first},), ({first}_direction,))[1]",
    ]


def _func_grad(call: Call, expression: str, part: str) -> list[str]:
    names = ", ".join(call.wrt)
    picked = f"[{call.wrt.index(part)}]" if part else ""
    return [
        f"weighted = lambda {names}: ({expression} * upstream).sum()",
        f"gradients = torch.func.grad(weighted, argnums={tuple(range(len(call.wrt)))})({names})",
        f"result = gradients{picked}",
    ]


# For each mode, from the call, its expression and the part that is looked at to lines that end in ``result``.
_LINES: Mapping[str, Callable[[Call, str, str], list[str]]] = {
    "jvp": _jvp,
    "double_backward": _double_backward,
    "forward_over_reverse": _forward_over_reverse,
    "func.grad": _func_grad,
    "vmap": _vmap,
    "meta": _meta,
    "fake": _fake,
    "subclass": _subclass,
    "twice": _twice,
    "threads": _threads,
    "channels_last": _channels_last,
    "autocast": _autocast,
}

"""A call as a short program, of torch and plain numbers alone, that fails while what was observed stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Values
from lossproof.subjects.linear_snippets import FORMS
from lossproof.subjects.tensor_snippets import literal, program, tensor_lines, tensors_of, upstream_line
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT, expression_of

_SHOWN_ELEMENTS = 60

_DISTANCES = {
    "pairwise_distance": "torch.nn.functional.pairwise_distance",
    "pairwise_p1_eps0": "lambda x, y: (x - y).abs().sum(-1)",
    "l2_eps0": "lambda x, y: torch.linalg.vector_norm(x - y, dim=-1)",
    "linf": "lambda x, y: (x - y).abs().amax(-1)",
    "cosine_distance": "lambda x, y: 1 - torch.nn.functional.cosine_similarity(x, y, dim=-1)",
}

_OURS = ("torch.nn", "torch.nn.functional", EXPRESSIONS_SUBJECT, "reference")


def describe(call: Call) -> dict[str, str]:
    """The inputs and parameters of a call, to be read."""
    reduction = [] if call.reduction is None else [("reduction", call.reduction)]
    return {
        "inputs": "\n".join(f"{name} = {_shown(values)}" for name, values in call.args.items()),
        "params": "\n".join(
            f"{name} = {_shown(value)}" for name, value in (*call.params.items(), *reduction)
        ),
    }


def reproduce(subject: str, call: Call, quantity: str = "value", check: Sequence[str] = ()) -> str:
    """A program that makes the call, prints a quantity of it, and checks that.

    Args:
        subject: ``torch.nn`` (the module is constructed), ``reference`` (our own functions), or any other,
            for which the program shows torch's function on the same call.
        call: the call; tensors of many elements are packed, so that the program stays short.
        quantity: value, gradient:ARGUMENT or vjp:ARGUMENT; ``gradient`` for both backward passes.
        check: lines that look at ``result``.
    """
    return program([*preamble(subject), *result_lines(subject, call, quantity), "print(result)", *check])


def preamble(subject: str) -> list[str]:
    """What a program says of a subject that is none of ours, and what it imports for the reference."""
    if subject == "reference":
        return ["import lossproof"]
    if subject in _OURS:
        return []
    return [f"# This is torch on the call that {subject} was given. What is asserted is right: torch passes."]


def result_lines(subject: str, call: Call, quantity: str = "value") -> Iterator[str]:
    """Lines that make the tensors and the call, and name a quantity of it ``result``."""
    kind, _, argument = quantity.partition(":")
    yield from tensor_lines(call, requires_grad=subject != "reference")
    if subject == "reference":
        yield from _reference_lines(call, kind, argument)
        return
    yield f"result = {call_source(subject, call)}"
    if kind in ("gradient", "vjp"):
        yield from backward_lines(call, kind, argument)


def backward_lines(call: Call, kind: str, argument: str) -> Iterator[str]:
    """Lines that put the gradient by one argument in the place of ``result``; of no argument, all of them."""
    sources = f"[{', '.join(call.wrt)}]"
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


def call_source(subject: str, call: Call) -> str:
    """The call as an expression of torch."""
    module, called = module_and_call(subject, call)
    if module:
        return called.replace("module", module, 1)
    return called


def module_and_call(subject: str, call: Call) -> tuple[str, str]:
    """The module's construction, and the call of what is then named ``module``; no module for a function."""
    keywords = _keywords(subject, call)
    args = ", ".join(call.args)
    functional = LOSSES[call.loss].functional
    if call.loss in EXPRESSIONS:
        return "", expression_of(call.loss, call.params)
    is_module = subject == "torch.nn" or functional is None
    if call.loss in FORMS:
        return FORMS[call.loss](is_module, call, keywords)
    if is_module:
        return f"torch.nn.{call.loss}({', '.join(keywords)})", f"module({args})"
    return "", f"torch.nn.functional.{functional}({', '.join((args, *keywords))})"


def _reference_lines(call: Call, kind: str, argument: str) -> Iterator[str]:
    params = ", ".join(
        keyword.replace("=", "': ", 1).join(("'", "")) for keyword in _keywords("reference", call)
    )
    args = ", ".join(f"'{name}': {name}" for name in call.args)
    loss = f"'{call.loss}', {{{params}}}, {{{args}}}"
    if kind == "vjp":
        yield "from lossproof.reference.evaluation import prepare"
        yield upstream_line(call)
        yield f"result = prepare({loss}).gradient(upstream.numpy())['{argument}']"
    elif kind == "gradient" and argument:
        yield f"result = lossproof.gradient({loss}, '{argument}')"
    else:
        yield f"result = lossproof.forward({loss})"


def _keywords(subject: str, call: Call) -> list[str]:
    plain = {
        name: name if isinstance(value, Values) else literal(value) for name, value in call.params.items()
    }
    if subject != "reference" and call.params.get("distance_function") in _DISTANCES:
        plain["distance_function"] = _DISTANCES[call.params["distance_function"]]
    if call.reduction is not None:
        plain["reduction"] = repr(call.reduction)
    return [f"{name}={value}" for name, value in plain.items()]


def _shown(value: Any) -> str:
    if not isinstance(value, Values):
        return repr(value)
    numbers = value.numbers
    if numbers.size > _SHOWN_ELEMENTS:
        return f"{value.dtype} {list(numbers.shape)}, from {numbers.min():.6g} to {numbers.max():.6g}"
    return f"{value.dtype} {numbers.tolist()}"

"""A call as a short program, of torch alone, that reproduces what was observed."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Values
from lossproof.subjects.linear_snippets import FORMS

_LITERAL_ELEMENTS = 300
_SHOWN_ELEMENTS = 60

_EXPRESSIONS = {
    "SelfInformation": "-torch.log(p)",
    "Entropy": "torch.special.entr(p).sum(-1)",
    "DistributionCrossEntropy": "-torch.special.xlogy(p, q).sum(-1)",
    "Objective": "losses.mean() + ({l1} * parameters.abs().sum() + {l2} * parameters.square().sum())",
}


_DISTANCES = {
    "pairwise_distance": "torch.nn.functional.pairwise_distance",
    "pairwise_p1_eps0": "lambda x, y: (x - y).abs().sum(-1)",
    "l2_eps0": "lambda x, y: torch.linalg.vector_norm(x - y, dim=-1)",
    "linf": "lambda x, y: (x - y).abs().amax(-1)",
    "cosine_distance": "lambda x, y: 1 - torch.nn.functional.cosine_similarity(x, y, dim=-1)",
}


@dataclass(frozen=True)
class Worst:
    """The element furthest off: where it is, what it should be, and how far it may be off."""

    place: tuple[int, ...]
    expected: float
    tolerance: float

    def assertion(self) -> str:
        """A line that fails while the element is wrong."""
        element = f"result[{', '.join(map(str, self.place))}].item()" if self.place else "result.item()"
        if math.isnan(self.expected):
            return f"assert {element} != {element}  # nan"
        if math.isinf(self.expected):
            return f"assert {element} == float('{self.expected}')"
        return f"assert abs({element} - {self.expected!r}) <= {self.tolerance!r}"


def describe(call: Call) -> dict[str, str]:
    """The inputs and parameters of a call, to be read."""
    reduction = [] if call.reduction is None else [("reduction", call.reduction)]
    return {
        "inputs": "\n".join(f"{name} = {_shown(values)}" for name, values in call.args.items()),
        "params": "\n".join(
            f"{name} = {_shown(value)}" for name, value in (*call.params.items(), *reduction)
        ),
    }


def reproduce(subject: str, call: Call, quantity: str = "value", worst: Worst | None = None) -> str:
    """A program that makes the call and, given the worst element, asserts that it is right.

    Args:
        subject: ``torch.nn`` (the module is constructed), ``reference`` (our own functions), or any other,
            for which the program shows torch's function on the same call.
        call: the call; tensors of many elements are packed, so that the program stays short.
        quantity: value, gradient:ARGUMENT or vjp:ARGUMENT; another one is shown as the value.
        worst: the element to look at.
    """
    lines = list(_program(subject, call, quantity))
    if any("zlib" in line for line in lines):
        lines.insert(0, "import base64, zlib")
    lines.append("print(result)")
    if worst is not None:
        lines.append(worst.assertion())
    return "\n".join(lines) + "\n"


def _program(subject: str, call: Call, quantity: str) -> Iterator[str]:
    kind, _, argument = quantity.partition(":")
    tensors = {
        **call.args,
        **{name: value for name, value in call.params.items() if isinstance(value, Values)},
    }
    yield "import torch"
    if subject == "reference":
        yield "import lossproof"
    places = {name: place for place, name in enumerate((*call.args, *call.params))}
    for name, values in tensors.items():
        yield f"{name} = {tensor_source(values, call.device)}"
        yield from _laid_out(name, values, call.layout, places[name])
    if subject == "reference":
        yield _reference_source(call, argument if kind == "gradient" else None)
        return
    if kind in ("gradient", "vjp"):
        yield f"{argument}.requires_grad_()"
    yield f"result = {_call_source(subject, call)}"
    if kind in ("gradient", "vjp"):
        upstream = Values(call.upstreams[0 if kind == "gradient" else 1], call.dtype)
        yield f"upstream = {tensor_source(upstream, call.device)}"
        yield f"(result,) = torch.autograd.grad(result, [{argument}], upstream)"


def _call_source(subject: str, call: Call) -> str:
    keywords = _keywords(subject, call)
    args = ", ".join(call.args)
    if call.loss in _EXPRESSIONS:
        return _EXPRESSIONS[call.loss].format(**({"l1": 0.0, "l2": 0.0} | dict(call.params)))
    if call.loss in FORMS:
        return FORMS[call.loss](subject, call, keywords)
    if subject == "torch.nn":
        return f"torch.nn.{call.loss}({', '.join(keywords)})({args})"
    functional = LOSSES[call.loss].functional
    return f"torch.nn.functional.{functional}({', '.join((args, *keywords))})"


def _reference_source(call: Call, argument: str | None) -> str:
    params = ", ".join(
        keyword.replace("=", "': ", 1).join(("'", "")) for keyword in _keywords("reference", call)
    )
    args = ", ".join(f"'{name}': {name}" for name in call.args)
    function, wrt = ("forward", "") if argument is None else ("gradient", f", '{argument}'")
    return f"result = lossproof.{function}('{call.loss}', {{{params}}}, {{{args}}}{wrt})"


def _keywords(subject: str, call: Call) -> list[str]:
    plain = {
        name: name if isinstance(value, Values) else _literal(value) for name, value in call.params.items()
    }
    if subject != "reference" and call.params.get("distance_function") in _DISTANCES:
        plain["distance_function"] = _DISTANCES[call.params["distance_function"]]
    if call.reduction is not None:
        plain["reduction"] = repr(call.reduction)
    return [f"{name}={value}" for name, value in plain.items()]


def _literal(value: Any) -> str:
    return f"float('{value}')" if isinstance(value, float) and not math.isfinite(value) else repr(value)


def tensor_source(values: Values, device: str) -> str:
    """An expression of the tensor that holds some numbers."""
    numbers = values.numbers
    options = f"dtype=torch.{values.dtype}" + ("" if device == "cpu" else f", device='{device}'")
    if numbers.size and np.all(numbers == numbers.flat[0]) and numbers.size > 1:
        return f"torch.full({list(numbers.shape)}, {_literal(numbers.flat[0].item())}, {options})"
    if numbers.size <= _LITERAL_ELEMENTS:
        text = repr(numbers.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
        return f"torch.tensor({text}, {options})" + (
            "" if numbers.size else f".reshape({list(numbers.shape)})"
        )
    packed = base64.b85encode(zlib.compress(np.ascontiguousarray(numbers).tobytes(), 1)).decode()
    unpacked = f"bytearray(zlib.decompress(base64.b85decode({packed!r})))"
    stored = f"torch.frombuffer({unpacked}, dtype=torch.{numbers.dtype})"
    return f"{stored}.reshape({list(numbers.shape)}).to({options})"


def _laid_out(name: str, values: Values, layout: str, place: int) -> Iterator[str]:
    shape = values.numbers.shape
    if layout == "transposed" and len(shape) > 1:
        order = list(reversed(range(len(shape))))
        yield f"{name} = {name}.permute({order}).contiguous().permute({order})"
    if layout == "strided" and shape:
        between = ", ".join([f"torch.zeros_like({name})"] * (1 + place))
        yield f"{name} = torch.stack([{name}, {between}], -1)[..., 0]"
    if layout == "expanded":
        for dim, size in enumerate(shape):
            if size > 1 and np.all(values.numbers == values.numbers.take([0], axis=dim)):
                yield f"{name} = {name}.narrow({dim}, 0, 1).clone().expand_as({name})"


def _shown(value: Any) -> str:
    if not isinstance(value, Values):
        return repr(value)
    numbers = value.numbers
    if numbers.size > _SHOWN_ELEMENTS:
        return f"{value.dtype} {list(numbers.shape)}, from {numbers.min():.6g} to {numbers.max():.6g}"
    return f"{value.dtype} {numbers.tolist()}"

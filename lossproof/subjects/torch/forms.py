"""How torch is called, as lines that both run and are shown in a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Unsupported, Values, tensors_of
from lossproof.subjects.literals import literal
from lossproof.subjects.program import Lines, indented
from lossproof.subjects.torch.expressions import EXPRESSIONS, expression_of
from lossproof.subjects.torch.names import look_up
from lossproof.subjects.torch.source import execute

# The values that torch takes where cases use names of their own.
_VALUES_BY_NAME: Mapping[str, Mapping[str, str]] = {
    "distance_function": {
        "pairwise_distance": "torch.nn.functional.pairwise_distance",
        "pairwise_p1_eps0": "lambda x, y: (x - y).abs().sum(-1)",
        "l2_eps0": "lambda x, y: torch.linalg.vector_norm(x - y, dim=-1)",
        "linf": "lambda x, y: (x - y).abs().amax(-1)",
        "cosine_distance": "lambda x, y: 1 - torch.nn.functional.cosine_similarity(x, y, dim=-1)",
    },
    "options": {
        # Two rows at a time, so that small cases have several chunks. Gradients are taken twice.
        "chunked": "torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, allow_retain_graph=True)"
    },
    "dtype": {name: f"torch.{name}" for name in FORMATS},
}


@dataclass(frozen=True)
class Form:
    """A loss as torch computes it.

    Attributes:
        call: an expression for the result, in which tensors have their own names.
        construct: the lines that construct the ``module`` of ``call``; none for a function.
        needs: the dotted names that this torch must have, each with the parameters that it must take.
        lacks: why no torch can make the call in this way; empty if it can.
        draws_weights: whether ``construct`` draws random weights, which vmap would refuse.
    """

    call: str
    construct: Lines = ()
    needs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lacks: str = ""
    draws_weights: bool = False

    def demand(self) -> None:
        """Raise Unsupported if this torch lacks anything that is needed."""
        if self.lacks:
            raise Unsupported(self.lacks)
        for name, parameters in self.needs:
            look_up(name, parameters)

    def definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``loss``, a function of the tensors with these names."""
        before, inside = (self.construct, ()) if self.draws_weights else ((), self.construct)
        return (*before, f"def loss({', '.join(tensors)}):", *indented(inside), f"    return {self.call}")

    def parted_definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``make``, which makes the module of tensors, and ``forward``, which calls it."""
        names = ", ".join(tensors)
        return (
            f"def make({names}):",
            *indented((*self.construct, "return module")),
            f"def forward(module, {names}):",
            f"    return {self.call}",
        )

    def functions(self, tensors: Iterable[str]) -> Mapping[str, Callable[..., Any]]:
        """The functions of both definitions by name; only a module has those of the second."""
        scope: dict[str, Any] = {}
        execute(self.definition(tensors), scope)
        if self.construct:
            execute(self.parted_definition(tensors), scope)
        return {name: scope[name] for name in ("loss", "make", "forward") if name in scope}


def module_form(call: Call) -> Form:
    """The module of torch.nn, constructed and called."""
    if call.loss in _LINEAR:
        return _LINEAR[call.loss](call)
    name, keywords = f"torch.nn.{call.loss}", keywords_of(call)
    lacks = f"torch.nn has no module {call.loss}" if call.loss in EXPRESSIONS else ""
    for parameter in call.params:
        if parameter in LOSSES[call.loss].functional_only:
            lacks = lacks or f"{name} has no parameter '{parameter}', unlike the function"
    construct = f"module = {name}({', '.join(_assigned(keywords))})"
    return Form(f"module({', '.join(call.args)})", (construct,), _needs(name, call, keywords), lacks)


def function_form(call: Call) -> Form:
    """The function of torch.nn.functional, or an expression of torch's operations; else the module."""
    functional = LOSSES[call.loss].functional
    if functional is not None:
        name, keywords = f"torch.nn.functional.{functional}", keywords_of(call)
        arguments = ", ".join((*call.args, *_assigned(keywords)))
        return Form(f"{name}({arguments})", needs=_needs(name, call, keywords))
    if call.loss in EXPRESSIONS:
        return Form(expression_of(call.loss, call.params))
    return replace(module_form(call), lacks=f"torch.nn.functional has no function for {call.loss}")


def has_function(loss: str) -> bool:
    """Whether this torch has a function for a loss, or an expression stands in for it."""
    functional = LOSSES[loss].functional
    return loss in EXPRESSIONS or (functional is not None and hasattr(torch.nn.functional, functional))


def keywords_of(call: Call) -> dict[str, str]:
    """A call's parameters, each as an expression; tensors have their own names."""
    keywords = {name: _expression(name, value) for name, value in call.params.items()}
    if call.reduction is not None:
        keywords["reduction"] = repr(call.reduction)
    return keywords


def catalogued_parameters(loss: str, params: Iterable[str]) -> list[str]:
    """The given parameters that the catalogue has for a loss; torch must refuse all others."""
    catalogue = {*LOSSES[loss].parameters, *LOSSES[loss].typed_reductions}
    return [name for name in params if name in catalogue]


def _expression(name: str, value: Any) -> str:
    if isinstance(value, Values):
        return name
    if isinstance(value, str):
        return _VALUES_BY_NAME.get(name, {}).get(value, repr(value))
    return literal(value)


def _needs(name: str, call: Call, keywords: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ((name, tuple(catalogued_parameters(call.loss, keywords))), *_needed_options(call))


def _needed_options(call: Call) -> tuple[tuple[str, tuple[str, ...]], ...]:
    is_chunked = call.params.get("options") == "chunked"
    return (("torch.nn.LinearCrossEntropyOptions", ()),) if is_chunked else ()


def _assigned(keywords: Mapping[str, str]) -> list[str]:
    return [f"{name}={expression}" for name, expression in keywords.items()]


def _linear_cross_entropy(call: Call) -> Form:
    """LinearCrossEntropyLoss, with the sizes of the call's weight and bias."""
    shape, bias = call.args["linear_weight"].numbers.shape, call.params.get("linear_bias")
    is_fitting = len(shape) > 1 and (bias is None or bias.numbers.shape == shape[:-1])
    lacks = "" if is_fitting else "the module makes a weight and a bias that fit"
    keywords = keywords_of(call)
    keywords.pop("linear_bias", None)
    weights = {"linear.weight": "linear_weight.flatten(0, -2)"}
    sizes = [*map(str, (*shape[-1:], *shape[:1])), f"out_features={tuple(shape[1:-1])}"]
    if bias is not None:
        sizes.append("bias=True")
        weights["linear.bias"] = "linear_bias.flatten()"
    construct = f"module = torch.nn.LinearCrossEntropyLoss({', '.join((*sizes, *_assigned(keywords)))})"
    needs = (("torch.nn.LinearCrossEntropyLoss", ()), *_needed_options(call))
    return Form(_with_weights(weights), (construct,), needs, lacks)


def _adaptive_log_softmax(call: Call) -> Form:
    """AdaptiveLogSoftmaxWithLoss with the call's weights; the reduction says which field is the result."""
    weights = {name.replace("_", "."): values.numbers.shape for name, values in tensors_of(call).items()}
    weights = {name: shape for name, shape in weights.items() if name not in call.args}
    clusters = [shape[0] for name, shape in weights.items() if name.endswith(".1.weight")]
    entries, in_features = weights["head.weight"]
    keywords = keywords_of(call)
    sizes = (str(in_features), str(entries - len(clusters) + sum(clusters)), keywords.pop("cutoffs"))
    options = {
        name: expression
        for name, expression in keywords.items()
        if name != "reduction" and name.replace("_", ".") not in weights
    }
    arguments = ", ".join((*sizes, f"head_bias={'head.bias' in weights}", *_assigned(options)))
    zeros = ", ".join(f"'{name}': torch.zeros({list(shape)})" for name, shape in weights.items())
    construct = (
        f"module = torch.nn.AdaptiveLogSoftmaxWithLoss({arguments})",
        f"module.load_state_dict({{{zeros}}})  # refuses weights of other shapes",
    )
    field = "output" if call.reduction == "none" else "loss"
    replaced = {name: name.replace(".", "_") for name in weights}
    needs = (("torch.nn.AdaptiveLogSoftmaxWithLoss", ()),)
    return Form(f"{_with_weights(replaced)}.{field}", construct, needs, draws_weights=True)


def _with_weights(weights: Mapping[str, str]) -> str:
    """A call of a module that holds linear layers, with other weights instead of its own."""
    entries = ", ".join(f"'{name}': {expression}" for name, expression in weights.items())
    return f"torch.func.functional_call(module, {{{entries}}}, (input, target))"


# Modules that hold linear layers: they are constructed from sizes, and use the call's weights.
_LINEAR: Mapping[str, Callable[[Call], Form]] = {
    "AdaptiveLogSoftmaxWithLoss": _adaptive_log_softmax,
    "LinearCrossEntropyLoss": _linear_cross_entropy,
}
WITH_LAYERS = frozenset(_LINEAR)

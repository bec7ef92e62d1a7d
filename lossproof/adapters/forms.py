"""How a function is called with a call's tensors and parameters, as lines that both run and are shown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lossproof.adapters.parameters import named, parameters_in, taken_parameters
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Unsupported, Values
from lossproof.subjects.literals import literal
from lossproof.subjects.program import Lines, indented
from lossproof.subjects.source import execute

if TYPE_CHECKING:
    from lossproof.adapters.arrays import Arrays

# Cases give these by names of their own, which stand for functions and objects of torch's.
_NAMES_OF_TORCH = ("distance_function", "options")


# What is called goes by this name where its own may be that of a definition.
_CALLED = "function"


@dataclass(frozen=True)
class Entry:
    """One loss of a library.

    Attributes:
        function: the loss. It is called with the arguments, by torch's names if it has them all, else in
            torch's order, and with the parameters that it takes, by torch's names. A class, and a function
            that takes parameters only, makes what is then called with the arguments.
        takes: the names of its parameters, if its signature does not tell.
        fixed: the values of parameters that it does not take, where they are not torch's defaults, such as
            ``{"reduction": "none"}``.
        backward: called with the upstream gradient first and then as ``function``, it returns the gradients:
            by the names of the arguments, or in the order of those that are differentiable. Without it, the
            library differentiates ``function``, if it can.
        place: ``module:name`` of ``function``, from which programs import it, if it does not tell.
    """

    function: Callable[..., Any]
    takes: Iterable[str] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    backward: Callable[..., Any] | None = None
    place: str = ""


@dataclass(frozen=True)
class Form:
    """A call of an entry.

    Attributes:
        construct: lines that make what is called; none if it is there.
        call: an expression for the result, in which tensors have their own names.
        backward: an expression for the entry's own gradients, with ``upstream``; empty if it has none.
        scope: what the lines need, by name.
        imports: lines that import the same.
        name: that of what is imported and called, among these names.
        is_made: whether ``construct`` makes the ``loss`` that is called.
    """

    construct: Lines
    call: str
    backward: str
    scope: Mapping[str, Any]
    imports: Lines
    name: str
    is_made: bool = False

    def definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``loss``, a function of the tensors with these names."""
        return (
            f"{_CALLED} = {self.name}",
            f"def loss({', '.join(tensors)}):",
            *indented(tuple(map(self._renamed, self.construct))),
            f"    return {self._renamed(self.call)}",
        )

    def parted_definition(self, tensors: Iterable[str]) -> Lines:
        """Lines that define ``make``, which makes what is called, and ``forward``, which calls it."""
        tensors = tuple(tensors)
        names = ", ".join(tensors)
        if not self.is_made:
            return (
                *self.definition(tensors),
                f"def make({names}):",
                "    return loss",
                f"def forward(module, {names}):",
                f"    return module({names})",
            )
        return (
            f"{_CALLED} = {self.name}",
            f"def make({names}):",
            *indented((*map(self._renamed, self.construct), "return loss")),
            f"def forward(loss, {names}):",
            f"    return {self.call}",
        )

    def functions(self, tensors: Iterable[str]) -> Mapping[str, Callable[..., Any]]:
        """The functions of both definitions, by name."""
        names, scope = tuple(tensors), dict(self.scope)
        execute(self.parted_definition(names), scope)
        parts = {name: scope[name] for name in ("make", "forward")}
        scope = dict(self.scope)
        execute(self.definition(names), scope)
        return {"loss": scope["loss"], **parts}

    def _renamed(self, line: str) -> str:
        return re.sub(rf"\b{re.escape(self.name)}\(", f"{_CALLED}(", line, count=1)


def as_entry(entry: Entry | Callable[..., Any] | tuple[Any, ...]) -> Entry:
    """An entry, from a function alone, or from a function and the names of its parameters."""
    if isinstance(entry, tuple):
        return Entry(*entry)
    return entry if isinstance(entry, Entry) else Entry(entry)


def form_of(call: Call, entry: Entry, who: str, arrays: Arrays) -> Form:
    """How an entry makes a call.

    Args:
        call: the call.
        entry: the entry.
        who: the name of the implementation, for the reason why it cannot.
        arrays: what it takes.

    Raises:
        Unsupported: if the call needs a parameter that the entry does not take.
    """
    loss, function = LOSSES[call.loss], entry.function
    names = parameters_in(function)
    taken = names if entry.takes is None else entry.takes
    fixed = dict(entry.fixed)
    if not inspect.isroutine(function) and not inspect.isclass(function):
        taken = () if taken is None else taken  # an instance is made: it takes tensors, and what it names
        fixed = _state_of(function, loss.parameters) | fixed
    takes = named(taken)
    parameters = taken_parameters(call, takes, fixed, who, names or ())
    keywords = [f"{name}={expression_of(call, name, value, arrays)}" for name, value in parameters.items()]
    name, imports = _import_of(function, entry.place)
    scope = {**arrays.scope, name: function}
    if is_factory(function, call.loss):
        construct: Lines = (f"loss = {name}({', '.join(keywords)})",)
        expression = f"loss({', '.join(call.args)})"
    else:
        construct, by_name = (), names is not None and set(loss.arguments) <= set(names)
        arguments = [f"{one}={one}" if by_name else one for one in call.args]
        expression = f"{name}({', '.join((*arguments, *keywords))})"
    backward = ""
    if entry.backward is not None:
        backward_name, more = _import_of(entry.backward)
        scope[backward_name] = entry.backward
        imports = (*imports, *more)
        backward = f"{backward_name}({', '.join(('upstream', *call.args, *keywords))})"
    return Form(construct, expression, backward, scope, imports, name, is_made=bool(construct))


def is_factory(function: Callable[..., Any], loss: str) -> bool:
    """Whether a callable makes a loss rather than being one."""
    if inspect.isclass(function):
        return True
    names = parameters_in(function)
    parameters = {*LOSSES[loss].parameters, *LOSSES[loss].typed_reductions}
    return inspect.isfunction(function) and names is not None and set(names) <= parameters


def _state_of(instance: object, parameters: Iterable[str]) -> dict[str, Any]:
    """The parameters that an instance was made with, if it keeps them by their names."""
    return {name: vars(instance)[name] for name in (*parameters, "reduction") if name in vars(instance)}


def expression_of(call: Call, name: str, value: Any, arrays: Arrays) -> str:
    """An expression for the value of a parameter; a tensor has its own name."""
    if name == "dtype" and isinstance(value, str):
        return arrays.dtype_source(value)
    if name in _NAMES_OF_TORCH and value is not None:
        raise Unsupported(f"the case passes an object of torch as '{name}'")
    if isinstance(value, Values):
        is_list = name in LOSSES[call.loss].index_parameters
        return repr(value.numbers.tolist()) if is_list else name
    return literal(value)


def _import_of(function: Any, place: str = "") -> tuple[str, Lines]:
    """A name for a callable, and the lines that import it under that name, if it can be imported."""
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if place:
        module, _, path = place.partition(":")
    if not module or not path or "<" in path:  # an instance, or what was defined within a function
        return "function", ()
    outer, _, attribute = path.rpartition(".")
    if not outer:
        return path, (f"from {module} import {path}",)
    first = outer.partition(".")[0]
    return attribute, (f"from {module} import {first}", f"{attribute} = {path}")

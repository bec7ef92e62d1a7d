"""A mode: a function that makes a call in another way, its promise, and the calls that it is for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from lossproof.numbers.formats import FORMATS
from lossproof.subjects.call import Call
from lossproof.subjects.program import Lines
from lossproof.subjects.promise import Promise
from lossproof.subjects.source import source_of
from lossproof.subjects.torch.names import look_up

Tensors = Mapping[str, torch.Tensor]
Loss = Callable[..., torch.Tensor]
Names = tuple[str, ...]
# The output, and the gradients by the names of their arguments.
Result = tuple[torch.Tensor, Tensors]

EVERY_DTYPE = tuple(FORMATS)

# Small enough for balls to differentiate twice in milliseconds.
_LARGEST = 100


def elements(call: Call) -> int:
    """The number of elements in the arguments of a call."""
    return sum(values.numbers.size for values in call.args.values())


def is_small(call: Call) -> bool:
    """Whether the arguments of a call have few elements."""
    return elements(call) <= _LARGEST


def always(call: Call) -> bool:
    """True: a mode for every call."""
    return True


def unchanged(call: Call) -> Call:
    """The call itself."""
    return call


@dataclass(frozen=True)
class Mode:
    """A mode, defined by the function that runs a call in it.

    The function takes any of these arguments, by name, and returns a ``Result``:

    - loss: the loss, a function of tensors by name;
    - make, forward: for a module, what makes it of such tensors, and what calls it on them;
    - tensors: the call's arguments and tensor parameters;
    - args: which of them are arguments;
    - wrt, wrt_args: which of the tensors, and of the arguments, to differentiate by;
    - upstream: the upstream gradient;
    - directions: for each of ``wrt``, the direction to differentiate along.

    Attributes:
        function: the function; programs show its source, with annotations that nothing evaluates.
        promise: how its result follows from the plain call.
        dtypes: the dtypes of the calls that it is for.
        applies: whether the mode can reveal anything about a call.
        helpers: what the function calls; programs show it before the function.
        imports: lines that import what these need.
        needs: the dotted names that this torch must have.
        result: the class that the output must have.
        layout: the memory layout that it gives to tensors.
        rewritten: writes the call in another way, which is made instead of the plain one.
        class_line: a line that fails if ``result`` lacks that class, or has numbers but should not.
    """

    function: Callable[..., Result]
    promise: Promise
    dtypes: tuple[str, ...]
    applies: Callable[[Call], bool] = is_small
    helpers: tuple[Callable[..., Any], ...] = ()
    imports: Lines = ()
    needs: tuple[str, ...] = ()
    result: type[torch.Tensor] = torch.Tensor
    layout: str = "contiguous"
    rewritten: Callable[[Call], Call] = unchanged
    class_line: str = ""

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The names of the function's arguments."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def is_of_module(self) -> bool:
        """Whether it needs the module by itself."""
        return "make" in self.takes

    @property
    def source(self) -> Lines:
        """The lines that define the function and its helpers."""
        return tuple(line for definition in (*self.helpers, self.function) for line in source_of(definition))

    def run(self, arguments: Mapping[str, Any]) -> Result:
        """Run the function on the arguments that it takes, if this torch has what the mode needs."""
        for name in self.needs:
            look_up(name)
        return self.function(**{name: arguments[name] for name in self.takes})


def plain(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Forward and backward."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    if not sources:
        return output, {}
    if type(output) is not type(upstream) or output.is_meta != upstream.is_meta:
        return output, {}  # wrong already; no gradient leads from there to the inputs
    if not output.requires_grad:
        return output, {name: torch.zeros_like(tensors[name]) for name in wrt}
    gradients = torch.autograd.grad(output, sources, upstream, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))

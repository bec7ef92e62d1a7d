"""What a mode is: a function that makes a call in another way, what it promises, and for which calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from lossproof.subjects.call import Call
from lossproof.subjects.program import Lines
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.names import look_up
from lossproof.subjects.torch.source import source_of

Tensors = Mapping[str, torch.Tensor]
Loss = Callable[..., torch.Tensor]
# The output, and gradients by the names of what they are by.
Result = tuple[torch.Tensor, Tensors]

# The modes ask for tensors small enough that balls differentiate them twice in milliseconds.
_LARGEST = 100


def elements(call: Call) -> int:
    """How many numbers the arguments of a call hold."""
    return sum(values.numbers.size for values in call.args.values())


def is_small(call: Call) -> bool:
    """Whether they are few."""
    return elements(call) <= _LARGEST


@dataclass(frozen=True)
class Mode:
    """A mode, by the function that runs a call in it.

    The function takes what it needs of these, by their names, and returns a ``Result``:

    - loss: the loss, a function of tensors by name;
    - tensors: the call's arguments and tensor parameters;
    - args: which of them are arguments;
    - wrt: which of them to differentiate by;
    - upstream: the upstream gradient;
    - directions: for each of ``wrt``, the direction to differentiate along.

    Attributes:
        function: the function; its source is shown, with annotations that nothing evaluates.
        promise: how what comes out of it follows from the plain call.
        dtypes: the dtypes of calls that it is for.
        applies: whether it can show anything of a call.
        helpers: what the function calls, to be shown before it.
        imports: what these need imported.
        needs: the dotted names that this torch must have.
        result: the class that the output must be of.
        class_check: a line that fails where a ``result`` is not of that class, or has numbers and should not.
    """

    function: Callable[..., Result]
    promise: Promise
    dtypes: tuple[str, ...]
    applies: Callable[[Call], bool] = is_small
    helpers: tuple[Callable[..., Any], ...] = ()
    imports: Lines = ()
    needs: tuple[str, ...] = ()
    result: type[torch.Tensor] = torch.Tensor
    class_check: str = ""

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The names of what the function takes."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def source(self) -> Lines:
        """The lines that define the function and its helpers."""
        return tuple(line for one in (*self.helpers, self.function) for line in source_of(one))

    def run(self, given: Mapping[str, Any]) -> Result:
        """Run it on what the function may take, by the names above.

        Raises:
            Unsupported: where this torch lacks what it needs.
        """
        for name in self.needs:
            look_up(name)
        return self.function(**{name: given[name] for name in self.takes})


def plain(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Forward and backward."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    if type(output) is not type(upstream) or output.is_meta != upstream.is_meta:
        return output, {}  # wrong already; no gradient leads from there to the inputs
    gradients = torch.autograd.grad(output, sources, upstream, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))

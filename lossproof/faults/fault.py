"""A planted fault: one small, plausible bug in one of torch's losses.

A fault is a function that takes the place of one of torch's. Its name is the fault's id, its docstring says
what the mistake is::

    @fault("NLLLoss", origin="https://github.com/...")
    def nll_weight_dropped(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any):
        return original(input, target, **options | {"weight": None})
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Unsupported
from lossproof.subjects.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT
from lossproof.subjects.torch_forms import find_function

# Of tensors; what replaces a constructor returns nothing, and its original's result is not used.
Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Fault:
    """A bug, and where to plant it.

    Attributes:
        id: unique in the catalogue; never renamed, never reused.
        loss: the loss whose cases have to catch it.
        mistake: what the bug does, in one sentence.
        origin: the address of a real bug of this kind, empty where none is known.
        target: the dotted name of what it replaces, in torch unless the loss is none of torch's.
        replacement: what is called instead, as ``replacement(original, *args, **options)``.
        blind: whether it was written from a public issue before its author had seen any case.
        shows_in_modes: whether nothing but a mode can show it: a second derivative, vmap, a subclass, ...
    """

    id: str
    loss: str
    mistake: str
    origin: str
    target: str
    replacement: Callable[..., Any]
    blind: bool = False
    shows_in_modes: bool = False

    @property
    def subject(self) -> str:
        """The subject that shows it: the function, unless the module alone does."""
        if self.target.startswith(f"torch.nn.{self.loss}"):
            return "torch.nn"
        if self.loss in EXPRESSIONS:
            return EXPRESSIONS_SUBJECT
        try:
            find_function(self.loss)
        except Unsupported:
            return "torch.nn"
        return "torch.nn.functional"

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Let the fault stand in torch for a while."""
        owner, name = _owner(self.target)
        original = getattr(owner, name)

        @functools.wraps(original)
        def faulty(*args: Any, **options: Any) -> Any:
            return self.replacement(original, *args, **options)

        setattr(owner, name, faulty)
        try:
            yield
        finally:
            setattr(owner, name, original)


def fault(
    loss: str, *, origin: str = "", at: str = "", blind: bool = False, shows_in_modes: bool = False
) -> Callable[[Callable[..., Any]], Fault]:
    """Make a fault of the function below.

    Args:
        loss: a name of the reference's catalogue.
        origin: the address of the issue or change of a real bug of this kind.
        at: what to replace, by its dotted name; the loss's function in torch.nn.functional if empty.
        blind: see ``Fault``.
        shows_in_modes: see ``Fault``.
    """
    target = at or f"torch.nn.functional.{LOSSES[loss].functional}"

    def make(replacement: Callable[..., Any]) -> Fault:
        mistake = " ".join((inspect.getdoc(replacement) or "").split())
        name = replacement.__name__.replace("_", "-")
        return Fault(name, loss, mistake, origin, target, replacement, blind, shows_in_modes)

    return make


def _owner(target: str) -> tuple[Any, str]:
    """The module or class that holds ``target``, and its name there."""
    path, _, name = target.rpartition(".")
    try:
        return importlib.import_module(path), name
    except ModuleNotFoundError:
        owner, last = _owner(path)
        return getattr(owner, last), name

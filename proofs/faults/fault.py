"""A planted fault: one small, plausible bug in one of torch's losses.

A fault is a function that replaces one of torch's. Its name is the fault's id, and its docstring says what
the mistake is::

    @fault("NLLLoss", origin="https://github.com/...")
    def nll_weight_dropped(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any):
        return original(input, target, **options | {"weight": None})
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Unsupported
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT
from lossproof.subjects.torch.forms import catalogued_parameters
from lossproof.subjects.torch.names import look_up

# A function of tensors. The replacement of a constructor returns nothing, and ignores its original's result.
Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Fault:
    """A bug, and where to plant it.

    Attributes:
        id: unique in the catalogue; never renamed, never reused.
        loss: the loss whose cases must catch it.
        mistake: what the bug does, in one sentence.
        origin: the address of a real bug of this kind; empty if none is known.
        target: the dotted name of what it replaces, in torch unless torch lacks the loss.
        replacement: what is called instead, as ``replacement(original, *args, **options)``.
        blind: whether it was written before its author had seen any case.
        shows_in_modes: whether nothing but a mode can show it: a second derivative, vmap, a subclass, ...
        needs: the dotted names of other parts of torch that it uses, which releases may lack.
    """

    id: str
    loss: str
    mistake: str
    origin: str
    target: str
    replacement: Callable[..., Any]
    blind: bool = False
    shows_in_modes: bool = False
    needs: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject that shows it: the function, unless only the module does."""
        if self.target.startswith(f"torch.nn.{self.loss}"):
            return "torch.nn"
        if self.loss in EXPRESSIONS:
            return EXPRESSIONS_SUBJECT
        return "torch.nn.functional" if LOSSES[self.loss].functional else "torch.nn"

    @property
    def obstacle(self) -> str:
        """Why the fault cannot be planted in this torch; empty if it can."""
        try:
            for name in (self.target, *self.needs):
                look_up(name)
        except Unsupported as reason:
            return str(reason)
        return ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant the fault in torch for a while.

        During that time, an option that it passes on and this torch does not take is unsupported.

        Raises:
            Unsupported: if this torch lacks what it replaces.
        """
        path, _, name = self.target.rpartition(".")
        owner, original = look_up(path), look_up(self.target)

        @functools.wraps(original)
        def checked(*args: Any, **options: Any) -> Any:
            look_up(self.target, catalogued_parameters(self.loss, options))
            return original(*args, **options)

        # A class stays a class, since its bases are looked up as well.
        callee = original if isinstance(original, type) else checked

        @functools.wraps(original)
        def faulty(*args: Any, **options: Any) -> Any:
            return self.replacement(callee, *args, **options)

        setattr(owner, name, faulty)
        try:
            yield
        finally:
            setattr(owner, name, original)


def fault(
    loss: str,
    *,
    origin: str = "",
    method: str = "",
    at: str = "",
    blind: bool = False,
    shows_in_modes: bool = False,
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Fault]:
    """Turn the function below into a fault.

    Args:
        loss: a name in the reference's catalogue.
        origin: the address of the issue or change of a real bug of this kind.
        method: the method of the loss's module to replace; its function in torch.nn.functional if empty.
        at: the dotted name of what to replace, if it is neither of these.
        blind: see ``Fault``.
        shows_in_modes: see ``Fault``.
        needs: see ``Fault``.
    """

    def make(replacement: Callable[..., Any]) -> Fault:
        name, mistake = replacement.__name__.replace("_", "-"), mistake_of(replacement)
        target = at or target_in(loss, method)
        return Fault(name, loss, mistake, origin, target, replacement, blind, shows_in_modes, needs)

    return make


def target_in(loss: str, method: str) -> str:
    """The dotted name of a method of a loss's module, or of the loss's function if that is empty."""
    return f"torch.nn.{loss}.{method}" if method else f"torch.nn.functional.{LOSSES[loss].functional}"


def mistake_of(replacement: Callable[..., Any]) -> str:
    """The docstring of a fault as one line."""
    return " ".join((inspect.getdoc(replacement) or "").split())

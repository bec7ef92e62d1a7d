"""The subject behind a test function of somebody's own project: what the test returns is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lossproof.adapters.arguments import Arguments
from lossproof.adapters.features import lacking
from lossproof.adapters.forms import Form, expression_of
from lossproof.adapters.functions import FunctionTable
from lossproof.adapters.parameters import effective_parameters, is_its_own
from lossproof.adapters.target import load
from lossproof.subjects.call import Call, Unsupported

_IMPORT = "from lossproof.adapters.arguments import Arguments"


class TestedSubject(FunctionTable):
    """A function that gets the ``Arguments`` of a call, and returns what the implementation returned.

    Args:
        implementation: the function.
        loss: the loss that it computes, by torch's name.
        library: whose arrays it gets.
        dtypes: those to test in; empty means all of the library's.
        fixed: the values of parameters that it does not read, where they are not torch's defaults.
        features_lacked: see ``features``.

    Attributes:
        fixtures: what else the function takes, by name, for the next calls.
    """

    __test__ = False  # pytest would collect the class because of its name

    def __init__(
        self,
        implementation: Callable[[Arguments], Any],
        loss: str,
        library: str,
        dtypes: Sequence[str],
        fixed: Mapping[str, Any],
        features_lacked: Sequence[str],
    ) -> None:
        self._implementation = implementation
        self._fixed = dict(fixed)
        self.fixtures: Mapping[str, Any] = {}
        self.name = implementation.__name__
        self.library = library
        self.features_lacked = tuple(features_lacked)
        self.table = {loss: implementation}
        super().__init__()
        if dtypes:
            self.dtypes = tuple(dtypes)

    def __reduce__(self) -> tuple[Callable[..., TestedSubject], tuple[Any, ...]]:
        # Another process imports the file with the test anew.
        file = Path(self._implementation.__code__.co_filename)
        return _load, (f"{file}:{self._implementation.__qualname__}", dict(self.fixtures))

    def lacks(self, call: Call) -> str:
        """Why the function cannot be given the call; which parameters it reads shows only when it runs."""
        reason = lacking(call, self.features_lacked)
        return f"{self.name} {reason}" if reason else ""

    def form_of(self, call: Call) -> Form:
        """The ``Arguments``, and a call of the function with them."""
        values = {name: name for name in call.args}
        parameters = effective_parameters(call)
        values |= {name: expression_of(call, name, value, self.arrays) for name, value in parameters.items()}
        items = ", ".join(f"{name!r}: {expression}" for name, expression in values.items())
        construct = f"arguments = Arguments({tuple(call.args)!r}, {{{items}}})"
        implementation = partial(self._implementation, **self.fixtures)
        scope = {**self.arrays.scope, "Arguments": Arguments, self.name: implementation}
        imports = (
            _IMPORT,
            f"from {self._implementation.__module__} import {self.name}",
            f"{self.name} = {self.name}.implementation",
        )
        return Form((construct,), f"{self.name}(arguments)", "", scope, imports, self.name)

    def check(self, scope: Mapping[str, Any], call: Call) -> None:
        """Raise Unsupported if the function ignored a parameter that is not what it computes with."""
        parameters = effective_parameters(call)
        for name in sorted(scope["arguments"].unread()):
            if not is_its_own(call.loss, name, parameters[name], self._fixed):
                raise Unsupported(f"{self.name} does not read '{name}'")


def _load(target: str, fixtures: Mapping[str, Any]) -> TestedSubject:
    subject: TestedSubject = load(target).subject  # type: ignore[attr-defined]  # ``conforms`` adds it
    subject.fixtures = fixtures
    return subject

"""What a test of somebody's own project is given: the arguments and parameters of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossproof.adapters.parameters import named, parameters_in


class Arguments:
    """The arguments and the effective parameters of a call, as attributes by torch's names.

    A parameter has its value even if the case leaves it at torch's default. If the value is another one, and
    nobody reads it, the implementation does not have the parameter, and the case is unsupported.

    >>> call = Arguments(("input", "target"), {"input": 1, "target": 2, "reduction": "sum", "weight": None})
    >>> call.input, call.reduction, sorted(call.unread())
    (1, 'sum', ['weight'])
    """

    def __init__(self, arguments: tuple[str, ...], values: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self._values = dict(values)
        self._read = set(arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            known = ", ".join(self.__dict__.get("_values", {}))
            raise AttributeError(f"this call has no '{name}'; it has {known}")
        self._read.add(name)
        return self._values[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    @property
    def arguments(self) -> dict[str, Any]:
        """The tensors that the loss is called with, in torch's order."""
        return {name: self._values[name] for name in self._arguments}

    @property
    def parameters(self) -> dict[str, Any]:
        """All other values; they count as read."""
        self._read |= set(self._values)
        return {name: value for name, value in self._values.items() if name not in self._arguments}

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Call a function with the arguments, in torch's order, and with the parameters that it takes."""
        takes = named(parameters_in(function))
        names = [name for name in self._values if name not in self._arguments and takes(name)]
        self._read |= set(names)
        return function(*self.arguments.values(), **{name: self._values[name] for name in names})

    def unread(self) -> frozenset[str]:
        """The names of the parameters that nobody has read."""
        return frozenset(self._values) - self._read

"""What a library must be able to do for its functions to be judged: make arrays, read them, differentiate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from lossproof.subjects.call import Call, ModeObservation, Unsupported, Values
from lossproof.subjects.program import Lines, Program
from lossproof.subjects.promise import Promise

if TYPE_CHECKING:
    from lossproof.adapters.forms import Form

# A loss as a function of its tensors, by their names.
Function = Callable[[Mapping[str, Any]], Any]

_LIBRARIES = {
    "torch": "lossproof.adapters.torch_arrays:TorchArrays",
    "numpy": "lossproof.adapters.numpy_arrays:NumpyArrays",
    "dlpack": "lossproof.adapters.dlpack_arrays:DlpackArrays",
    "jax": "lossproof.adapters.jax_arrays:JaxArrays",
    "mlx": "lossproof.adapters.mlx_arrays:MlxArrays",
}
LIBRARIES = tuple(_LIBRARIES)


class Arrays(ABC):
    """The arrays of one library, as objects and as the lines of a program.

    Attributes:
        name: that of the library.
        packages: the distributions whose versions a run reports.
        dtypes: the floating dtypes that it has, by torch's names.
        layouts: the memory layouts that its arrays can have, of ``corpus.keys.LAYOUTS``.
        imports: lines that a program needs besides those that import torch or NumPy.
        scope: what the expressions of ``dtype_source`` need, by name.
        in_double: an expression for ``result`` in double precision.
        differentiates: whether it has automatic differentiation.
    """

    name: str
    packages: tuple[str, ...] = ()
    dtypes: tuple[str, ...]
    layouts: tuple[str, ...] = ("contiguous",)
    imports: Lines = ()
    scope: Mapping[str, Any] = MappingProxyType({})
    in_double: str = "result"
    differentiates: bool = False

    def devices(self) -> tuple[str, ...]:
        """The devices of this machine, by torch's names."""
        return ("cpu",)

    def settings(self, call: Call) -> AbstractContextManager[Any]:
        """The settings of the library under which the arrays of a call are made and used."""
        return nullcontext()

    @abstractmethod
    def make(self, values: Values, call: Call, place: int = 0) -> Any:
        """A new array of the numbers, the ``place``-th of the call, on its device and in its layout."""

    @abstractmethod
    def read(self, array: Any) -> tuple[npt.NDArray[Any], str]:
        """The numbers of an array, floating ones in float64, and the name of its dtype."""

    def differentiate(
        self, function: Function, tensors: Mapping[str, Any], wrt: tuple[str, ...], upstream: Any
    ) -> tuple[Any, Mapping[str, Any]]:
        """The output, and the gradient of sum(upstream * output) by each of ``wrt`` that it depends on.

        There are no gradients if the output does not have the shape of the upstream gradient.
        """
        return function(tensors), {}

    @abstractmethod
    def lines(self, name: str, values: Values, call: Call, place: int = 0) -> Lines:
        """The lines that make the array of ``make``."""

    def dtype_source(self, name: str) -> str:
        """An expression for a floating dtype as a function gets it: its name, where the library takes that.

        Raises:
            Unsupported: if the library does not have it.
        """
        if name not in self.dtypes:
            raise Unsupported(f"{self.name} has no {name}")
        return repr(name)

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """Other ways of calling a function of its arrays, in groups; see ``Subject.ways``."""
        return ()

    def run_way(self, way: str, call: Call, form: Form) -> ModeObservation:
        """Make a call in one of ``ways``; see ``Subject.run_mode``."""
        raise NotImplementedError

    def program_of_way(self, way: str, call: Call, form: Form, part: str) -> Program:
        """The program of ``run_way``; see ``Programs.of_mode``."""
        raise NotImplementedError

    def gradient_lines(self, expression: str, call: Call, argument: str) -> Lines:
        """Lines that name the gradient of an expression ``result``; ``upstream`` is the upstream gradient."""
        raise NotImplementedError


def arrays_of(library: str) -> Arrays:
    """The arrays of a library, which is imported only now.

    Raises:
        ModuleNotFoundError: if it is not installed.
        KeyError: if there is no such library.
    """
    module, _, name = _LIBRARIES[library].partition(":")
    arrays: Arrays = getattr(import_module(module), name)()
    return arrays

"""A short program in named parts that shows what a subject did, and the writer of such programs."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call
from lossproof.subjects.drawing import DRAWING, DRAWN

Lines = tuple[str, ...]

# Libraries share only the last part of torch's names.
DTYPE_OF_RESULT = "str(result.dtype).rpartition('.')[2]"

# The modules that a program imports if one of its lines names them.
_MODULES = ("base64", "copy", "math", "pickle", "re", "struct", "warnings", "zlib", "numpy", "torch")


@dataclass(frozen=True)
class Program:
    """A program that makes a call and names the outcome ``result``; each part consists of whole lines.

    Attributes:
        imports: lines that import more than the modules that are named by a line, such as math and torch.
        tensors: by the name of each tensor of the call, the lines that make it.
        construct: lines that define or construct what is called; may be empty.
        call: lines that call it; without ``gradient``, they name the ``result``.
        gradient: lines that run the backward pass, and replace ``result`` by the requested gradient.
        class_line: a line that fails if ``result`` does not have the required class.
        in_double: an expression for ``result`` in double precision.
        dtype: an expression for the name of its dtype.
        changed: an expression for the names of the tensors that the call changed, if they stay as they are
            because the call gets copies; else empty.
        refusal: the name of the exception that it raises if the call is refused, rather than goes wrong.
        names_kinds: whether its exceptions and warnings have a ``kind``, as cases name kinds.
    """

    imports: Lines = ()
    tensors: Mapping[str, Lines] = field(default_factory=dict)
    construct: Lines = ()
    call: Lines = ()
    gradient: Lines = ()
    class_line: str = ""
    in_double: str = "result"
    dtype: str = DTYPE_OF_RESULT
    changed: str = ""
    refusal: str = "Exception"
    names_kinds: bool = False

    @property
    def inputs(self) -> Lines:
        """The lines that make all tensors."""
        return tuple(line for lines in self.tensors.values() for line in lines)

    @property
    def computation(self) -> Lines:
        """The lines from the tensors to the ``result``."""
        return (*self.construct, *self.call, *self.gradient)

    def text(self, *assertions: str) -> str:
        """The program, which prints its result; assertions on the result may follow."""
        assertions = (*filter(None, [self.class_line]), *assertions)
        return self.assemble(*self.inputs, *self.computation, "print(result)", *assertions)

    def assemble(self, *lines: str) -> str:
        """A program of the given lines, with the imports that they need."""
        lines = (*(DRAWING if any(DRAWN in line for line in lines) else ()), *lines)
        module_imports = [
            f"import {module}"
            for module in _MODULES
            # The plain test first: a line may hold the digits of thousands of numbers.
            if any(f"{module}." in line and re.search(rf"(?<![\w.'\"]){module}\.\w", line) for line in lines)
        ]
        return "\n".join([*self.imports, *module_imports, *lines]) + "\n"


class Programs(ABC):
    """A subject's own voice: it writes programs that show what the subject does."""

    @abstractmethod
    def of_call(self, call: Call, quantity: str = "value") -> Program:
        """The program of a call.

        Args:
            call: the call; tensors of many elements are packed to keep the program short.
            quantity: what ``result`` is: value, gradient:ARGUMENT or vjp:ARGUMENT; ``gradient`` runs both
                backward passes, ``unchanged`` one whose upstream gradient is among the tensors.
        """

    def of_mode(
        self, mode: str, call: Call, directions: Mapping[str, Float64Array], part: str = ""
    ) -> Program:
        """The program of ``Subject.run_mode``; for subjects that have modes.

        ``result`` is the ``part``: ``value``, or the argument of a gradient; everything if empty.
        """
        raise NotImplementedError

    def of_module(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> Program:
        """The program of ``Subject.inspect``; for subjects that have modules."""
        raise NotImplementedError


def indented(lines: Lines) -> Lines:
    """Lines as the body of a statement."""
    return tuple(f"    {line}" if line else line for line in lines)

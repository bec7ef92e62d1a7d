"""What a subject did as a short program in named parts, and who writes such programs."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call

Lines = tuple[str, ...]

# What a program imports where one of its lines names it.
_MODULES = ("base64", "copy", "math", "pickle", "re", "struct", "warnings", "zlib", "torch")


@dataclass(frozen=True)
class Program:
    """A program that makes a call and names what comes out of it ``result``; each part is whole lines.

    Attributes:
        note: a comment on the whole.
        imports: what it imports beside modules that its lines name, such as math and torch.
        tensors: by the name of each tensor that the call is given, the lines that make it.
        construct: lines that define or construct what is called; empty where nothing need be.
        call: lines that call it; without ``gradient``, they name the ``result``.
        gradient: lines that run the backward pass, and put what is asked for in the place of ``result``.
        class_check: a line that fails where the ``result`` is not of the class that it must be of.
        in_double: an expression of ``result`` in double precision.
        names_kinds: whether what its calls raise and warn of has a ``kind``, as cases name kinds.
    """

    note: str = ""
    imports: Lines = ()
    tensors: Mapping[str, Lines] = field(default_factory=dict)
    construct: Lines = ()
    call: Lines = ()
    gradient: Lines = ()
    class_check: str = ""
    in_double: str = "result"
    names_kinds: bool = False

    @property
    def inputs(self) -> Lines:
        """The lines that make all tensors."""
        return tuple(line for lines in self.tensors.values() for line in lines)

    @property
    def making(self) -> Lines:
        """The lines from the tensors to the ``result``."""
        return (*self.construct, *self.call, *self.gradient)

    def text(self, *checks: str) -> str:
        """The program, which shows its result; lines that look at that may follow."""
        checks = (*filter(None, [self.class_check]), *checks)
        return self.around(*self.inputs, *self.making, "print(result)", *checks)

    def around(self, *lines: str) -> str:
        """A program of any lines, with the note and the imports that they need."""
        named = [
            f"import {module}"
            for module in _MODULES
            # The plain test first: a line may hold the digits of thousands of numbers.
            if any(f"{module}." in line and re.search(rf"(?<![\w.'\"]){module}\.\w", line) for line in lines)
        ]
        return "\n".join([*filter(None, [self.note]), *self.imports, *named, *lines]) + "\n"


class Programs(ABC):
    """A subject's own voice: how what it does reads as programs."""

    @abstractmethod
    def of_call(self, call: Call, quantity: str = "value") -> Program:
        """The program of a call.

        Args:
            call: the call; tensors of many elements are packed, so that the program stays short.
            quantity: what ``result`` is: value, gradient:ARGUMENT or vjp:ARGUMENT; ``gradient`` for both
                backward passes, ``unchanged`` for one whose upstream gradient is among the tensors.
        """

    def of_mode(
        self, mode: str, call: Call, directions: Mapping[str, Float64Array], part: str = ""
    ) -> Program:
        """The program of a call in a mode; for subjects that have modes.

        Args:
            mode, call, directions: as for ``Subject.run_mode``.
            part: what ``result`` is: ``value``, or the argument by whose gradient; all of it if empty.
        """
        raise NotImplementedError

    def of_module(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> Program:
        """The program that looks at an aspect of a module; for subjects that have modules.

        Args:
            aspect, loss, params, expected: as for ``Subject.inspect``.
        """
        raise NotImplementedError


def indented(lines: Lines) -> Lines:
    """Lines as the body of a statement."""
    return tuple(f"    {line}" if line else line for line in lines)

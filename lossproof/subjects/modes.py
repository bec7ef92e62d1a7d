"""Modes: other ways of running a call, which must not change what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Observation


@dataclass(frozen=True, eq=False)
class ModeObservation(Observation):
    """What came out of a mode; nan stands for the numbers of a tensor that has none.

    Attributes:
        computed_in: the narrowest dtype that an operation of the call returned, where the mode asks for it.
    """

    computed_in: str = ""


@runtime_checkable
class ModalSubject(Protocol):
    """A subject that has modes."""

    def modes(self, call: Call) -> tuple[str, ...]:
        """The modes in which it makes this call."""
        ...

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """Run a call in a mode.

        Args:
            mode: one of ``modes``.
            call: the call, of whose upstream gradients the last one is taken.
            directions: for each of the call's ``wrt``, the direction to differentiate along.

        Raises:
            Unsupported: where the implementation says that it has no such mode for this call.
            Refused: where it raised anything else.
        """
        ...

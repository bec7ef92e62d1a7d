"""What an implementation under test must be able to do, and what it may say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, ModeObservation, Observation, Unsupported
from lossproof.subjects.program import Programs
from lossproof.subjects.promise import Promise


class Subject(ABC):
    """An implementation under test: it derives from this class, and needs no more than is abstract here.

    Attributes:
        name: as it is chosen on the command line, and stands in the records.
        dtypes: the floating dtypes that it knows, by torch's names.
        has_construction: whether it constructs a loss before it calls it, so that it counts when it refuses.
        shows_steps: whether its records show the worked steps even of what is right.
        packages: the distributions that it is made of, whose versions a run reports.
        namespaces: the modules of its own whose names no call may bind anew.
        programs: how what it does reads as programs. No class inherits them: what derives from a subject
            runs something else. Where there are none, torch on the same call is shown, and is said to be.
    """

    name: str
    dtypes: tuple[str, ...]
    has_construction: bool = False
    shows_steps: bool = False
    packages: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    programs: Programs | None = None

    def __init_subclass__(cls) -> None:
        cls.programs = vars(cls).get("programs")

    @abstractmethod
    def version(self) -> str:
        """The version of what is tested, as PEP 440 writes it."""

    @abstractmethod
    def run(self, call: Call) -> Observation:
        """Run one call.

        Raises:
            Unsupported: where there is nothing to run.
            Refused: where the implementation raised; what its backward pass raised belongs to the answer.
        """

    def devices(self) -> tuple[str, ...]:
        """The devices that this machine has for it."""
        return ("cpu",)

    def is_asked(self, loss: str) -> bool:
        """Whether a run asks it for a loss."""
        return True

    def illustrates(self, loss: str) -> bool:
        """Whether it is the one to be shown beside the truth, as a curve or as the answer to a typed call."""
        return False

    def stand_in(self, loss: str) -> str:
        """The expression that it computes in the place of a loss that its library lacks, if it does."""
        return ""

    def probes(self) -> Mapping[str, Callable[[], Any]]:
        """For each state of its own that no call may change, by its name, a function that reads it."""
        return {}

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """What comes out for a claim about modules or names, in plain data comparable to ``expected``.

        Raises:
            Unsupported: where the subject has no modules.
        """
        raise Unsupported(f"{self.name} has no modules")

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """What each mode of this call promises, by its name: a mode is another way of running the call."""
        return {}

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
        raise Unsupported(f"{self.name} has no mode {mode}")

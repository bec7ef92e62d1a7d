"""What an implementation under test must do, and what it may say about itself."""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from lossproof.corpus.keys import LAYOUTS
from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, ModeObservation, Observation, Unsupported
from lossproof.subjects.program import Programs
from lossproof.subjects.promise import Promise


class Subject(ABC):
    """An implementation under test: a subclass must implement only what is abstract here.

    Attributes:
        name: its name on the command line and in the records.
        dtypes: the floating dtypes that it supports, by torch's names.
        is_foreign: whether it is neither torch nor the reference. Then it must refuse what torch refuses, but
            not in torch's words, and need not warn; a gradient that it does not compute is unsupported; and
            an error of up to twice the budget is close, since its formula may be another.
        layouts: the memory layouts of its tensors, of ``corpus.keys.LAYOUTS``, the contiguous one first.
        writes_to_inputs: whether it says that its calls write to their inputs.
        has_construction: whether it constructs a loss before the call, so that refusals have a stage.
        shows_steps: whether its records show the worked steps even if they are right.
        packages: the distributions that it consists of, whose versions a run reports.
        language: the programming language that it is written in, for people; empty if that needs no word.
        tracker: the address where its defects are reported; empty if there is none.
        namespaces: its own modules, whose names no call may rebind.
        programs: writes programs that show what it does. They are not inherited, since a subclass runs
            something else. The programs of a subject without them hand the call to the subject.
    """

    name: str
    dtypes: tuple[str, ...]
    writes_to_inputs: bool = False
    has_construction: bool = False
    shows_steps: bool = False
    packages: tuple[str, ...] = ()
    language: str = ""
    tracker: str = ""
    namespaces: tuple[str, ...] = ()
    programs: Programs | None = None
    is_foreign: bool = True
    layouts: tuple[str, ...] = LAYOUTS

    def layouts_of(self, loss: str) -> tuple[str, ...]:
        """The memory layouts in which a loss is called: fewer where the rest would show nothing new."""
        return self.layouts

    def __init_subclass__(cls) -> None:
        cls.programs = vars(cls).get("programs")

    @abstractmethod
    def version(self) -> str:
        """The version under test, in the form of PEP 440."""

    @abstractmethod
    def run(self, call: Call) -> Observation:
        """Run one call.

        Raises:
            Unsupported: if there is nothing to run.
            Refused: if the implementation raised; what its backward pass raised belongs to the answer.
        """

    def devices(self) -> tuple[str, ...]:
        """The devices of this machine that it can use."""
        return ("cpu",)

    def has_loss(self, loss: str) -> bool:
        """Whether a run examines it on a loss."""
        return True

    def lacks(self, call: Call) -> str:
        """Why it cannot run a call, asked before its truth is computed; empty if it can, or may."""
        return ""

    def source_files(self) -> tuple[str, ...]:
        """The files that its answers depend on: by default, that of its class, and of its namespaces."""
        modules = [inspect.getmodule(type(self)), *(sys.modules.get(name) for name in self.namespaces)]
        return tuple(file for module in modules if (file := getattr(module, "__file__", None)))

    def illustrates(self, loss: str) -> bool:
        """Whether it is shown next to the truth, as a curve or as the answer to a typed call."""
        return False

    def stand_in(self, loss: str) -> str:
        """The expression that it computes instead of a loss that its library lacks; empty if none."""
        return ""

    def probes(self) -> Mapping[str, Callable[[], Any]]:
        """By name, a function that reads each state of its own that no call may change."""
        return {}

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """The aspect of a module or a name, as plain data comparable to ``expected``.

        Raises:
            Unsupported: if the subject has no modules.
        """
        raise Unsupported(f"{self.name} has no modules")

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """The promise of each mode of this call, by name; a mode is another way of running the call."""
        return {}

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """The same for ways of calling, in groups: a call is examined in one of each, as they are many."""
        return ()

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """Run a call in a mode.

        Args:
            mode: one of ``modes`` or ``ways``.
            call: the call; a mode uses the last of its upstream gradients.
            directions: for each of the call's ``wrt``, the direction to differentiate along.

        Raises:
            Unsupported: if the implementation says that it has no such mode for this call.
            Refused: if it raised anything else.
        """
        raise Unsupported(f"{self.name} has no mode {mode}")

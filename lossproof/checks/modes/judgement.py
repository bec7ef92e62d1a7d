"""The input and the result of judging one mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lossproof.judging.calls import PlannedCall
from lossproof.judging.derivatives import Directions
from lossproof.judging.verdict import Verdict
from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import ModeObservation, Observation


@dataclass(frozen=True, eq=False)
class CallInMode:
    """A call in a mode: its plan, the plain answer and that of the mode, and the directions taken."""

    planned: PlannedCall
    plain: Observation
    answer: ModeObservation
    directions: Directions

    @property
    def is_finite(self) -> bool:
        """Whether inputs, value and gradients are finite: only then does a gradient have a direction."""
        prepared, truth = self.planned.prepared, self.planned.truth
        numbers = [truth.value.value, *(gradient.value for gradient in truth.gradients[-1].values())]
        numbers += prepared.arguments.values()
        return all(bool(np.all(np.isfinite(array))) for array in numbers)


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdict on one quantity, and both sides of it.

    Attributes:
        lines: makes the lines of a program that fail as long as the bug is there.
        part: which part of a joint record is judged: ``value``, or the argument of a gradient.
    """

    quantity: str
    verdict: Verdict
    expected: Float64Array
    observed: Float64Array
    lines: Callable[[], Sequence[str]]
    part: str = "value"

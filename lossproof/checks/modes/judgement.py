"""The input and the result of judging one mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lossproof.judging.calls import PlannedCall
from lossproof.judging.derivatives import Directions
from lossproof.judging.verdict import Verdict
from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import ModeObservation, Observation


@dataclass(frozen=True, eq=False)
class CallInMode:
    """A call in a mode: what is known of the plain call, and what came out.

    Attributes:
        planned: the call and its truth.
        plain: the plain call's observation.
        mode: the mode's observation.
        directions: along which it differentiated.
    """

    planned: PlannedCall
    plain: Observation
    mode: ModeObservation
    directions: Directions


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdict on one quantity, and both sides of it.

    Attributes:
        check: makes the lines of a program that fail while the verdict stands.
        part: where one record is of all, what it judges: ``value``, or the argument by whose gradient.
    """

    quantity: str
    verdict: Verdict
    expected: Float64Array
    observed: Float64Array
    check: Callable[[], Sequence[str]]
    part: str = "value"

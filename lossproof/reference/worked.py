"""The worked steps of a call: what a careful teacher would write, taken from the formula as it runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lossproof.numbers.ball import Undecided, certified
from lossproof.numbers.base import Array
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.equation import Equation, settle
from lossproof.numbers.written import Written
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.loss import Loss
from lossproof.reference.steps import recording

_MOST_ELEMENTS = 12


def formula_of(loss: Loss) -> str:
    """The formula of a loss in words and symbols, as the reference states it, and its convention if any."""
    formula = (inspect.getdoc(loss.value) or "").partition("\n\n")[0].replace("``", "")
    convention = loss.convention.means if loss.convention else ""
    return " ".join(f"{formula} {convention}".split())


def worked_steps(call: PreparedCall) -> str:
    """The steps of a call: the name of each, then a line per element with its expression and its value.

    Expressions are over the numbers of the steps before, as they are printed there. All of them are
    certified and have seven significant digits, or as many more as it takes for every line that shows them
    to be true: ``=`` says that the printed expression is exactly the printed number, ``≈`` that the
    number is a correct rounding both of that expression and of the true value. Of a step with many elements
    the first are shown.

    Args:
        call: as ``prepare`` returns it.

    Returns:
        Lines of text, or one that says that the steps cannot be certified.

    >>> from lossproof.reference.evaluation import prepare
    >>> print(worked_steps(prepare("MSELoss", {}, {"input": [1.0, -2.0], "target": [0.5, 1.0]})))
    d
      [0]: 1 - 0.5 = 0.5
      [1]: -2 - 1 = -3
    losses
      [0]: 0.5 * 0.5 = 0.25
      [1]: (-3) * (-3) = 9
    sum: 0.25 + 9 = 9.25
    mean: 9.25 / 2 = 4.625
    """
    try:
        return certified(lambda: _text(call))
    except Undecided as undecided:
        return f"the steps cannot be certified: {undecided}"


def _text(call: PreparedCall) -> str:
    with recording(_without_history) as recorded:
        call.value(Written.exact)
    steps = [step for name, value in recorded for step in _parts(name, value)]
    settle([equation for step in steps for equation in step.shown])
    # A step that only repeats the one before, as the sum of a single loss does, teaches nothing.
    new = steps[:1] + [step for before, step in pairwise(steps) if not step.repeats(before)]
    return "\n".join(line for step in new for line in step.lines())


@dataclass(frozen=True, eq=False)
class _Step:
    name: str
    shape: tuple[int, ...]
    equations: list[Equation]

    def repeats(self, before: _Step) -> bool:
        is_plain = all(equation.is_plain for equation in self.equations)
        return is_plain and self._numerals() == before._numerals()

    def lines(self) -> Iterator[str]:
        shown = [equation.text() for equation in self.shown]
        if not self.shape:
            yield f"{self.name}: {shown[0]}"
            return
        yield self.name
        for place, text in zip(np.ndindex(self.shape), shown, strict=False):
            yield f"  [{', '.join(map(str, place))}]: {text}"
        if not shown:
            yield "  no elements"
        if len(self.equations) > _MOST_ELEMENTS:
            yield f"  ... and {len(self.equations) - _MOST_ELEMENTS:,} more"

    @property
    def shown(self) -> list[Equation]:
        return self.equations[:_MOST_ELEMENTS]

    def _numerals(self) -> list[str]:
        return [equation.number.numeral.text for equation in self.equations]


def _without_history(value: Array) -> Array:
    """What the next step sees of this one: plain numbers without their history."""
    if isinstance(value, ComplexPair):
        return ComplexPair(_without_history(value.real), _without_history(value.imaginary))
    return value.as_numbers() if isinstance(value, Written) else value


def _parts(name: str, value: Array) -> Iterator[_Step]:
    if isinstance(value, ComplexPair):
        yield from _parts(f"Re {name}", value.real)
        yield from _parts(f"Im {name}", value.imaginary)
    else:
        written = value if isinstance(value, Written) else Written.exact(value)
        yield _Step(name, written.shape, [Equation(term) for term in written.terms.ravel().tolist()])

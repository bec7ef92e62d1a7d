"""The worked steps of a call: what a careful teacher would write, taken from the formula as it runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.written import Written, numeral
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.loss import Loss
from lossproof.reference.steps import recording

_MOST_ELEMENTS = 12


def formula_of(loss: Loss) -> str:
    """The formula of a loss in words and symbols, as the reference states it."""
    return " ".join((inspect.getdoc(loss.value) or "").partition("\n\n")[0].replace("``", "").split())


def worked_steps(call: PreparedCall) -> str:
    """The steps of a call, each with its name and, an element a line, its expression and its value.

    Expressions are over the numbers of the steps before, with seven significant digits. Of a step with many
    elements the first are shown.
    """
    with recording(_given) as recorded:
        call.value(Written.exact)
    steps = [_Step(name, part) for name, value in recorded for name, part in _parts(name, value)]
    # A step that only repeats the one before, as the sum of a single loss does, teaches nothing.
    told = steps[:1] + [step for before, step in pairwise(steps) if not step.repeats(before)]
    return "\n".join(line for step in told for line in step.lines())


@dataclass(frozen=True, eq=False)
class _Step:
    name: str
    value: Written

    def repeats(self, before: _Step) -> bool:
        is_plain = all(line == number for line, number in self._elements())
        return is_plain and np.array_equal(
            self.value.numbers.ravel(), before.value.numbers.ravel(), equal_nan=True
        )

    def lines(self) -> Iterator[str]:
        shown = islice(self._elements(), _MOST_ELEMENTS)
        elements = [line if line == number else f"{line} = {number}" for line, number in shown]
        if not self.value.shape:
            yield f"{self.name} = {elements[0]}"
            return
        yield self.name
        for place, element in zip(np.ndindex(self.value.shape), elements, strict=False):
            yield f"  [{', '.join(map(str, place))}] = {element}"
        if not elements:
            yield "  no elements"
        if self.value.size > _MOST_ELEMENTS:
            yield f"  ... and {self.value.size - _MOST_ELEMENTS:,} more"

    def _elements(self) -> Iterator[tuple[str, str]]:
        pairs = zip(self.value.expressions.flat, self.value.numbers.flat, strict=True)
        return ((expression.text, numeral(float(number))) for expression, number in pairs)


def _given(value: Array) -> Array:
    """What the next step sees of this one: numbers, and no longer how they came about."""
    if isinstance(value, ComplexPair):
        return ComplexPair(_given(value.real), _given(value.imaginary))
    return Written.exact(value.numbers) if isinstance(value, Written) else value


def _parts(name: str, value: Array) -> Iterator[tuple[str, Written]]:
    if isinstance(value, ComplexPair):
        yield from _parts(f"Re {name}", value.real)
        yield from _parts(f"Im {name}", value.imaginary)
    else:
        yield name, value if isinstance(value, Written) else Written.exact(value)

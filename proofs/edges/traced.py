"""Numbers that are rounded at each step of a formula, and note in which state each step leaves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.formats import Float64Array, Format

States = npt.NDArray[np.int8]

# A step's state is its class, from nan (0) and -inf (1) over zero (4) to inf (7), plus what it absorbed.
_ZERO = 4
_ABSORBS_SECOND, _ABSORBS_FIRST = 8, 16


@dataclass(eq=False)
class Trace:
    """The states that the steps of a formula met, in the order in which they ran.

    Attributes:
        format: the format that every step is rounded to.
        probes: how many calls are made at once, each of them in a row of a batch.
        states: for each step, (probes, numbers of the step that depend on a probe).
    """

    format: Format
    probes: int
    states: list[States] = field(default_factory=list)

    def lift(self, values: npt.ArrayLike) -> Traced:
        """Plain numbers, rounded once."""
        return Traced(self.format.round(values), self)

    def note(self, state: npt.NDArray[Any]) -> None:
        """A step; one without a row for each probe is the same for all, and left out."""
        if self.probes in state.shape:
            by_probe = np.moveaxis(state, state.shape.index(self.probes), 0)
            self.states.append(by_probe.reshape(self.probes, -1).astype(np.int8))


class Traced(NumberArray):
    """An array of float64 values, each of them a number of the trace's format."""

    def __init__(self, value: Float64Array, trace: Trace) -> None:
        self.value = value
        self.trace = trace

    @property
    def components(self) -> tuple[Array, ...]:
        """The values."""
        return (self.value,)

    def with_components(self, *components: Array) -> Traced:
        """Other values in the same trace."""
        return Traced(np.asarray(components[0]), self.trace)

    def lift(self, value: Array) -> Traced:
        """Plain numbers, rounded once."""
        return self.trace.lift(value)

    def compare(self, ufunc: np.ufunc, *operands: Traced) -> Array:
        """A comparison decides a branch: its outcome is a state."""
        outcome = ufunc(*(operand.value for operand in operands))
        self.trace.note(outcome)
        return outcome

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Traced:
        """The sum; one of its terms may absorb all others."""
        terms = self.value
        kept = self.trace.format.round(terms.sum(axis=axis, keepdims=True))
        is_absorbing = np.any(terms == kept, axis=axis, keepdims=keepdims)
        is_absorbing &= np.count_nonzero(terms, axis=axis, keepdims=keepdims) > 1
        value = kept if keepdims else kept.reshape(is_absorbing.shape)
        return self._noted(value, _ABSORBS_SECOND * is_absorbing)

    def largest(self, axis: int | None, keepdims: bool) -> Traced:
        """The maximum; the state is which element attains it."""
        top = self.value.max(axis=axis, keepdims=True)
        self.trace.note(self.value == top)
        value = self.value.max(axis=axis, keepdims=keepdims)
        return Traced(np.asarray(value), self.trace)

    def plus(self, other: Traced) -> Traced:
        """The sum of two."""
        return self._sum(other.value, np.add)

    def minus(self, other: Traced) -> Traced:
        """The difference."""
        return self._sum(other.value, np.subtract)

    def times(self, other: Traced) -> Traced:
        """The product."""
        return self._noted(self.value * other.value)

    def over(self, other: Traced) -> Traced:
        """The quotient."""
        return self._noted(self.value / other.value)

    def negated(self) -> Traced:
        """The opposite, which has no edge of its own."""
        return Traced(-self.value, self.trace)

    def magnitude(self) -> Traced:
        """The magnitude, whose branch is the sign of its operand."""
        self.trace.note(np.sign(self.value))
        return Traced(np.abs(self.value), self.trace)

    def exponential(self) -> Traced:
        """The exponential, which saturates at 1 as well as at 0 and beyond the range."""
        value = self.trace.format.round(np.exp(self.value))
        return self._noted(value, _ABSORBS_SECOND * (value == 1))

    def logarithm(self) -> Traced:
        """The logarithm."""
        return self._noted(np.log(self.value))

    def logarithm_of_one_plus(self) -> Traced:
        """The logarithm of one plus a number, which is the number itself where that is small."""
        value = self.trace.format.round(np.log1p(self.value))
        return self._noted(value, _ABSORBS_SECOND * (value == self.value))

    def square_root(self) -> Traced:
        """The square root."""
        return self._noted(np.sqrt(self.value))

    def to_the_power(self, exponent: Traced) -> Traced:
        """A power."""
        return self._noted(np.power(self.value, exponent.value))

    def arc_tangent(self) -> Traced:
        """The arc tangent."""
        return self._noted(np.arctan(self.value))

    def greater_of(self, other: Traced) -> Traced:
        """The greater of two; the state is which of them it is."""
        self.trace.note(self._compared(other.value))
        return Traced(np.maximum(self.value, other.value), self.trace)

    def signum(self) -> Traced:
        """-1, 0 or 1."""
        return self._noted(np.sign(self.value))

    def unit_step(self, at_zero: Traced) -> Traced:
        """0 below zero, 1 above."""
        self.trace.note(np.sign(self.value))
        return Traced(np.heaviside(self.value, at_zero.value), self.trace)

    def _sum(self, other: Float64Array, operation: Callable[..., Float64Array]) -> Traced:
        """A sum or a difference, one operand of which may absorb the other."""
        value = self.trace.format.round(operation(self.value, other))
        is_first = (value == self.value) & (other != 0)
        is_second = (np.abs(value) == np.abs(other)) & (self.value != 0)
        return self._noted(value, _ABSORBS_SECOND * is_first + _ABSORBS_FIRST * is_second)

    def _compared(self, other: Float64Array) -> npt.NDArray[Any]:
        return (self.value > other).astype(int) - (self.value < other)

    def _noted(self, value: Array, absorbed: Array = 0) -> Traced:
        rounded = self.trace.format.round(value)
        self.trace.note(_classes(rounded, self.trace.format) + absorbed)
        return Traced(rounded, self.trace)


def _classes(values: Float64Array, format: Format) -> npt.NDArray[Any]:
    """Nan, infinite, normal, subnormal or zero, with the sign."""
    magnitudes = np.abs(values)
    size = (magnitudes > 0).astype(int) + (magnitudes >= 2.0**format.smallest_exponent) + np.isinf(values)
    signed: npt.NDArray[Any] = np.where(np.isnan(values), -_ZERO, np.where(values < 0, -size, size))
    return _ZERO + signed

"""Error-carrying numbers: a value, and a bound on what honest arithmetic in a format may be off by.

Running the reference on these derives its own tolerance. The model is the standard one (Higham, 2002,
"Accuracy and Stability of Numerical Algorithms", section 2.2) to first order: a computed operation is off
by a relative unit roundoff u or by the format's underflow, errors pass on through the derivative, and

- exp, log, log1p, powers and the arc tangent are off by twice as much as the four operations and the
  square root (they are not correctly rounded);
- a sum of n terms adds (1 + ceil(log2 n)) u_acc sum|v|, for summation in blocks kept in at least float32;
- an operation that floating-point arithmetic does exactly (by 0 or 1, at log 1, ...) adds nothing.

A value beyond the format's range is an infinity in that format: what depends on it is marked with what may
come out in its place (see ``overflow``), and only that is excused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers import overflow, propagation
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.formats import Float64Array, Format
from lossproof.numbers.overflow import BoolArray, Marks
from lossproof.numbers.rules import followed_rules, roundings_of_a_sum


class Bounded(NumberArray):
    """An array of values, error bounds and overflow marks in one format.

    Attributes:
        value: float64 values.
        bound: the first-order bound on the error of each, not negative.
        format: the format whose arithmetic is bounded.
        marks: what may come out where an intermediate left the format's range; None where none has, which
            is what nearly all formulas yield and costs nothing to carry along.
    """

    def __init__(
        self, value: Float64Array, bound: Float64Array, format: Format, marks: Marks | None = None
    ) -> None:
        self.value = value
        self.bound = bound
        self.format = format
        self.marks = marks
        # What many an operation asks for is found out once.
        self._absolute: Float64Array | None = None
        self._is_certain: BoolArray | bool | None = None

    @property
    def absolute(self) -> Float64Array:
        """The magnitudes of the values."""
        if self._absolute is None:
            self._absolute = np.abs(self.value)
        return self._absolute

    @property
    def is_certain(self) -> BoolArray | bool:
        """Where there is no error; False if there is one everywhere."""
        if self._is_certain is None:
            is_certain = self.bound == 0
            self._is_certain = is_certain if np.count_nonzero(is_certain) else False
        return self._is_certain

    @property
    def overflows(self) -> Marks:
        """The marks, 0 for each number that no overflow can reach."""
        return np.zeros(self.value.shape, dtype=int) if self.marks is None else self.marks

    @classmethod
    def exact(cls, values: npt.ArrayLike, format: Format) -> Bounded:
        """Values without error, but for one rounding of those that the format cannot hold."""
        value = np.asarray(values, dtype=np.float64)
        rounded = format.round(value)
        inexact = np.isfinite(value) & (rounded != value)
        if not inexact.any():
            return cls(value, np.zeros(value.shape), format)
        # Among the subnormals one rounding is more than a unit roundoff. A number that would be rounded to
        # zero gets no such allowance: what is small and not zero (an eps) is there for a reason. Nor does one
        # beyond the range: a number of elements is divided by in a wider format.
        with np.errstate(invalid="ignore"):
            rounding = np.where((rounded == 0) | ~np.isfinite(rounded), 0.0, np.abs(rounded - value))
        rounding = np.maximum(format.unit_roundoff * np.abs(value), rounding)
        bound = np.where(inexact, rounding, 0.0)
        return cls(value, bound, format)

    @property
    def components(self) -> tuple[Array, ...]:
        return (self.value, self.bound) if self.marks is None else (self.value, self.bound, self.marks)

    def with_components(self, *components: Array) -> Bounded:
        value, bound, *marks = components
        return Bounded(np.asarray(value), np.asarray(bound), self.format, *map(np.asarray, marks))

    def alike(self, values: Sequence[Any]) -> list[Bounded]:
        """Numbers of this type that all carry marks, or none of them."""
        lifted = super().alike(values)
        if all(number.marks is None for number in lifted):
            return lifted
        return [Bounded(number.value, number.bound, number.format, number.overflows) for number in lifted]

    def lift(self, value: Array) -> Bounded:
        """Plain numbers, rounded once where the format cannot hold them."""
        if isinstance(value, float | int):
            return _constant(float(value), math.copysign(1.0, value), self.format)
        return Bounded.exact(value, self.format)

    def compare(self, ufunc: np.ufunc, *operands: Bounded) -> Array:
        return ufunc(*(operand.value for operand in operands))

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Bounded:
        """The sum, by the rule for blocked summation; exact where at most one term is not zero."""
        options: Any = {"axis": axis, "keepdims": keepdims}
        value = self.value.sum(**options)
        bound = self.bound.sum(**options)
        marks = overflow.of_total(self, axis, keepdims)
        terms = self.size // max(1, int(np.size(value)))
        if terms == 1:  # nothing is added up
            return Bounded(np.asarray(value), np.asarray(bound), self.format, marks)
        is_exact: BoolArray | bool = terms == 0
        if self.is_certain is not False:
            is_exact = ((self.value != 0) | (self.bound != 0)).sum(**options) <= 1
        magnitude = self.absolute.sum(**options)
        accumulator = self.format.accumulator
        if np.count_nonzero(magnitude <= accumulator.largest) < magnitude.size:
            operands = [overflow.largest_of(self.value, axis, keepdims)]
            marks = overflow.own_overflow(marks, value, accumulator, "the sum of numbers up to", operands)
            magnitude = propagation.finite(magnitude)
        accumulated = roundings_of_a_sum(terms) * accumulator.unit_roundoff * magnitude
        return self.rounded(value, bound + _unless(is_exact, accumulated), marks, is_exact)

    def largest(self, axis: int | None, keepdims: bool) -> Bounded:
        """The maximum: as far off as the most uncertain candidate."""
        options: Any = {"axis": axis, "keepdims": keepdims}
        value, bound = self.value.max(**options), self.bound.max(**options)
        return Bounded(value, bound, self.format, overflow.of_largest(self, axis, keepdims))

    def plus(self, other: Bounded) -> Bounded:
        value = self.value + other.value
        propagated = self.bound + other.bound
        is_exact = self.is_exactly(0.0) | other.is_exactly(0.0)
        if self.is_certain is not False and other.is_certain is not False:
            is_exact = is_exact | ((value == 0) & (propagated == 0))
        marks = overflow.of_sum(self, other)
        return self._operation("+", (self, other), value, propagated, marks, is_exact)

    def minus(self, other: Bounded) -> Bounded:
        return self.plus(other.negated())

    def times(self, other: Bounded) -> Bounded:
        value = self.value * other.value
        is_exact = self.is_exactly(-1.0, 0.0, 1.0) | other.is_exactly(-1.0, 0.0, 1.0)
        propagated, marks = propagation.of_product(self, other), overflow.of_product(self, other)
        return self._operation("*", (self, other), value, propagated, marks, is_exact)

    def over(self, other: Bounded) -> Bounded:
        value = self.value / other.value
        is_exact = self.is_exactly(0.0) | other.is_exactly(-1.0, 1.0)
        propagated, marks = propagation.of_quotient(self, other, value), overflow.of_quotient(self, other)
        pole = partial(other.is_exactly, 0.0)
        return self._operation("/", (self, other), value, propagated, marks, is_exact, pole)

    def negated(self) -> Bounded:
        opposite = Bounded(-self.value, self.bound, self.format, overflow.of_opposite(self))
        opposite._absolute, opposite._is_certain = self._absolute, self._is_certain
        return opposite

    def magnitude(self) -> Bounded:
        marks = overflow.of_growing(self, overflow.POSITIVE)
        return Bounded(self.absolute, self.bound, self.format, marks)

    def exponential(self) -> Bounded:
        value = np.exp(self.value)
        marks = overflow.of_growing(self, below=0)
        return self._function("exp", value, value * self.bound, marks, self.is_exactly(0.0, -np.inf))

    def logarithm(self) -> Bounded:
        marks = overflow.of_growing(self, overflow.UNDEFINED)
        propagated, pole = self.bound / self.absolute, partial(self.is_exactly, 0.0)
        return self._function("log", np.log(self.value), propagated, marks, self.is_exactly(1.0), pole)

    def logarithm_of_one_plus(self) -> Bounded:
        marks = overflow.of_growing(self, overflow.UNDEFINED)
        propagated, pole = self.bound / np.abs(1 + self.value), partial(self.is_exactly, -1.0)
        return self._function("log1p", np.log1p(self.value), propagated, marks, self.is_exactly(0.0), pole)

    def square_root(self) -> Bounded:
        """The square root, correctly rounded; exact at 0 and 1."""
        propagated = propagation.of_square_root(self)
        marks = overflow.of_growing(self, overflow.UNDEFINED)
        return self.rounded(np.sqrt(self.value), propagated, marks, self.is_exactly(0.0, 1.0, np.inf))

    def to_the_power(self, exponent: Bounded) -> Bounded:
        """A power of a base that is not negative, with a constant exponent."""
        value = np.power(self.value, exponent.value)
        slope = exponent.value * np.power(self.value, exponent.value - 1)
        is_exact = (
            exponent.is_exactly(0.0, 1.0)
            | self.is_exactly(1.0)
            | (self.is_exactly(0.0) & (exponent.value > 0))
        )
        marks = overflow.of_growing(self, overflow.UNDEFINED)
        propagated = propagation.scaled(slope, self.bound)
        power = self._function(
            "power", value, propagated, marks, is_exact, lambda: self.is_exactly(0.0) & (exponent.value < 0)
        )
        if power.marks is not None:
            # Of infinity, a power below 0 is 0.
            power.marks = np.where(exponent.value > 0, power.marks, power.marks & overflow.UNDEFINED)
        return power

    def arc_tangent(self) -> Bounded:
        propagated = self.bound / (1 + self.value * self.value)
        marks = overflow.of_bounded(self)
        return self.rounded(np.arctan(self.value), propagated, marks, self.is_exactly(0.0), roundings=2)

    def greater_of(self, other: Bounded) -> Bounded:
        bound, marks = propagation.of_greater(self, other), overflow.of_greater(self, other)
        return Bounded(np.maximum(self.value, other.value), bound, self.format, marks)

    def signum(self) -> Bounded:
        """-1, 0 or 1. Where the sign is in doubt, any subgradient between -1 and 1 is right.

        Twice the bound reaches them. What is exactly 0 has the sign 0.
        """
        value = np.sign(self.value)
        return self._with_freedom(value, np.where(value == 0, 0.5, 1.0))

    def unit_step(self, at_zero: Bounded) -> Bounded:
        """0 below zero, 1 above. Where the side is in doubt, any subgradient is right.

        Twice the bound reaches both ends, and a little beyond: a slope of 1 that is not the value's passes
        through the roundings of what it multiplies, which the first-order rules derive from a value of 0 as
        nothing. What is exactly zero stands at the kink in any computation: there it is ``at_zero``.
        """
        value = np.heaviside(self.value, at_zero.value)
        return self._with_freedom(value, np.asarray(0.5 + 4 * self.format.unit_roundoff))

    def _with_freedom(self, value: Float64Array, reach: Float64Array) -> Bounded:
        """A slope that is free, by as much as ``reach``, where this may be zero."""
        is_free = (self.absolute <= self.bound) & (self.bound > 0)
        if np.count_nonzero(is_free):
            rules = followed_rules()
            rules.freedoms.add("kink")
            is_free &= rules.kinks_are_free
        return Bounded(value, np.where(is_free, reach, 0.0), self.format, overflow.of_bounded(self))

    def rounded(
        self,
        value: Float64Array,
        propagated: Float64Array,
        marks: Marks | None,
        is_exact: BoolArray | bool,
        roundings: int = 1,
        own_overflow: Callable[[Marks | None], Marks | None] = lambda marks: marks,
    ) -> Bounded:
        """The result of an operation: its own roundings beside the errors that it passes on.

        Args:
            value: of the result.
            propagated: the errors passed on; of a value that is infinite or nan, they do not matter.
            marks: what the operands' marks come to.
            is_exact: where the operation itself has no error.
            roundings: how many its error amounts to elsewhere.
            own_overflow: adds the marks of values that leave the range; nobody asks if none can.
        """
        absolute = np.abs(value)
        rounding = roundings * self.format.unit_roundoff * absolute
        # In place, where this is an array: a large one costs more to make than to fill.
        rounding = np.maximum(rounding, self.format.underflow, out=rounding if rounding.ndim else None)
        bound = _unless(is_exact, rounding)
        bound += propagated
        is_in_range = absolute + bound <= self.format.largest
        is_certain = False if is_exact is False else None
        if np.count_nonzero(is_in_range) < is_in_range.size:
            marks = own_overflow(marks)
            # Nothing times an unbounded error is an unbounded error.
            bound = np.where(np.isnan(bound), np.inf, bound)
            # An infinite or undefined value has no error: it comes out or it does not.
            bound = np.where(np.isfinite(value), bound, 0.0)
            is_certain = None
        result = Bounded(np.asarray(value), np.asarray(bound), self.format, marks)
        result._absolute, result._is_certain = absolute, is_certain
        return result

    def derived(self, value: Float64Array, bound: Float64Array, axis: int) -> Bounded:
        """The result of a primitive along ``axis`` that has worked out its own error."""
        marks = overflow.of_norm(self, axis)
        operands = [overflow.largest_of(self.value, axis, True)]
        marks = overflow.own_overflow(marks, value, self.format, "the norm of numbers up to", operands)
        return Bounded(np.asarray(value), np.where(np.isfinite(value), bound, 0.0), self.format, marks)

    def is_exactly(self, *values: float) -> BoolArray | bool:
        """Where this is, without any error, one of ``values``; False if it is nowhere certain."""
        is_certain = self.is_certain
        if is_certain is False:
            return False
        if not self.value.shape:  # a constant, mostly
            return float(self.value) in values
        among = self.value == values[0]
        for value in values[1:]:
            among = among | (self.value == value)
        return np.asarray(is_certain & among)

    def _function(
        self,
        name: str,
        value: Float64Array,
        propagated: Float64Array,
        marks: Marks | None,
        is_exact: BoolArray | bool,
        pole: Callable[[], BoolArray | bool] = lambda: False,
    ) -> Bounded:
        """The result of a function that is not correctly rounded."""
        return self._operation(name, (self,), value, propagated, marks, is_exact, pole, roundings=2)

    def _operation(
        self,
        name: str,
        operands: Sequence[Bounded],
        value: Float64Array,
        propagated: Float64Array,
        marks: Marks | None,
        is_exact: BoolArray | bool,
        pole: Callable[[], BoolArray | bool] = lambda: False,
        roundings: int = 1,
    ) -> Bounded:
        def own_overflow(marks: Marks | None) -> Marks | None:
            values = [operand.value for operand in operands]
            return overflow.own_overflow(marks, value, self.format, name, values, pole())

        return self.rounded(value, propagated, marks, is_exact, roundings, own_overflow)


def _unless(is_exact: BoolArray | bool, error: Float64Array) -> Float64Array:
    """An error, 0 where the operation is exact."""
    return error if is_exact is False else np.where(is_exact, 0.0, error)


@lru_cache(maxsize=1024)
def _constant(value: float, sign: float, format: Format) -> Bounded:
    """The constants of formulas, lifted once; ``sign`` tells 0.0 from -0.0, which are equal keys."""
    return Bounded.exact(value, format)

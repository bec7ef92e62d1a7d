"""Numbers that remember how they came about: the worked steps of a formula, to be read.

Each element is a certified number and the term that it was computed by, over the numbers of the step before:
``-log(0.2689414)``, which is 1.313262.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers import terms
from lossproof.numbers.ball import Ball, ObjectArray
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.near import of_float
from lossproof.numbers.terms import Number, Operation, Operator, Term


def _elementwise(operator: Operator) -> Callable[..., Written]:
    """The method that applies an operator to each element."""

    def apply(*operands: Written) -> Written:
        operations = np.frompyfunc(lambda *terms: Operation(operator, terms), len(operands), 1)
        return Written(np.asarray(operations(*(operand.terms for operand in operands)), dtype=object))

    return apply


class Written(NumberArray):
    """An array of terms."""

    def __init__(self, terms: ObjectArray) -> None:
        self.terms = terms

    @classmethod
    def exact(cls, numbers: npt.ArrayLike) -> Written:
        """Numbers that are given, in float64."""
        return cls(_each(lambda number: Number(of_float(number)), np.asarray(numbers, np.float64)))

    @property
    def components(self) -> tuple[Array, ...]:
        return (self.terms,)

    def with_components(self, *components: Array) -> Written:
        return Written(np.asarray(components[0], dtype=object))

    def lift(self, value: Array) -> Written:
        return Written.exact(value)

    def as_numbers(self) -> Written:
        """The same as plain numbers, without their history."""
        return Written(_each(lambda term: term.number, self.terms))

    def compare(self, ufunc: np.ufunc, *operands: Written) -> Array:
        """Compare the true values, or raise Undecided where their balls overlap."""
        if len(operands) == 1:
            return ufunc(Ball(_each(lambda term: term.value.ball(), self.terms)))
        one, other = (operand.terms for operand in operands)
        sides = np.frompyfunc(_to_compare, 2, 2)(one, other)
        return ufunc(*(Ball(np.asarray(side, dtype=object)) for side in sides))

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Written:
        return self._reduced(terms.SUM, axis, keepdims)

    def largest(self, axis: int | None, keepdims: bool) -> Written:
        return self._reduced(terms.LARGEST, axis, keepdims)

    def log_sum_exp(self, axis: int) -> Written:
        """The logarithm of a sum of exponentials; of nothing but minus infinities it is minus infinity."""
        return self._reduced(terms.LOG_SUM_EXP, axis, keepdims=False)

    plus = _elementwise(terms.SUM)
    minus = _elementwise(terms.DIFFERENCE)
    times = _elementwise(terms.PRODUCT)
    over = _elementwise(terms.QUOTIENT)
    to_the_power = _elementwise(terms.POWER)
    greater_of = _elementwise(terms.LARGEST)
    lesser_of = _elementwise(terms.LEAST)
    negated = _elementwise(terms.OPPOSITE)
    magnitude = _elementwise(terms.MAGNITUDE)
    exponential = _elementwise(terms.EXPONENTIAL)
    logarithm = _elementwise(terms.LOGARITHM)
    logarithm_of_one_plus = _elementwise(terms.LOGARITHM_OF_ONE_PLUS)
    square_root = _elementwise(terms.SQUARE_ROOT)
    arc_tangent = _elementwise(terms.ARC_TANGENT)
    signum = _elementwise(terms.SIGN)
    unit_step = _elementwise(terms.STEP)

    def _reduced(self, operator: Operator, axis: int | tuple[int, ...] | None, keepdims: bool) -> Written:
        # Of a number without dimensions NumPy takes the sum along any.
        axes = range(self.ndim) if axis is None or not self.ndim else np.atleast_1d(axis) % self.ndim
        last = [int(place) for place in axes]
        kept = [place for place in range(self.ndim) if place not in last]
        shape = [self.shape[place] for place in kept]
        rows = self.terms.transpose(kept + last).reshape(math.prod(shape), -1 if self.size else 0)
        results = np.empty(len(rows), dtype=object)
        for place, row in enumerate(rows):
            results[place] = _reduction(operator, row.tolist())
        whole = [1 if place in last else size for place, size in enumerate(self.shape)]
        return Written(results.reshape(whole if keepdims else shape))


def _reduction(operator: Operator, operands: list[Term]) -> Term:
    if not operands:
        return Number(operator.compute())
    if len(operands) == 1 and operator is not terms.LOG_SUM_EXP:
        return operands[0]
    return Operation(operator, operands)


_ZERO = of_float(0.0).ball()


def _to_compare(one: Term, other: Term) -> tuple[object, object]:
    """Balls that compare as the numbers do; of rational numbers the difference is exact."""
    if one.value.is_finite and other.value.is_finite:
        return (one.value - other.value).ball(), _ZERO
    return one.value.ball(), other.value.ball()


def _each(function: Callable[[Any], Any], elements: npt.NDArray[Any]) -> ObjectArray:
    return np.asarray(np.frompyfunc(function, 1, 1)(elements), dtype=object)

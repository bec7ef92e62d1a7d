"""Numbers that remember how they came about, to be read: the worked steps of a formula.

Each element is a float64 number and the expression that it was computed by, over the numbers of the step
before: ``-log(0.2689414) = 1.313262``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.formats import Float64Array

_DIGITS = 7
# A longer operand stands as its number, so that no line outgrows the eye.
_LONGEST_OPERAND = 60
# A longer sum is shown by its first terms and its last.
_MOST_TERMS = 8

# How strongly an expression holds together, the weakest first.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)


@dataclass(frozen=True, slots=True)
class Expression:
    """A text, and how strongly it holds together."""

    text: str
    strength: int

    def within(self, strength: int) -> str:
        """The text, in parentheses where its surroundings hold more strongly."""
        return self.text if self.strength >= strength else f"({self.text})"


def numeral(number: float) -> str:
    """A number as worked steps print it: seven significant digits.

    >>> numeral(1.0), numeral(-0.31326168), numeral(1e-30), numeral(-0.0)
    ('1', '-0.3132617', '1e-30', '0')
    """
    return f"{number + 0.0:.{_DIGITS}g}"  # the sum of -0 and 0 is 0: a sign that only floats have


class Written(NumberArray):
    """An array of float64 numbers and of their expressions."""

    def __init__(self, numbers: Float64Array, expressions: npt.NDArray[Any]) -> None:
        self.numbers = numbers
        self.expressions = expressions

    @classmethod
    def exact(cls, numbers: npt.ArrayLike) -> Written:
        """Numbers that are given."""
        numbers = np.asarray(numbers, dtype=np.float64)
        return cls(numbers, _elementwise(_leaf, numbers))

    @property
    def components(self) -> tuple[Array, ...]:
        """The numbers and the expressions."""
        return self.numbers, self.expressions

    def with_components(self, *components: Array) -> Written:
        """Other numbers and expressions."""
        return Written(*map(np.asarray, components))

    def lift(self, value: Array) -> Written:
        """Numbers that are given."""
        return Written.exact(value)

    def compare(self, ufunc: np.ufunc, *operands: Written) -> Array:
        """Compare the numbers."""
        return ufunc(*(operand.numbers for operand in operands))

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Written:
        """The sum."""
        return self._reduced(np.sum(self.numbers, axis=axis, keepdims=keepdims), axis, keepdims, _sum)

    def largest(self, axis: int | None, keepdims: bool) -> Written:
        """The maximum."""
        numbers = np.max(self.numbers, axis=axis, keepdims=keepdims)
        return self._reduced(numbers, axis, keepdims, lambda terms: _named("max", terms))

    def log_sum_exp(self, axis: int) -> Written:
        """The logarithm of a sum of exponentials; of nothing but minus infinities it is minus infinity."""
        numbers = np.logaddexp.reduce(self.numbers, axis=axis)
        return self._reduced(numbers, axis, False, lambda terms: _named("log-sum-exp", terms))

    def plus(self, other: Written) -> Written:
        """The sum of two."""
        return self._with(other, np.add, lambda one, two: _sum([one, two]))

    def minus(self, other: Written) -> Written:
        """The difference."""
        return self._with(
            other,
            np.subtract,
            lambda one, two: Expression(f"{one.within(_SUM)} - {_subtracted(two)}", _SUM),
        )

    def times(self, other: Written) -> Written:
        """The product."""
        return self._with(
            other,
            np.multiply,
            lambda one, two: Expression(f"{_factor(one)} * {two.within(_POWER)}", _PRODUCT),
        )

    def over(self, other: Written) -> Written:
        """The quotient."""
        return self._with(
            other,
            np.true_divide,
            lambda one, two: Expression(f"{_factor(one)} / {two.within(_POWER)}", _PRODUCT),
        )

    def to_the_power(self, exponent: Written) -> Written:
        """A power."""
        return self._with(
            exponent,
            np.power,
            lambda one, two: Expression(f"{one.within(_ATOM)}^{two.within(_ATOM)}", _POWER),
        )

    def greater_of(self, other: Written) -> Written:
        """The greater of two."""
        return self._with(other, np.maximum, lambda one, two: _named("max", [one, two]))

    def lesser_of(self, other: Written) -> Written:
        """The lesser of two."""
        return self._with(other, np.minimum, lambda one, two: _named("min", [one, two]))

    def negated(self) -> Written:
        """The opposite."""
        return self._mapped(np.negative, lambda one: Expression(f"-{one.within(_POWER)}", _SIGN))

    def magnitude(self) -> Written:
        """The absolute value."""
        return self._mapped(np.absolute, lambda one: Expression(f"|{one.text}|", _ATOM))

    def exponential(self) -> Written:
        """The exponential."""
        return self._mapped(np.exp, lambda one: _named("exp", [one]))

    def logarithm(self) -> Written:
        """The natural logarithm."""
        return self._mapped(np.log, lambda one: _named("log", [one]))

    def logarithm_of_one_plus(self) -> Written:
        """The natural logarithm of 1 + x."""
        return self._mapped(np.log1p, lambda one: Expression(f"log({_sum([_ONE, one]).text})", _ATOM))

    def square_root(self) -> Written:
        """The square root."""
        return self._mapped(np.sqrt, lambda one: _named("sqrt", [one]))

    def arc_tangent(self) -> Written:
        """The arc tangent."""
        return self._mapped(np.arctan, lambda one: _named("arctan", [one]))

    def signum(self) -> Written:
        """-1, 0 or 1."""
        return self._mapped(np.sign, lambda one: _named("sign", [one]))

    def unit_step(self, at_zero: Written) -> Written:
        """0 below zero and 1 above."""
        return self._with(at_zero, np.heaviside, lambda one, two: _named("step", [one]))

    def _mapped(self, ufunc: np.ufunc, write: Callable[[Expression], Expression]) -> Written:
        numbers = np.asarray(ufunc(self.numbers))
        return Written(
            numbers, _elementwise(lambda one, x: write(_brief(one, x)), self.expressions, self.numbers)
        )

    def _with(
        self,
        other: Written,
        ufunc: np.ufunc,
        write: Callable[[Expression, Expression], Expression],
    ) -> Written:
        operands = np.broadcast_arrays(self.expressions, self.numbers, other.expressions, other.numbers)
        expressions = _elementwise(lambda one, x, two, y: write(_brief(one, x), _brief(two, y)), *operands)
        return Written(np.asarray(ufunc(self.numbers, other.numbers)), expressions)

    def _reduced(
        self,
        numbers: Array,
        axis: int | tuple[int, ...] | None,
        keepdims: bool,
        write: Callable[[Sequence[Expression]], Expression],
    ) -> Written:
        numbers = np.asarray(numbers)
        # Of a number without dimensions NumPy takes the sum along any.
        axes = range(self.ndim) if axis is None or not self.ndim else np.atleast_1d(axis) % self.ndim
        last = [int(place) for place in axes]
        kept = [place for place in range(self.ndim) if place not in last]
        briefs = _elementwise(_brief, self.expressions, self.numbers).transpose(kept + last)
        shape = [self.shape[place] for place in kept]
        rows = (
            briefs.reshape(math.prod(shape), -1) if briefs.size else np.empty((math.prod(shape), 0), object)
        )
        expressions = np.empty(len(rows), object)
        for place, row in enumerate(rows):
            expressions[place] = write(list(row))
        return Written(numbers, expressions.reshape(numbers.shape))


_ONE = Expression("1", _ATOM)


def _leaf(number: float) -> Expression:
    text = numeral(number)
    return Expression(text, _SIGN if text.startswith("-") else _ATOM)


def _brief(expression: Expression, number: float) -> Expression:
    return expression if len(expression.text) <= _LONGEST_OPERAND else _leaf(number)


def _factor(expression: Expression) -> str:
    return expression.within(_POWER if expression.text.startswith("-") else _PRODUCT)


def _subtracted(expression: Expression) -> str:
    text = expression.within(_PRODUCT)
    return f"({text})" if text.startswith("-") else text


def _sum(terms: Sequence[Expression]) -> Expression:
    if len(terms) == 1:
        return terms[0]
    if not terms:
        return Expression("0", _ATOM)
    shown = [term.within(_SUM) for term in _ends(terms)]
    text = shown[0]
    for term in shown[1:]:
        text += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return Expression(text + _how_many(terms), _SUM)


def _named(function: str, terms: Sequence[Expression]) -> Expression:
    if len(terms) == 1 and function in ("max", "min"):
        return terms[0]
    return Expression(f"{function}({', '.join(term.text for term in _ends(terms))}{_how_many(terms)})", _ATOM)


def _ends(terms: Sequence[Expression]) -> list[Expression]:
    if len(terms) <= _MOST_TERMS:
        return list(terms)
    return [*terms[: _MOST_TERMS - 2], Expression("...", _ATOM), terms[-1]]


def _how_many(terms: Sequence[Expression]) -> str:
    return f" ({len(terms)} terms)" if len(terms) > _MOST_TERMS else ""


def _elementwise(function: Callable[..., Expression], *arrays: Array) -> npt.NDArray[Any]:
    """Expressions, an element each; ``numpy.vectorize`` would guess at types and choke on empty arrays."""
    shape = np.shape(arrays[0])
    made = np.empty(math.prod(shape), object)
    for place, operands in enumerate(zip(*(array.ravel().tolist() for array in arrays), strict=True)):
        made[place] = function(*operands)
    return made.reshape(shape)

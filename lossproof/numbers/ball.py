"""Balls: numbers with a proven radius, on Arb (Johansson, 2017) by way of python-flint.

A loss that runs on balls yields its true value to as many digits as asked for. Infinities and nan follow
IEEE 754 where Arb only says "undefined": log 0 is minus infinity, 1 / 0 is infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import flint
import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array, NumberArray

Result = TypeVar("Result")
ObjectArray = npt.NDArray[np.object_]

_FIRST_PRECISION = 192  # bits: 50 digits, and room for the cancellation of ordinary cases
_LAST_PRECISION = 1 << 15

_ZERO = flint.arb(0)
_NAN = flint.arb("nan")
_INFINITY = flint.arb("inf")


class Undecided(ArithmeticError):
    """A comparison that these radii cannot decide; the remedy is more precision."""


def certified(
    compute: Callable[[], Result], accept: Callable[[Result], bool] = lambda result: True
) -> Result:
    """Run ``compute`` on balls, at doubling precision until every comparison is decided and ``accept`` holds.

    Raises:
        Undecided: when even the last precision does not suffice, as for a comparison of equal irrationals.
    """
    precision = _FIRST_PRECISION
    while True:
        with flint.ctx.workprec(precision):
            try:
                result = compute()
                if accept(result):
                    return result
            except Undecided:
                if precision >= _LAST_PRECISION:
                    raise
        if precision >= _LAST_PRECISION:
            raise Undecided(f"{precision} bits do not suffice")
        precision *= 2


def precision() -> int:
    """The bits that balls are computed with."""
    return int(flint.ctx.prec)


def quotient(x: flint.arb, y: flint.arb) -> flint.arb:
    """The quotient of two balls, infinite where the divisor is exactly zero."""
    if y == 0:
        return _NAN if x.is_nan() or x == 0 else sign(x) * _INFINITY
    return _decided(x / y, x, y)


def logarithm(x: flint.arb) -> flint.arb:
    """The natural logarithm of a ball, minus infinity at exactly zero."""
    if x == 0:
        return -_INFINITY
    return _decided(x.log(), x)


def logarithm_of_one_plus(x: flint.arb) -> flint.arb:
    """The natural logarithm of 1 + x, minus infinity at exactly -1."""
    if x == -1:
        return -_INFINITY
    return _decided(x.log1p(), x)


def _decided(result: flint.arb, *operands: flint.arb) -> flint.arb:
    """Arb answers nan for a ball that reaches out of the domain: only exact operands may keep it."""
    if not result.is_nan():
        return result
    if any(operand.is_nan() for operand in operands):
        return _NAN
    if not all(operand.is_exact() for operand in operands):
        raise Undecided("a logarithm, a quotient or a root at a ball that holds zero")
    return _NAN


def square_root(x: flint.arb) -> flint.arb:
    """The square root of a ball."""
    return _decided(x.sqrt(), x)


def power(x: flint.arb, exponent: flint.arb) -> flint.arb:
    """A power of a ball that is not negative."""
    if x == 0 and not exponent.is_nan():
        return flint.arb(1) if exponent == 0 else _ZERO if exponent > 0 else _INFINITY
    # Arb takes nan to the power of 0 for 1.
    return _NAN if x.is_nan() or exponent.is_nan() else _decided(x**exponent, x, exponent)


def _maximum(x: flint.arb, y: flint.arb) -> flint.arb:
    if x.is_nan() or y.is_nan():
        return _NAN
    # Arb's own maximum of an infinite and a finite number is a ball of everything.
    return x if x >= y else y if y >= x else x.max(y)


def sign(x: flint.arb) -> flint.arb:
    """-1, 0 or 1."""
    if x.is_nan():
        return _NAN
    if x > 0:
        return flint.arb(1)
    if x < 0:
        return flint.arb(-1)
    if x == 0:
        return _ZERO
    raise Undecided("the sign of a ball that holds zero")


def fraction_of(x: flint.arb) -> Fraction:
    """The value of a finite ball of radius zero."""
    mantissa, exponent = x.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _heaviside(x: flint.arb, at_zero: flint.arb) -> flint.arb:
    side = sign(x)
    return at_zero if side == 0 else (side + 1) / 2


def _less(x: flint.arb, y: flint.arb) -> bool:
    if x < y:
        return True
    if x >= y or x.is_nan() or y.is_nan():
        return False
    raise Undecided("x < y of overlapping balls")


def _equal(x: flint.arb, y: flint.arb) -> bool:
    if x == y:
        return True
    if x != y or x.is_nan() or y.is_nan():
        return False
    raise Undecided("x == y of overlapping balls")


def _less_equal(x: flint.arb, y: flint.arb) -> bool:
    return not (x.is_nan() or y.is_nan()) and not _less(y, x)


_DECISIONS: dict[np.ufunc, Callable[..., bool]] = {
    np.less: _less,
    np.less_equal: _less_equal,
    np.greater: lambda x, y: _less(y, x),
    np.greater_equal: lambda x, y: _less_equal(y, x),
    np.equal: _equal,
    np.not_equal: lambda x, y: not _equal(x, y),
    np.isnan: flint.arb.is_nan,
    np.isinf: lambda x: not x.is_finite() and not x.is_nan(),
    np.isfinite: flint.arb.is_finite,
}


def _remainder(x: flint.arb, high: float) -> float:
    return float(x.mid() - high) if x.is_finite() and math.isfinite(high) else 0.0


def _radius(x: flint.arb) -> float:
    return float(x.rad().upper()) if x.is_finite() else 0.0


def _each(function: Callable[..., Any]) -> Callable[..., ObjectArray]:
    """``function`` on each element; unlike ``np.vectorize`` also on empty and 0-d arrays."""

    def apply(*arrays: Any) -> ObjectArray:
        return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)

    return apply


def _elementwise(function: Callable[..., ObjectArray]) -> Callable[..., Ball]:
    """The method that applies a function to the objects of balls."""

    def apply(*operands: Ball) -> Ball:
        return Ball(np.asarray(function(*(operand.elements for operand in operands)), dtype=object))

    return apply


class Ball(NumberArray):
    """An array of real balls, each holding the true value; ``elements`` holds ``flint.arb`` objects."""

    def __init__(self, elements: ObjectArray) -> None:
        self.elements = elements

    @classmethod
    def exact(cls, values: npt.ArrayLike) -> Ball:
        """Balls of radius zero around float64 values."""
        return cls(_each(flint.arb)(np.asarray(values, dtype=np.float64).astype(object)))

    @classmethod
    def of_fractions(cls, values: list[Fraction | float], shape: tuple[int, ...]) -> Ball:
        """The tightest balls around exact fractions; floats stand for nan and the infinities."""
        elements = np.empty(len(values), dtype=object)
        for place, value in enumerate(values):
            elements[place] = flint.arb(
                flint.fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else value
            )
        return cls(elements.reshape(shape))

    @property
    def components(self) -> tuple[Array, ...]:
        return (self.elements,)

    def with_components(self, *components: Array) -> Ball:
        return Ball(np.asarray(components[0], dtype=object))

    def lift(self, value: Array) -> Ball:
        return Ball.exact(value)

    def compare(self, ufunc: np.ufunc, *operands: Ball) -> Array:
        """Compare, or raise Undecided where the balls overlap."""
        decided = _each(_DECISIONS[ufunc])(*(operand.elements for operand in operands))
        return np.asarray(decided, dtype=bool)

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Ball:
        """The sum; of no elements, an exact zero."""
        options: dict[str, Any] = {"axis": axis, "keepdims": keepdims, "initial": _ZERO}
        total = np.add.reduce(self.elements, **options)
        return Ball(np.asarray(total, dtype=object))

    def largest(self, axis: int | None, keepdims: bool) -> Ball:
        """The maximum; nan where any element is."""
        largest = np.frompyfunc(_maximum, 2, 1).reduce(self.elements, axis=axis, keepdims=keepdims)
        return Ball(np.asarray(largest, dtype=object))

    plus = _elementwise(np.add)
    minus = _elementwise(np.subtract)
    times = _elementwise(np.multiply)
    over = _elementwise(_each(quotient))
    negated = _elementwise(np.negative)
    magnitude = _elementwise(np.absolute)
    exponential = _elementwise(_each(flint.arb.exp))
    logarithm = _elementwise(_each(logarithm))
    logarithm_of_one_plus = _elementwise(_each(logarithm_of_one_plus))
    square_root = _elementwise(_each(square_root))
    to_the_power = _elementwise(_each(power))
    arc_tangent = _elementwise(_each(flint.arb.atan))
    greater_of = _elementwise(_each(_maximum))
    signum = _elementwise(_each(sign))
    unit_step = _elementwise(_each(_heaviside))

    def midpoints(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The midpoints as unevaluated sums of two float64 numbers, the second being the remainder."""
        high = np.asarray(_each(float)(self.elements), dtype=np.float64)
        low = np.asarray(_each(_remainder)(self.elements, high.astype(object)), dtype=np.float64)
        return high, low

    def radii(self) -> npt.NDArray[np.float64]:
        """Upper bounds of the radii; 0 for nan and the infinities, which are exact here."""
        return np.asarray(_each(_radius)(self.elements), dtype=np.float64)

"""Dual numbers: a value and its derivative along a direction, without any gradient code.

Over balls they prove the closed-form gradients of the reference, and run on a closed-form gradient they
give second derivatives.
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array, NumberArray


class Dual(NumberArray):
    """An array x + x' e with e^2 = 0; ``real`` and ``tangent`` are arrays of any other number type."""

    rank = 1

    def __init__(self, real: Array, tangent: Array) -> None:
        self.real = real
        self.tangent = tangent

    @property
    def components(self) -> tuple[Array, ...]:
        return self.real, self.tangent

    def with_components(self, *components: Array) -> Dual:
        return Dual(*components)

    def lift(self, value: Array) -> Dual:
        real = value if isinstance(value, NumberArray) else self.real.lift(value)
        return Dual(real, np.zeros_like(real))

    def compare(self, ufunc: np.ufunc, *operands: Dual) -> Array:
        return ufunc(*(operand.real for operand in operands))

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> Dual:
        return Dual(*(np.sum(part, axis=axis, keepdims=keepdims) for part in self.components))

    def largest(self, axis: int | None, keepdims: bool) -> Dual:
        """The maximum, with the mean derivative of those that attain it: a subgradient."""
        top = np.max(self.real, axis=axis, keepdims=True)
        attains = self.real == top
        count = np.sum(attains, axis=axis, keepdims=True)
        tangent = np.sum(np.where(attains, self.tangent, 0.0), axis=axis, keepdims=True) / count
        if keepdims:
            return Dual(top, tangent)
        return Dual(np.squeeze(top, axis), np.squeeze(tangent, axis))

    def plus(self, other: Dual) -> Dual:
        return Dual(self.real + other.real, self.tangent + other.tangent)

    def minus(self, other: Dual) -> Dual:
        return Dual(self.real - other.real, self.tangent - other.tangent)

    def times(self, other: Dual) -> Dual:
        return Dual(self.real * other.real, self.real * other.tangent + self.tangent * other.real)

    def over(self, other: Dual) -> Dual:
        quotient = self.real / other.real
        return Dual(quotient, (self.tangent - quotient * other.tangent) / other.real)

    def negated(self) -> Dual:
        return Dual(-self.real, -self.tangent)

    def magnitude(self) -> Dual:
        """The absolute value, with derivative 0 at 0."""
        return Dual(np.abs(self.real), np.sign(self.real) * self.tangent)

    def exponential(self) -> Dual:
        value = np.exp(self.real)
        return Dual(value, value * self.tangent)

    def logarithm(self) -> Dual:
        return Dual(np.log(self.real), self.tangent / self.real)

    def logarithm_of_one_plus(self) -> Dual:
        return Dual(np.log1p(self.real), self.tangent / (1 + self.real))

    def square_root(self) -> Dual:
        """The square root, with derivative 0 where its argument is a constant zero."""
        root = np.sqrt(self.real)
        slope = np.where(self.tangent == 0, 0.0, self.tangent / (2 * root))
        return Dual(root, slope)

    def to_the_power(self, exponent: Dual) -> Dual:
        slope = exponent.real * np.power(self.real, exponent.real - 1)
        return Dual(np.power(self.real, exponent.real), slope * self.tangent)

    def arc_tangent(self) -> Dual:
        return Dual(np.arctan(self.real), self.tangent / (1 + self.real * self.real))

    def greater_of(self, other: Dual) -> Dual:
        """The greater of two; of equals, the first."""
        first = self.real >= other.real
        return Dual(np.maximum(self.real, other.real), np.where(first, self.tangent, other.tangent))

    def signum(self) -> Dual:
        """-1, 0 or 1, a constant wherever it has a derivative."""
        return Dual(np.sign(self.real), np.zeros_like(self.tangent))

    def unit_step(self, at_zero: Dual) -> Dual:
        """0 below zero and 1 above, a constant wherever it has a derivative."""
        return Dual(np.heaviside(self.real, at_zero.real), np.zeros_like(self.tangent))

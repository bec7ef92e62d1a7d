"""Complex numbers, as pairs of any other numbers.

torch gives the gradient of a real loss by a complex number as the pair of its derivatives by the real and
the imaginary part, written as one complex number: so no rule of complex analysis is needed here.
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array, NumberArray


class ComplexPair(NumberArray):
    """An array of complex numbers; ``real`` and ``imaginary`` are arrays of any other kind of number."""

    rank = 2

    def __init__(self, real: Array, imaginary: Array) -> None:
        self.real = real
        self.imaginary = imaginary

    @property
    def components(self) -> tuple[Array, ...]:
        return self.real, self.imaginary

    def with_components(self, *components: Array) -> ComplexPair:
        return ComplexPair(*components)

    def lift(self, value: Array) -> ComplexPair:
        real = value
        if isinstance(self.real, NumberArray) and not isinstance(value, NumberArray):
            real = self.real.lift(value)
        return ComplexPair(real, np.zeros_like(real))

    def compare(self, ufunc: np.ufunc, *operands: ComplexPair) -> Array:
        """Equality; complex numbers have no order, so that any other comparison is a TypeError."""
        if ufunc not in (np.equal, np.not_equal):
            raise TypeError(f"complex numbers do not define numpy.{ufunc.__name__}")
        first, second = operands
        is_same = (first.real == second.real) & (first.imaginary == second.imaginary)
        return is_same if ufunc is np.equal else ~is_same

    def total(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> ComplexPair:
        return ComplexPair(*(np.sum(part, axis=axis, keepdims=keepdims) for part in self.components))

    def plus(self, other: ComplexPair) -> ComplexPair:
        return ComplexPair(self.real + other.real, self.imaginary + other.imaginary)

    def minus(self, other: ComplexPair) -> ComplexPair:
        return ComplexPair(self.real - other.real, self.imaginary - other.imaginary)

    def times(self, other: ComplexPair) -> ComplexPair:
        return ComplexPair(
            self.real * other.real - self.imaginary * other.imaginary,
            self.real * other.imaginary + self.imaginary * other.real,
        )

    def over(self, other: ComplexPair) -> ComplexPair:
        """The quotient by real numbers; no gradient divides by others, which are a TypeError."""
        if np.any(other.imaginary != 0):
            raise TypeError("complex numbers are divided by real numbers only")
        return ComplexPair(self.real / other.real, self.imaginary / other.real)

    def negated(self) -> ComplexPair:
        return ComplexPair(-self.real, -self.imaginary)

    def magnitude(self) -> Array:
        return np.sqrt(self.real * self.real + self.imaginary * self.imaginary)

    def signum(self) -> ComplexPair:
        """The number of magnitude 1 in the same direction; for 0 it is 0."""
        magnitude = self.magnitude()
        divisor = np.where(magnitude == 0, 1.0, magnitude)
        return ComplexPair(self.real / divisor, self.imaginary / divisor)


def real_part(values: Array) -> Array:
    """The real parts of complex numbers; others as they are."""
    return values.real if isinstance(values, ComplexPair) else values


def as_real(values: Array) -> Array:
    """Complex numbers as real ones (..., 2), as torch.view_as_real gives them; others as they are."""
    return np.stack(values.components, axis=-1) if isinstance(values, ComplexPair) else values

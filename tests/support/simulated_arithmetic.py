"""Honest arithmetic in a narrow format: numbers that round after every operation, as a processor does."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.formats import FORMATS, Float64Array, Format


class Simulated(NumberArray):
    """Values of one format; whatever is computed is rounded to it at once, and sums are kept in float32."""

    def __init__(self, value: Float64Array, format: Format) -> None:
        self.value = value
        self.format = format

    @property
    def components(self) -> tuple[Array, ...]:
        return (self.value,)

    def with_components(self, *components: Array) -> Simulated:
        return Simulated(np.asarray(components[0]), self.format)

    def lift(self, value: Array) -> Simulated:
        return Simulated(self.format.round(value), self.format)

    def compare(self, ufunc: np.ufunc, *operands: Simulated) -> Array:
        return ufunc(*(operand.value for operand in operands))

    def total(self, axis: Any, keepdims: bool) -> Simulated:
        if self.format is FORMATS["float64"]:
            return self.lift(np.sum(self.value, axis=axis, keepdims=keepdims))
        return self.lift(np.sum(self.value.astype(np.float32), axis=axis, keepdims=keepdims))

    def largest(self, axis: int | None, keepdims: bool) -> Simulated:
        return self.lift(np.max(self.value, axis=axis, keepdims=keepdims))

    def plus(self, other: Simulated) -> Simulated:
        return self.lift(self.value + other.value)

    def minus(self, other: Simulated) -> Simulated:
        return self.lift(self.value - other.value)

    def times(self, other: Simulated) -> Simulated:
        return self.lift(self.value * other.value)

    def over(self, other: Simulated) -> Simulated:
        return self.lift(self.value / other.value)

    def negated(self) -> Simulated:
        return self.lift(-self.value)

    def magnitude(self) -> Simulated:
        return self.lift(np.abs(self.value))

    def exponential(self) -> Simulated:
        return self.lift(np.exp(self.value))

    def logarithm(self) -> Simulated:
        return self.lift(np.log(self.value))

    def logarithm_of_one_plus(self) -> Simulated:
        return self.lift(np.log1p(self.value))

    def greater_of(self, other: Simulated) -> Simulated:
        return self.lift(np.maximum(self.value, other.value))

    def signum(self) -> Simulated:
        return self.lift(np.sign(self.value))

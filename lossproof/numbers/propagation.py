"""How far errors of the operands put the result of an operation off, to first order.

No error stays none, whatever it is multiplied or divided by; an infinite result has none either, since it
comes out or it does not.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from lossproof.numbers.formats import Float64Array


class Uncertain(Protocol):
    """Numbers with bounds on their errors."""

    value: Float64Array
    bound: Float64Array

    @property
    def absolute(self) -> Float64Array:
        """The magnitudes of the values."""
        ...


def of_product(first: Uncertain, second: Uncertain) -> Float64Array:
    """Of the product; the second order counts where a factor is all error, as a step is at its kink."""
    propagated = first.absolute * second.bound
    propagated += second.absolute * first.bound
    all_error = (first.bound > first.absolute) | (second.bound > second.absolute)
    if np.count_nonzero(all_error):
        propagated = propagated + np.where(all_error, 2 * first.bound * second.bound, 0.0)
    return propagated


def of_quotient(dividend: Uncertain, divisor: Uncertain, quotient: Float64Array) -> Float64Array:
    """Of the quotient; unbounded where the divisor's sign is in doubt."""
    propagated = (dividend.bound + np.abs(quotient) * divisor.bound) / divisor.absolute
    is_in_doubt = (divisor.bound >= divisor.absolute) & (divisor.bound > 0)
    return np.where(is_in_doubt, np.inf, propagated) if np.count_nonzero(is_in_doubt) else propagated


def of_square_root(number: Uncertain) -> Float64Array:
    """Of the square root, whose derivative is infinite at zero: the difference of the roots at both ends."""
    value, bound = number.value, number.bound
    below = np.sqrt(value) - np.sqrt(np.maximum(value - bound, 0.0))
    above = bound / (np.sqrt(value + bound) + np.sqrt(value))  # without cancellation
    return np.where(bound == 0, 0.0, np.maximum(below, above))


def of_greater(first: Uncertain, second: Uncertain) -> Float64Array:
    """Of the greater of two; where the bounds leave it open, as far off as the worse."""
    first_wins = first.value - first.bound > second.value + second.bound
    second_wins = second.value - second.bound > first.value + first.bound
    worse = np.maximum(first.bound, second.bound)
    return np.where(first_wins, first.bound, np.where(second_wins, second.bound, worse))


def scaled(factor: Float64Array, bound: Float64Array) -> Float64Array:
    """|factor| bound."""
    if not np.count_nonzero(bound):
        return bound
    product = np.abs(factor) * bound
    if math.isfinite(product.sum()):  # and so is each
        return product
    return np.where(bound == 0, 0.0, np.abs(finite(factor)) * bound)


def finite(values: Float64Array) -> Float64Array:
    """The values, 0 for those that are not finite."""
    return np.where(np.isfinite(values), values, 0.0)

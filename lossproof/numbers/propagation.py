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


def of_product(first: Uncertain, second: Uncertain) -> Float64Array:
    """Of the product; the second order counts where a factor is all error, as a step is at its kink."""
    propagated = scaled(first.value, second.bound) + scaled(second.value, first.bound)
    all_error = (first.bound > np.abs(first.value)) | (second.bound > np.abs(second.value))
    if np.count_nonzero(all_error):
        propagated = propagated + np.where(all_error, scaled(2 * first.bound, second.bound), 0.0)
    return propagated


def of_quotient(dividend: Uncertain, divisor: Uncertain) -> Float64Array:
    """Of the quotient; unbounded where the divisor's sign is in doubt."""
    magnitude = np.abs(divisor.value)
    propagated = (dividend.bound + scaled(dividend.value / divisor.value, divisor.bound)) / magnitude
    return np.where((divisor.bound > 0) & (divisor.bound >= magnitude), np.inf, propagated)


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


def divided(bound: Float64Array, divisor: Float64Array) -> Float64Array:
    """Bound / |divisor|."""
    return np.where(bound == 0, 0.0, bound / np.abs(divisor))


def finite(values: Float64Array) -> Float64Array:
    """The values, 0 for those that are not finite."""
    return np.where(np.isfinite(values), values, 0.0)

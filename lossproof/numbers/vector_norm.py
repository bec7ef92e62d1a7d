"""The p-norm of vectors, by a form that neither overflows nor underflows on the way.

Higham (2002), "Accuracy and Stability of Numerical Algorithms", section 27.8, scales by the largest
component in this way. The error rule is one of its own: composed of the rules for single operations,
the scale's own error would count twice.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.complex_pair import ComplexPair
from lossproof.numbers.formats import Float64Array
from lossproof.numbers.rules import followed_rules, roundings_of_a_sum
from lossproof.numbers.sharing import shared


@shared
def vector_norm(values: Array, p: float, axis: int) -> Array:
    """(sum |x_i|^p)^(1/p) along ``axis``, which is kept with size 1.

    An infinite p gives the largest |x_i|, minus infinity the smallest, 0 the count of those not 0. With
    a negative p the norm is 0 where any x_i is. Without components the norm is 0, if p is positive.
    """
    if isinstance(values, ComplexPair):
        return vector_norm(np.abs(values), p, axis)
    if isinstance(values, Bounded):
        value = vector_norm(values.value, p, axis)
        return values.derived(value, _error(values, value, p, axis), axis)
    magnitudes = np.abs(values)
    if p == 0:
        return np.sum(np.where(magnitudes != 0, np.ones_like(magnitudes), 0.0), axis=axis, keepdims=True)
    if p == 1 or values.shape[axis] == 0:
        return np.sum(magnitudes, axis=axis, keepdims=True)
    extreme = _extreme(magnitudes, p, axis)
    if math.isinf(p):
        return extreme
    if not isinstance(values, np.ndarray):
        return _root_of_powers(magnitudes, p, axis)  # balls have no range to leave
    scale = np.where((extreme > 0) & np.isfinite(extreme), extreme, 1.0)
    return scale * _root_of_powers(magnitudes / scale, p, axis)


def _root_of_powers(magnitudes: Array, p: float, axis: int) -> Array:
    if p == 2:
        return np.sqrt(np.sum(magnitudes * magnitudes, axis=axis, keepdims=True))
    total = np.sum(np.power(magnitudes, p), axis=axis, keepdims=True)
    return np.power(total, np.ones_like(total) / p)


@shared
def shares_of_largest(values: Array, axis: int) -> Array:
    """An equal share in the maximum for each element that attains it, 0 for the others; they add up to 1.

    Where an error could make another element the largest, any shares between 0 and 1 are right; of elements
    that are exactly equal, the shares are, as torch's are.
    """
    top = np.max(values, axis=axis, keepdims=True)
    attains = (values == top) | np.isnan(values)
    shares = np.where(attains, 1.0, 0.0) / np.sum(attains, axis=axis, keepdims=True)
    if not isinstance(values, Bounded):
        return shares
    lowest_top = np.max(values.value - values.bound, axis=axis, keepdims=True)
    may_attain = values.value + values.bound >= lowest_top
    is_shared = np.sum(may_attain, axis=axis, keepdims=True) > 1
    is_in_doubt = np.any(may_attain & (values.bound > 0), axis=axis, keepdims=True)
    bound = np.where(is_shared, values.format.unit_roundoff * shares, 0.0)
    is_free = may_attain & is_shared & is_in_doubt
    if np.any(is_free):
        rules = followed_rules()
        rules.freedoms.add("tie")
        bound = np.where(is_free & rules.kinks_are_free, 0.5, bound)
    return Bounded(shares, bound, values.format, values.marks)


def _extreme(magnitudes: Array, p: float, axis: int) -> Array:
    """The component that decides: the largest, or for a negative p the smallest."""
    if p > 0:
        return np.max(magnitudes, axis=axis, keepdims=True)
    return -np.max(-magnitudes, axis=axis, keepdims=True)


def _error(values: Bounded, norm: Float64Array, p: float, axis: int) -> Float64Array:
    """What errors of the components, and the roundings of the norm, may add up to."""
    if p == 0:
        # A count is exact, but the format may not hold it: 1025 is no number of bfloat16.
        return np.abs(values.format.round(norm) - norm)
    propagated = _propagated(values, norm, p, axis)
    if math.isinf(p) or values.shape[axis] == 0:
        return propagated
    format = values.format
    magnitudes = np.abs(values.value)
    terms = np.count_nonzero(magnitudes, axis=axis, keepdims=True)
    depth = format.accumulator.unit_roundoff * roundings_of_a_sum(values.shape[axis])
    relative: float | Float64Array
    if p == 1:
        relative, is_exact = format.unit_roundoff + depth, terms <= 1
    elif p == 2:  # half the relative error of the squares and of their sum, and that of the root
        relative, is_exact = 1.5 * format.unit_roundoff + depth / 2, terms <= 1
    else:
        powers = 2 * format.unit_roundoff * (1 + 1 / abs(p)) + depth / abs(p)
        relative, is_exact = powers + _exponents(values, norm, p, axis), terms == 0
    own = np.maximum(np.where(np.isfinite(norm), relative * norm, 0.0), format.underflow)
    return propagated + np.where(is_exact & (propagated == 0), 0.0, own)


def _propagated(values: Bounded, norm: Float64Array, p: float, axis: int) -> Float64Array:
    errors, magnitudes = values.bound, np.abs(values.value)
    if p >= 1:  # the triangle inequality
        return np.asarray(vector_norm(errors, p, axis))
    if math.isinf(p):
        return np.asarray(np.max(errors, axis=axis, keepdims=True))
    # The slope (|x| / norm)^(p - 1) is at most 1 for a negative p; for a p below 1 it is infinite at 0, where
    # the difference of the powers is not.
    ratio = magnitudes / np.where(norm > 0, norm, 1.0)
    slope = np.where(magnitudes > 0, np.power(np.where(magnitudes > 0, ratio, 1.0), p - 1), 1.0)
    change = slope * errors
    if p > 0:
        reach = np.power(magnitudes + errors, p) * np.power(norm, 1 - p) / p
        change = np.where(2 * errors < magnitudes, change, reach)
    change = np.where(errors == 0, 0.0, change)
    total = np.sum(change, axis=axis, keepdims=True)
    alone = vector_norm(errors, p, axis) if p > 0 else np.max(errors, axis=axis, keepdims=True)
    return np.asarray(np.where(norm == 0, alone, total))


def _exponents(values: Bounded, norm: Float64Array, p: float, axis: int) -> Float64Array:
    """Relative errors from exponents that the format cannot hold: 1/p, and p itself."""
    format, magnitudes = values.format, np.abs(values.value)
    logarithm = np.abs(np.log(np.where((norm > 0) & np.isfinite(norm), norm, 1.0)))
    # In float64 too, 1/3 is rounded.
    error = 0.0 * logarithm if format.holds(1 / Fraction(p)) else format.unit_roundoff * logarithm
    if float(format.round(p)) == p:
        return error
    is_counted = (magnitudes > 0) & np.isfinite(magnitudes)
    logarithms = np.abs(np.log(np.where(is_counted, magnitudes, 1.0)))
    return np.asarray(error + format.unit_roundoff * np.max(logarithms, axis=axis, keepdims=True))

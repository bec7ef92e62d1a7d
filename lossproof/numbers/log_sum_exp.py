"""The log-sum-exp, the primitive under recursions over probabilities.

Blanchard, Higham and Higham (2021), "Accurately computing the log-sum-exp and softmax functions".
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers import overflow
from lossproof.numbers.base import Array, NumberArray
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.dual import Dual
from lossproof.numbers.rules import roundings_of_a_sum
from lossproof.numbers.sharing import shared


@shared
def log_sum_exp(values: Array, axis: int) -> Array:
    """The logarithm of sum_k exp(x_k): m + log sum_k exp(x_k - m), where m = max x keeps exp from overflow.

    Minus infinity stands for a probability of zero, and is the result where there are no others.
    """
    if isinstance(values, NumberArray) and (own := values.log_sum_exp(axis)) is not None:
        return own
    if isinstance(values, Bounded):
        return _log_sum_exp_of_bounded(values, axis)
    if isinstance(values, Dual):
        return _log_sum_exp_of_duals(values, axis)
    top = np.max(values, axis=axis, keepdims=True)
    shift = np.where(np.isinf(top), 0.0, top)
    total = np.sum(np.exp(values - shift), axis=axis)
    return np.log(total) + np.squeeze(shift, axis)


def _log_sum_exp_of_duals(values: Dual, axis: int) -> Dual:
    """The derivative is sum_k p_k x'_k with p_k = exp(x_k - result); where all are zeros it is 0.

    A rule of its own: the derivative of the maximum cancels, but to take it one must know which term attains
    it, and between computed balls no precision decides that.
    """
    result = log_sum_exp(values.real, axis)
    shift = np.expand_dims(np.where(np.isinf(result), 0.0, result), axis)
    return Dual(result, np.sum(np.exp(values.real - shift) * values.tangent, axis=axis))


def _log_sum_exp_of_bounded(values: Bounded, axis: int) -> Bounded:
    """The error, by a rule of its own.

    Composed of the rules for single operations, the error of the largest term would count three times, and in
    a recursion grow threefold at each step. It counts once: with p_k = exp(x_k - result), the terms' errors
    pass on as sum p_k e_k, each exponential adds p_k (|x_k - max| + 2) u.
    """
    top = np.max(values.value, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    difference = values.value - shift
    exponentials = np.exp(difference)
    total = np.sum(exponentials, axis=axis)
    logarithm = np.log(total)
    value = logarithm + np.squeeze(shift, axis)
    share = exponentials / np.where(total > 0, total, 1.0).reshape(shift.shape)
    u = values.format.unit_roundoff
    is_counted = share > 0
    propagated = np.sum(
        np.where(is_counted, share * (values.bound + u * (np.abs(difference) + 2)), 0.0), axis=axis
    )
    depth = roundings_of_a_sum(values.value.shape[axis])
    own = values.format.accumulator.unit_roundoff * depth + 2 * u * np.abs(logarithm)
    is_exact = np.sum(exponentials > 0, axis=axis) <= 1
    marks = overflow.of_log_sum_exp(values, is_counted, axis)
    result = values.rounded(value, propagated + np.where(is_exact, 0.0, own), marks, is_exact)
    if not np.count_nonzero(is_exact):
        return result
    single = np.max(np.where(is_counted, values.bound, 0.0), axis=axis)
    return Bounded(result.value, np.where(is_exact, single, result.bound), values.format, marks)

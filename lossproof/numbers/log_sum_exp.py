"""The log-sum-exp, the primitive under recursions over probabilities.

Blanchard, Higham and Higham (2021), "Accurately computing the log-sum-exp and softmax functions".
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded
from lossproof.numbers.dual import Dual
from lossproof.numbers.written import Written


def log_sum_exp(values: Array, axis: int) -> Array:
    """The logarithm of sum_k exp(x_k): m + log sum_k exp(x_k - m), where m = max x keeps exp from overflow.

    Minus infinity stands for a probability of zero, and is what comes out of nothing but zeros.
    """
    if isinstance(values, (Bounded, Written)):
        return values.log_sum_exp(axis)
    if isinstance(values, Dual):
        return _log_sum_exp_of_duals(values, axis)
    top = np.max(values, axis=axis, keepdims=True)
    shift = np.where(np.isinf(top), 0.0, top)
    total = np.sum(np.exp(values - shift), axis=axis)
    return np.log(total) + np.squeeze(shift, axis)


def _log_sum_exp_of_duals(values: Dual, axis: int) -> Dual:
    """The derivative is sum_k p_k x'_k with p_k = exp(x_k - result); of nothing but zeros it is 0.

    A rule of its own, since the maximum's derivative cancels, but asks which term attains it: of computed
    balls no precision decides that.
    """
    result = log_sum_exp(values.real, axis)
    shift = np.expand_dims(np.where(np.isinf(result), 0.0, result), axis)
    return Dual(result, np.sum(np.exp(values.real - shift) * values.tangent, axis=axis))

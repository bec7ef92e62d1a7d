"""The log-sum-exp, the primitive under recursions over probabilities.

Blanchard, Higham and Higham (2021), "Accurately computing the log-sum-exp and softmax functions".
"""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.bounded import Bounded


def log_sum_exp(values: Array, axis: int) -> Array:
    """The logarithm of sum_k exp(x_k): m + log sum_k exp(x_k - m), where m = max x keeps exp from overflow.

    Minus infinity stands for a probability of zero, and is what comes out of nothing but zeros.
    """
    if isinstance(values, Bounded):
        return values.log_sum_exp(axis)
    top = np.max(values, axis=axis, keepdims=True)
    shift = np.where(np.isinf(top), 0.0, top)
    total = np.sum(np.exp(values - shift), axis=axis)
    return np.log(total) + np.squeeze(shift, axis)

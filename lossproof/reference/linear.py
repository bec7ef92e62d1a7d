"""The linear layer, which some losses carry within themselves."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """y[..., c] = sum_k x[..., k] w[c, k] + b[c].

    Args:
        input: x, (in_features) or (N, in_features).
        weight: w, (C, in_features) or (C, d1, ..., dk, in_features).
        bias: b, of ``weight``'s shape without in_features.

    Returns:
        y, (C, d1, ..., dk) or (N, C, d1, ..., dk).

    >>> print(linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]]), np.array([0.0, 1.0])))
    [11. 18.]
    """
    output = np.sum(_per_output(input, weight) * weight, axis=-1)
    return output if bias is None else output + bias


def linear_gradient(upstream: Array, input: Array, weight: Array) -> dict[str, Array]:
    """dx[k] = sum_c g[c] w[c, k], dw[c, k] = sum_n g[n, c] x[n, k], db[c] = sum_n g[n, c]."""
    share = np.expand_dims(upstream, -1)
    batch = tuple(range(input.ndim - 1))
    outputs = tuple(range(input.ndim - 1, upstream.ndim))
    return {
        "input": np.sum(share * weight, axis=outputs),
        "weight": np.sum(share * _per_output(input, weight), axis=batch),
        "bias": np.sum(upstream, axis=batch),
    }


def _per_output(input: Array, weight: Array) -> Array:
    """The input, shaped to be multiplied by every row of the weight."""
    return np.reshape(input, (*input.shape[:-1], *[1] * (weight.ndim - 1), input.shape[-1]))

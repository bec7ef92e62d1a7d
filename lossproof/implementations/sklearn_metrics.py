"""Metrics of scikit-learn that are losses of torch, on NumPy's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.metrics import pairwise
from sklearn.utils.extmath import softmax

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable, Table

_MEAN = {"reduction": "mean"}


def mse_loss(input: Any, target: Any) -> Any:
    """The mean over all outputs of all samples."""
    _demand(input, target, dimensions=(1, 2))
    return metrics.mean_squared_error(target, input)


def l1_loss(input: Any, target: Any) -> Any:
    """The mean over all outputs of all samples."""
    _demand(input, target, dimensions=(1, 2))
    return metrics.mean_absolute_error(target, input)


def cross_entropy(input: Any, target: Any) -> Any:
    """The logarithmic loss of the probabilities that its classifiers make of logits."""
    _demand(input, dimensions=(2,))
    if input.shape[1] < 2:
        raise NotImplementedError("scikit-learn's logarithmic loss is of two labels or more")
    return metrics.log_loss(target, softmax(input), labels=range(input.shape[1]))


def binary_cross_entropy(input: Any, target: Any) -> Any:
    """The logarithmic loss of two classes."""
    _demand(input, dimensions=(1,))
    if not np.isin(target, (0, 1)).all():
        raise NotImplementedError("scikit-learn takes labels, not probabilities, as its target")
    return metrics.log_loss(target, input, labels=(0, 1))


def cosine_similarity(x1: Any, x2: Any, dim: int) -> Any:
    """One row with one row: its distance is one minus the similarity."""
    _demand(x1, x2, dimensions=(2,))
    if dim % 2 != 1:
        raise NotImplementedError("scikit-learn takes vectors as rows")
    return 1 - pairwise.paired_cosine_distances(x1, x2)


def pairwise_distance(x1: Any, x2: Any, p: float) -> Any:
    """Of the norms, it has two."""
    _demand(x1, x2, dimensions=(2,))
    if p not in (1, 2):
        raise NotImplementedError("scikit-learn pairs rows by the norms of p = 1 and p = 2")
    distances = {1: pairwise.paired_manhattan_distances, 2: pairwise.paired_euclidean_distances}
    return distances[int(p)](x1, x2)


def _demand(*arrays: Any, dimensions: tuple[int, ...]) -> None:
    """Leave out what scikit-learn's check of all arrays refuses, as its glossary says."""
    if any(array.ndim not in dimensions for array in arrays):
        raise NotImplementedError("scikit-learn takes samples, or rows of a table, only")
    if not all(np.isfinite(array).all() for array in arrays):
        raise NotImplementedError("scikit-learn takes finite numbers only")


_TABLE: Table = {
    "BCELoss": Entry(binary_cross_entropy, fixed=_MEAN),
    "CosineSimilarity": cosine_similarity,
    "CrossEntropyLoss": Entry(cross_entropy, fixed=_MEAN),
    "L1Loss": Entry(l1_loss, fixed=_MEAN),
    "MSELoss": Entry(mse_loss, fixed=_MEAN),
    "PairwiseDistance": Entry(pairwise_distance, fixed={"eps": 0}),
}


class SklearnMetrics(FunctionTable):
    """``sklearn.metrics``, which has no gradients."""

    name = "scikit-learn"
    tracker = "https://github.com/scikit-learn/scikit-learn/issues"
    packages = ("scikit-learn",)
    library = "numpy"
    dtypes = ("float64",)  # its metrics are Python's numbers, whatever the dtype of their arrays
    table = _TABLE
    features_lacked = ("broadcast", "complex", "empty", "ignore_index", "probabilities")

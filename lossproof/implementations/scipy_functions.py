"""Functions of scipy.special that are losses of torch, or that such a loss is a line of."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable, Table

_UNREDUCED = {"reduction": "none"}


def softmax(input: Any, dim: int) -> Any:
    """The dimension has another name."""
    return special.softmax(input, axis=dim)


def log_softmax(input: Any, dim: int) -> Any:
    """The dimension has another name."""
    return special.log_softmax(input, axis=dim)


def huber_loss(input: Any, target: Any, delta: float) -> Any:
    """A function of the difference."""
    return special.huber(input.dtype.type(delta), input - target)


def soft_margin_loss(input: Any, target: Any) -> Any:
    """The logarithm of 1 + exp(-x) is that of a probability."""
    return -special.log_expit(input * target)


def kl_div(input: Any, target: Any) -> Any:
    """The relative entropy takes probabilities, where torch takes the logarithm of one."""
    return special.rel_entr(target, np.exp(input))


def entropy(p: Any) -> Any:
    """The entropies of the elements add up."""
    return special.entr(p).sum(-1)


def cross_entropy_of_distributions(p: Any, q: Any) -> Any:
    """``xlogy`` is 0 where its first argument is 0."""
    return -special.xlogy(p, q).sum(-1)


_TABLE: Table = {
    "DistributionCrossEntropy": cross_entropy_of_distributions,
    "Entropy": entropy,
    "HuberLoss": Entry(huber_loss, fixed=_UNREDUCED),
    "KLDivLoss": Entry(kl_div, fixed=_UNREDUCED),
    "LogSoftmax": log_softmax,
    "SoftMarginLoss": Entry(soft_margin_loss, fixed=_UNREDUCED),
    "Softmax": softmax,
}


class ScipyFunctions(FunctionTable):
    """``scipy.special``, which has no gradients."""

    name = "scipy"
    tracker = "https://github.com/scipy/scipy/issues"
    packages = ("scipy",)
    library = "numpy"
    dtypes = ("float64", "float32")  # its functions turn float16 into float32
    table = _TABLE
    features_lacked = ("integers",)  # NumPy turns them and float32 into float64

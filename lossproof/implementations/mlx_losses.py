"""The losses of MLX, on its processor."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.nn import losses

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable, Table


def binary_cross_entropy(input: Any, target: Any, weight: Any, reduction: str) -> Any:
    """The function for probabilities."""
    return _binary(input, target, weight, reduction, with_logits=False)


def binary_cross_entropy_with_logits(input: Any, target: Any, weight: Any, reduction: str) -> Any:
    """The same function, for logits."""
    return _binary(input, target, weight, reduction, with_logits=True)


def _binary(input: Any, target: Any, weight: Any, reduction: str, with_logits: bool) -> Any:
    if weight is not None and weight.shape != input.shape:
        raise NotImplementedError("mlx takes a weight for each target")
    return losses.binary_cross_entropy(input, target, weight, with_logits, reduction)


def cross_entropy(input: Any, target: Any, label_smoothing: float, reduction: str) -> Any:
    """The classes of torch lie along the second axis, or the only one."""
    axis = min(input.ndim - 1, 1)
    return losses.cross_entropy(
        input, target, axis=axis, label_smoothing=label_smoothing, reduction=reduction
    )


def nll_loss(input: Any, target: Any, reduction: str) -> Any:
    """The classes of torch lie along the second axis, or the only one."""
    return losses.nll_loss(input, target, axis=min(input.ndim - 1, 1), reduction=reduction)


def kl_div(input: Any, target: Any, log_target: bool, reduction: str) -> Any:
    """A divergence for each distribution, the last axis: MLX has none for each element."""
    if not log_target:
        raise NotImplementedError("mlx takes the logarithms of the target's probabilities")
    if reduction not in ("sum", "batchmean"):
        raise NotImplementedError("mlx sums over the elements of a distribution")
    total = losses.kl_div_loss(input, target, reduction="sum")
    return total / input.shape[0] if reduction == "batchmean" else total


def cosine_similarity(x1: Any, x2: Any, dim: int, eps: float) -> Any:
    """The dimension has another name."""
    return losses.cosine_similarity_loss(x1, x2, axis=dim, eps=eps)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float, p: float, eps: float, reduction: str
) -> Any:
    """The distances are along the last axis."""
    return losses.triplet_loss(anchor, positive, negative, p=p, margin=margin, eps=eps, reduction=reduction)


def softmax(input: Any, dim: int) -> Any:
    """An operation of arrays, rather than a loss."""
    return mx.softmax(input, axis=dim)


def log_softmax(input: Any, dim: int) -> Any:
    """An activation, rather than a loss."""
    return nn.log_softmax(input, axis=dim)


_TABLE: Table = {
    "BCELoss": binary_cross_entropy,
    "BCEWithLogitsLoss": binary_cross_entropy_with_logits,
    "CosineSimilarity": cosine_similarity,
    "CrossEntropyLoss": cross_entropy,
    "GaussianNLLLoss": Entry(losses.gaussian_nll_loss, ("full", "eps", "reduction")),
    "HuberLoss": Entry(losses.huber_loss, ("delta", "reduction")),
    "KLDivLoss": kl_div,
    "L1Loss": Entry(losses.l1_loss, ("reduction",)),
    "LogSoftmax": log_softmax,
    "MSELoss": Entry(losses.mse_loss, ("reduction",)),
    "MarginRankingLoss": Entry(losses.margin_ranking_loss, ("margin", "reduction")),
    "NLLLoss": nll_loss,
    "SmoothL1Loss": Entry(losses.smooth_l1_loss, ("beta", "reduction")),
    "Softmax": softmax,
    "TripletMarginLoss": triplet_margin_loss,
}


class MlxLosses(FunctionTable):
    """``mlx.nn.losses``, softmax and log-softmax."""

    name = "mlx"
    tracker = "https://github.com/ml-explore/mlx/issues"
    packages = ("mlx",)
    library = "mlx"
    table = _TABLE
    # It demands equal shapes, and says so in what it raises; its complex numbers are those of float32.
    features_lacked = ("broadcast", "complex", "ignore_index")

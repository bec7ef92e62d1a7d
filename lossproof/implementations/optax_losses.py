"""The losses of optax, on arrays of JAX."""

from __future__ import annotations

from typing import Any

import jax
import optax

from lossproof.adapters.forms import Entry
from lossproof.adapters.functions import FunctionTable, Table

# optax leaves it to its users to reduce a loss.
_UNREDUCED = {"reduction": "none"}


def cross_entropy(input: Any, target: Any) -> Any:
    """One of two functions: for indices of classes, or for their probabilities."""
    axis = min(input.ndim - 1, 1)
    if jax.numpy.issubdtype(target.dtype, jax.numpy.integer):
        return optax.losses.softmax_cross_entropy_with_integer_labels(input, target, axis=axis)
    return optax.losses.softmax_cross_entropy(input, target, axis=axis)


def kl_div(input: Any, target: Any, log_target: bool, reduction: str) -> Any:
    """A divergence for each distribution, the last axis: optax has none for each element."""
    diverge = optax.losses.kl_divergence_with_log_targets if log_target else optax.losses.kl_divergence
    if reduction not in ("sum", "batchmean"):
        raise NotImplementedError("optax sums over the elements of a distribution")
    total = diverge(input, target).sum()
    return total / input.shape[0] if reduction == "batchmean" else total


def cosine_similarity(x1: Any, x2: Any, dim: int, eps: float) -> Any:
    """The smallest norm has another name."""
    return optax.losses.cosine_similarity(x1, x2, epsilon=eps, axis=dim)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float, p: float, eps: float
) -> Any:
    """The degree of the norm has another name."""
    return optax.losses.triplet_margin_loss(anchor, positive, negative, norm_degree=p, margin=margin, eps=eps)


_TABLE: Table = {
    "BCEWithLogitsLoss": Entry(
        optax.losses.sigmoid_binary_cross_entropy,
        (),
        _UNREDUCED,
        place="optax.losses:sigmoid_binary_cross_entropy",
    ),
    "CosineSimilarity": cosine_similarity,
    "CrossEntropyLoss": Entry(cross_entropy, fixed=_UNREDUCED),
    "HuberLoss": Entry(optax.losses.huber_loss, ("delta",), _UNREDUCED, place="optax.losses:huber_loss"),
    "KLDivLoss": kl_div,
    "MSELoss": Entry(optax.losses.squared_error, (), _UNREDUCED, place="optax.losses:squared_error"),
    "TripletMarginLoss": Entry(triplet_margin_loss, fixed=_UNREDUCED),
}


class OptaxLosses(FunctionTable):
    """``optax.losses``; what it says to be masked with ``where``, such as an ignored index, is not run."""

    name = "optax"
    tracker = "https://github.com/google-deepmind/optax/issues"
    packages = ("optax",)
    library = "jax"
    table = _TABLE
    features_lacked = ("ignore_index",)

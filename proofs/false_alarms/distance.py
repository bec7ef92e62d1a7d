"""Random calls of the distances: cosine, pairwise, and the losses of pairs and triplets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import Float64Array, Format
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws

Shape = tuple[int, ...]

# For shorter vectors, the float32 constant 1e-12 affects the last digits of float64.
_SHORT = 0.03125


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects-distance.yaml`` is known to show at such ordinary inputs."""
    if call.loss == "CosineEmbeddingLoss":
        shortest = min(_shortest(call.args[name].numbers) for name in ("input1", "input2"))
        return call.dtype == "float16" or (call.dtype == "float64" and shortest < _SHORT)
    if call.dtype != "float16" or call.loss not in BUILDERS:
        return False
    if call.loss == "CosineSimilarity" or call.params.get("distance_function") == "cosine_distance":
        return any(_shortest(values.numbers) == 0 for values in call.args.values())
    # Powers of differences leave the range of float16 long before the differences do.
    p = call.params.get("p", 2.0)
    return p not in (1.0, 2.0, math.inf) and quantity != "value"


def _shortest(vectors: Float64Array) -> float:
    """The smallest norm, along any dimension."""
    return min(float(np.min(np.linalg.norm(vectors, axis=axis))) for axis in range(vectors.ndim))


def _shape(draws: Draws) -> Shape:
    return draws.choose((3,), (1, 5), (4, 2), (2, 3, 4), (6, 17), (3, 40))


def _vectors(draws: Draws, shape: Shape, format: Format, spread: float) -> Float64Array:
    """Vectors of one spread; one draw in ten lies on a coarse grid, where ties are common."""
    vectors = draws.uniform(-spread, spread, shape, format)
    return draws.choose(*[vectors] * 9, np.asarray(np.round(vectors)))


def _narrowed(draws: Draws, shape: Shape) -> Shape:
    """The shape, or one that broadcasts to it."""
    return draws.choose(shape, shape, shape, (1, *shape[1:]) if len(shape) > 1 else shape)


def _degree(draws: Draws) -> dict[str, Any]:
    p = draws.choose(1.0, 1.5, 2.0, 3.0, math.inf, 0.5, 4, -1.0, 2.7)
    return draws.choose({}, {"p": p})


def _eps(draws: Draws) -> dict[str, Any]:
    return draws.choose({}, {}, {"eps": draws.choose(0.0, 1e-3, 0.3)})


def _margin(draws: Draws, *margins: float) -> dict[str, Any]:
    return draws.choose({}, {"margin": draws.choose(*margins)})


def _cosine_similarity(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape, spread = _shape(draws), draws.choose(0.5, 2.0, 8.0)
    dim = draws.choose(*range(-len(shape), len(shape)))
    args = {
        "x1": _vectors(draws, _narrowed(draws, shape), format, spread),
        "x2": _vectors(draws, shape, format, spread),
    }
    return args, {"dim": dim} | draws.choose({}, {}, {"eps": draws.choose(1e-3, 2.0)})


def _pairwise(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape, spread = _shape(draws), draws.choose(0.5, 2.0, 8.0)
    args = {
        "x1": _vectors(draws, shape, format, spread),
        "x2": _vectors(draws, _narrowed(draws, shape), format, spread),
    }
    return args, _degree(draws) | _eps(draws) | draws.choose({}, {"keepdim": True})


def _cosine_embedding(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    shape: Shape = draws.choose((3,), (1, 5), (4, 2), (6, 17), (3, 40))
    spread = draws.choose(0.5, 2.0)
    target = np.where(draws.index(2, shape[:-1]) == 0, -1.0, 1.0)
    args = {
        "input1": _vectors(draws, shape, format, spread),
        "input2": _vectors(draws, _narrowed(draws, shape), format, spread),
        "target": np.asarray(target),
    }
    return args, _margin(draws, 0.25, 0.1, -0.5)


def _triplet(draws: Draws, format: Format) -> dict[str, Any]:
    shape, spread = _shape(draws), draws.choose(0.5, 2.0, 8.0)
    return {
        "anchor": _vectors(draws, shape, format, spread),
        "positive": _vectors(draws, _narrowed(draws, shape), format, spread),
        "negative": _vectors(draws, _narrowed(draws, shape), format, spread),
    }


def _swap(draws: Draws) -> dict[str, Any]:
    return draws.choose({}, {"swap": True})


def _triplet_margin(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    return _triplet(draws, format), _degree(draws) | _eps(draws) | _margin(draws, 0.3, 4.0) | _swap(draws)


def _triplet_with_distance(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    names = ("pairwise_distance", "pairwise_p1_eps0", "l2_eps0", "linf", "cosine_distance")
    distance = draws.choose({}, *({"distance_function": name} for name in names))
    return _triplet(draws, format), distance | _margin(draws, 0.3, 4.0) | _swap(draws)


BUILDERS: Mapping[str, Builder] = {
    "CosineSimilarity": _cosine_similarity,
    "PairwiseDistance": _pairwise,
    "CosineEmbeddingLoss": _cosine_embedding,
    "TripletMarginLoss": _triplet_margin,
    "TripletMarginWithDistanceLoss": _triplet_with_distance,
}

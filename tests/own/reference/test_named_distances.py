"""The distances that a triplet loss measures by are what their names say, for vectors of any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossproof.reference.evaluation import forward, gradient
from lossproof.reference.steps import recording

TRIPLET = {"anchor": [3.0, 0.0], "positive": [0.0, -4.0], "negative": [-4.0, 3.0]}
# From (3, 0) to (0, -4): the legs of a right triangle, and a right angle.
FROM_ANCHOR_TO_POSITIVE = {
    None: 5.0,
    "pairwise_distance": 5.0,
    "pairwise_p1_eps0": 7.0,
    "l2_eps0": 5.0,
    "linf": 4.0,
    "cosine_distance": 1.0,
}


@pytest.mark.parametrize(("name", "distance"), FROM_ANCHOR_TO_POSITIVE.items())
def test_the_distance_from_anchor_to_positive(name: str | None, distance: float) -> None:
    with recording() as steps:
        forward("TripletMarginWithDistanceLoss", {"distance_function": name}, TRIPLET)
    np.testing.assert_allclose(dict(steps)["d(a, p)"], distance, rtol=1e-6)


@pytest.mark.parametrize("name", FROM_ANCHOR_TO_POSITIVE)
def test_a_batch_of_any_shape_is_its_vectors_one_by_one(name: str | None) -> None:
    params: dict[str, Any] = {"distance_function": name, "margin": 8.0, "reduction": "sum"}
    numbers = np.random.default_rng(0).uniform(-2, 2, (3, 2, 3, 4))
    whole = dict(zip(TRIPLET, numbers, strict=True))
    single = [{part: whole[part][place] for part in whole} for place in np.ndindex(2, 3)]
    losses = [forward("TripletMarginWithDistanceLoss", params, args) for args in single]
    np.testing.assert_allclose(forward("TripletMarginWithDistanceLoss", params, whole), np.sum(losses))
    for part in TRIPLET:
        slopes = [gradient("TripletMarginWithDistanceLoss", params, args, part) for args in single]
        np.testing.assert_allclose(
            gradient("TripletMarginWithDistanceLoss", params, whole, part), np.reshape(slopes, (2, 3, 4))
        )


def test_the_cosine_distance_is_0_in_one_direction_and_2_in_the_opposite_one() -> None:
    params = {"distance_function": "cosine_distance"}
    args = {"anchor": [3.0, 4.0], "positive": [6.0, 8.0], "negative": [-3.0, -4.0]}
    with recording() as steps:
        forward("TripletMarginWithDistanceLoss", params, args)
    np.testing.assert_allclose([dict(steps)["d(a, p)"], dict(steps)["d(a, n)"]], [0.0, 2.0], atol=1e-12)


def test_the_cosine_distance_shrinks_towards_the_positive() -> None:
    """The slope of 1 - cos(a, p) by p = (4, 3) is -(a |p| - p cos |a|) / (|a| |p|^2)."""
    params = {"distance_function": "cosine_distance", "margin": 9.0}
    args = {"anchor": [1.0, 0.0], "positive": [4.0, 3.0], "negative": [0.0, 1.0]}
    slope = gradient("TripletMarginWithDistanceLoss", params, args, "positive")
    np.testing.assert_allclose(slope, [-0.072, 0.096])

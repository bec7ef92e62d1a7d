"""Undoing a broadcast: every element collects what it was repeated to."""

from __future__ import annotations

import numpy as np
import pytest

from lossproof.reference.reductions import sum_to_shape


@pytest.mark.parametrize(
    "shape", [(), (1,), (4,), (1, 1), (3, 1), (1, 4), (3, 4), (1, 1, 4), (2, 1, 1), (1, 3, 1), (2, 3, 4)]
)
def test_the_sum_goes_back_to_where_the_element_came_from(shape: tuple[int, ...]) -> None:
    gradient = np.arange(24.0).reshape(2, 3, 4)
    places = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), gradient.shape)
    collected = np.bincount(places.ravel(), weights=gradient.ravel()).reshape(shape)
    np.testing.assert_array_equal(sum_to_shape(gradient, shape), collected)

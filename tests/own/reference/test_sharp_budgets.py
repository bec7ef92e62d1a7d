"""What a call does not ask for costs no budget: its bound is that of the formula without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lossproof.judging.truth import truth_of
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import prepare

ROWS = [[0.7, -1.3, 2.1], [0.2, 0.4, -0.6]]
SHARES = [[0.3, 0.3, 0.4], [0.1, 0.7, 0.2]]

# A loss, what it is given, and parameters that change its value by nothing that shows, but take a step more.
CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("CrossEntropyLoss", {"input": ROWS, "target": SHARES}, {"label_smoothing": 1e-30}),
    ("CrossEntropyLoss", {"input": ROWS, "target": [2, 0]}, {"label_smoothing": 1e-30}),
    ("PairwiseDistance", {"x1": ROWS, "x2": SHARES}, {"p": 2.0 + 2.0**-48}),
]


@pytest.mark.parametrize(("loss", "args", "more"), CALLS)
def test_what_is_left_out_costs_nothing(loss: str, args: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    params = {"reduction": "none"} if LOSSES[loss].reductions else {}
    plain, longer = (
        truth_of(prepare(loss, {**params, **extra}, args), FORMATS["float32"]) for extra in ({}, more)
    )
    np.testing.assert_allclose(plain.value.value, longer.value.value, rtol=1e-12)
    assert np.all(plain.value.bound < longer.value.bound)
    for name, gradient in plain.gradients[0].items():
        assert np.all(gradient.bound < longer.gradients[0][name].bound), name


def test_a_slope_of_the_euclidean_norm_depends_on_no_sign() -> None:
    """It is z_i / |z|: of a z_i that is all error the sign is anything, but the slope still next to 0."""
    args = {"x1": [3.0, 0.3], "x2": [0.0, 0.2]}
    call = prepare("PairwiseDistance", {"eps": -0.1}, args)
    slope = truth_of(call, FORMATS["float32"]).gradients[0]["x1"]
    assert 0 < abs(slope.value[1]) < 1e-16
    assert slope.bound[1] < 2 * FORMATS["float32"].unit_roundoff * (0.3 + 0.2 + 0.1) / 3

"""At infinity a formula is its limit, not what its parts make of each other."""

from __future__ import annotations

import numpy as np

from lossproof.reference.evaluation import forward

INF = np.inf


def test_a_positive_weight_counts_for_positive_targets_alone() -> None:
    """P t max(-x, 0) + (1 - t) max(x, 0), with 0 * inf = 0."""
    logits, targets, weights = [-INF, INF, -INF, -INF, INF], [0, 1, 1, 1, 0], [2, 2, 0, 2, 2]
    params = {"pos_weight": np.array(weights, dtype=float), "reduction": "none"}
    value = forward("BCEWithLogitsLoss", params, {"input": logits, "target": np.array(targets, dtype=float)})
    np.testing.assert_array_equal(value, [0, 0, 0, INF, INF])

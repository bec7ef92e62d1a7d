"""Infinite and undefined numbers: a formula is its limit, and what takes no part does no harm."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.reference.evaluation import forward, gradient, prepare

INF = np.inf


def test_a_positive_weight_counts_for_positive_targets_alone() -> None:
    """P t max(-x, 0) + (1 - t) max(x, 0), with 0 * inf = 0."""
    logits, targets, weights = [-INF, INF, -INF, -INF, INF], [0, 1, 1, 1, 0], [2, 2, 0, 2, 2]
    params = {"pos_weight": np.array(weights, dtype=float), "reduction": "none"}
    value = forward("BCEWithLogitsLoss", params, {"input": logits, "target": np.array(targets, dtype=float)})
    np.testing.assert_array_equal(value, [0, 0, 0, INF, INF])


def test_what_has_no_derivative_is_nan_without_a_warning() -> None:
    """A target of two labels has no alignment with one frame."""
    args: dict[str, Any] = {
        "log_probs": [[-1.0, -1.0]],
        "targets": [1, 1],
        "input_lengths": 1,
        "target_lengths": 2,
    }
    derivative = prepare("CTCLoss", {}, args).derivative(1.0)
    np.testing.assert_array_equal(derivative["log_probs"], [[np.nan, np.nan]])


def test_features_of_an_ignored_row_do_no_harm_to_the_gradient_of_the_weight() -> None:
    """That of torch is nan throughout, and so cannot tell."""
    rows, weight = [[1.0, 2.0], [np.nan, np.inf], [-0.5, 1.0]], [[1.0, 0.5], [-1.0, 2.0]]
    with_it: dict[str, Any] = {"input": rows, "linear_weight": weight, "target": [0, -100, 1]}
    without: dict[str, Any] = {"input": rows[::2], "linear_weight": weight, "target": [0, 1]}
    np.testing.assert_array_equal(
        gradient("LinearCrossEntropyLoss", {}, with_it, "linear_weight"),
        gradient("LinearCrossEntropyLoss", {}, without, "linear_weight"),
    )

"""Where the gradients of the losses with linear layers are checked: benign, extreme, of every shape."""

from __future__ import annotations

from typing import Any

import numpy as np

ROWS = [[0.5, -1.0, 2.0, 0.25], [1.5, 0.75, -0.5, 1.0], [-2.0, 0.125, 1.0, -0.75]]
WEIGHT = [[1.0, 0.5, -0.25, 2.0], [-0.5, 1.5, 0.75, -1.0], [0.25, -2.0, 1.0, 0.5]]
BIAS = [0.5, -0.25, 1.0]
SPREAD = [[40.0, 0.5, -0.25, 2.0], [-0.5, 1.5, 30.0, -1.0], [0.25, -2.0, 1.0, -20.0]]
PROBABILITIES = [[0.5, 0.25, 0.25], [0.125, 0.0625, 0.8125], [0.25, 0.5, 0.25]]
CLASS_WEIGHT = [0.5, 2.0, 1.25]
# Three classes, each with a score at two places.
PLACES = np.stack([np.asarray(WEIGHT), np.asarray(SPREAD) / 8], axis=1).tolist()

ONE_CLUSTER = {
    "cutoffs": np.array([2]),
    "div_value": 2.0,
    "head_weight": WEIGHT,
    "tail_0_0_weight": [[1.0, -0.5, 0.25, 2.0], [0.5, 1.0, -1.0, 0.75]],
    "tail_0_1_weight": [[1.0, 2.0], [-0.5, 0.25], [1.5, -1.0]],
}
TWO_CLUSTERS = {
    "cutoffs": np.array([1, 3]),
    "div_value": 2.0,
    "head_weight": SPREAD,
    "head_bias": BIAS,
    "tail_0_0_weight": [[1.0, -0.5, 0.25, 2.0], [0.5, 1.0, -1.0, 0.75]],
    "tail_0_1_weight": [[1.0, 2.0], [-0.5, 0.25]],
    "tail_1_0_weight": [[-1.0, 0.5, 0.75, 1.25]],
    "tail_1_1_weight": [[2.0], [-1.0], [30.0]],
}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("NLLLoss2d", {"weight": CLASS_WEIGHT, "ignore_index": 1}, {"input": PROBABILITIES, "target": [0, 2, 1]}),
    ("LinearCrossEntropyLoss", {}, {"input": ROWS, "linear_weight": WEIGHT, "target": [0, 2, 1]}),
    (
        "LinearCrossEntropyLoss",
        {"linear_bias": BIAS},
        {"input": ROWS[0], "linear_weight": SPREAD, "target": 1},
    ),
    (
        "LinearCrossEntropyLoss",
        {"linear_bias": BIAS, "weight": CLASS_WEIGHT, "ignore_index": 1, "label_smoothing": 0.3},
        {"input": ROWS, "linear_weight": SPREAD, "target": [0, 2, 1]},
    ),
    (
        "LinearCrossEntropyLoss",
        {"linear_bias": BIAS, "weight": CLASS_WEIGHT, "label_smoothing": 0.2},
        {"input": ROWS, "linear_weight": WEIGHT, "target": PROBABILITIES},
    ),
    (
        "LinearCrossEntropyLoss",
        {"linear_bias": [[0.5, 1.0], [-0.25, 0.125], [1.0, -3.0]], "weight": CLASS_WEIGHT},
        {"input": ROWS, "linear_weight": PLACES, "target": [[0, 1], [2, 2], [1, -100]]},
    ),
    ("AdaptiveLogSoftmaxWithLoss", ONE_CLUSTER, {"input": ROWS, "target": [3, 0, 4]}),
    ("AdaptiveLogSoftmaxWithLoss", ONE_CLUSTER, {"input": ROWS, "target": [1, 1, 0]}),
    ("AdaptiveLogSoftmaxWithLoss", TWO_CLUSTERS, {"input": ROWS, "target": [5, 0, 2]}),
    ("AdaptiveLogSoftmaxWithLoss", TWO_CLUSTERS, {"input": ROWS[1], "target": 4}),
    (
        "AdaptiveLogSoftmaxWithLoss",
        {
            "cutoffs": [1, 2, 3],
            "div_value": 1.0,
            "head_weight": [[0.5, -1.0], [1.0, 0.25], [-0.75, 2.0], [0.125, 1.5]],
            **{f"tail_{cluster}_0_weight": [[1.0, 0.5], [-0.25, 2.0]] for cluster in range(3)},
            "tail_0_1_weight": [[1.5, -1.0]],
            "tail_1_1_weight": [[0.5, 0.25]],
            "tail_2_1_weight": [[-0.5, 1.0], [2.0, -0.125]],
        },
        {"input": [[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]], "target": [4, 2, 3]},
    ),
]

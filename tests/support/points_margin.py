"""Where the gradients of the margin losses are checked: benign, extreme, near their kinks, not on them."""

from __future__ import annotations

from typing import Any

SCORES = [[2.0, 1.25, 0.125], [0.5, -2.0, 0.25], [90.0, -80.0, 3.0]]
OTHERS = [[1.0, 0.5, 1.125], [-0.5, -2.5, 0.75], [0.0, 0.0, 3.0 + 2.0**-40]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]
# Within 2^-40 of the margin 1, on either side.
NEAR_MARGIN = [[1.0 - 2.0**-40, 1.0 + 2.0**-40, 1e-300], [-50.0, 0.25, 1e10], [0.75, 3.0, -0.5]]
LABELS = [0, 2, 1]
LABEL_SETS = [[0, 2, -1], [1, -1, 0], [-1, 1, 2]]
PRESENT = [[1.0, 0.0, 0.25], [0.0, 1.0, 1.0], [0.5, 0.0, 1.0]]
WEIGHT = [0.5, 2.0, 1.25]
# Distances from the target's score that are next to the margin 1, on either side.
NEAR_LEADS = [[2.0, 1.0 + 2.0**-40, 1.0 - 2.0**-40], [0.0, 1e-300, -1e10], [50.0, 0.5, 50.0]]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("HingeEmbeddingLoss", {}, {"input": NEAR_MARGIN, "target": SIGNS}),
    ("HingeEmbeddingLoss", {"margin": 0.1}, {"input": NEAR_MARGIN, "target": SIGNS}),
    ("HingeEmbeddingLoss", {"margin": -0.5}, {"input": SCORES, "target": [[0.0, 0.5, -1.0]]}),
    ("HingeEmbeddingLoss", {}, {"input": [SCORES[1]], "target": SIGNS}),
    ("SoftMarginLoss", {}, {"input": SCORES, "target": SIGNS}),
    ("SoftMarginLoss", {}, {"input": [[1e-300, -1000.0, 1000.0]], "target": [0.5, -1.0, 1.0]}),
    ("MarginRankingLoss", {}, {"input1": SCORES, "input2": OTHERS, "target": SIGNS}),
    ("MarginRankingLoss", {"margin": 0.3}, {"input1": SCORES, "input2": OTHERS, "target": SIGNS}),
    (
        "MarginRankingLoss",
        {"margin": 0.7},
        {"input1": [SCORES[0]], "input2": [[0.5], [1.0], [-4.0]], "target": [[-0.5]]},
    ),
    ("MarginRankingLoss", {"margin": 0.7}, {"input1": [[1.0]], "input2": [[2.0]], "target": SIGNS}),
    ("MultiLabelSoftMarginLoss", {}, {"input": SCORES, "target": PRESENT}),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, {"input": SCORES, "target": PRESENT}),
    ("MultiLabelSoftMarginLoss", {"weight": [[2.0], [0.5], [3.0]]}, {"input": SCORES, "target": PRESENT[0]}),
    ("MultiLabelSoftMarginLoss", {"weight": SIGNS}, {"input": SCORES[0], "target": PRESENT[2]}),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, {"input": [[0.5], [-1.0]], "target": [[1.0], [0.25]]}),
    ("MultiLabelSoftMarginLoss", {}, {"input": [SCORES, SCORES[::-1]], "target": [PRESENT, SIGNS]}),
    ("MultiMarginLoss", {}, {"input": SCORES, "target": LABELS}),
    ("MultiMarginLoss", {}, {"input": NEAR_LEADS, "target": [0, 0, 2]}),
    ("MultiMarginLoss", {"p": 2}, {"input": NEAR_LEADS, "target": [0, 0, 2]}),
    ("MultiMarginLoss", {"p": 2, "margin": 0.3, "weight": WEIGHT}, {"input": SCORES, "target": LABELS}),
    ("MultiMarginLoss", {"weight": WEIGHT, "margin": -0.6}, {"input": SCORES[0], "target": 1}),
    ("MultiLabelMarginLoss", {}, {"input": SCORES, "target": LABEL_SETS}),
    ("MultiLabelMarginLoss", {}, {"input": NEAR_LEADS, "target": [[0, -1, 0], [0, 0, 1], [2, 1, 0]]}),
    ("MultiLabelMarginLoss", {}, {"input": SCORES[1], "target": [2, 2, -1]}),
]

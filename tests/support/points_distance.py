"""Where the gradients of the distances are checked: benign, extreme, and near their kinks and bounds."""

from __future__ import annotations

import math
from typing import Any

FIRST = [[1.0, 2.0, -3.0], [0.5, -0.25, 4.0], [1e-3, -2e-3, 5e-4]]
SECOND = [[0.0, 2.5, 1.0], [1.5, 2.0, 3.0], [3.0, -1.0, 0.125]]
THIRD = [[2.0, 1.0, -0.5], [0.25, -1.0, 4.5], [-3.0, 2.0, 1.0]]
HUGE = [[2.0**600, -(2.0**598)], [2.0**-600, 2.0**-601]]
DEGREES = (1.0, 1.5, 2.0, 3.0, 7.0, math.inf, 0.5, -1.0, -2.5, -math.inf, 0.0)
TRIPLET = {"anchor": FIRST, "positive": SECOND, "negative": THIRD}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("CosineSimilarity", {}, {"x1": FIRST, "x2": SECOND}),
    ("CosineSimilarity", {"dim": 0}, {"x1": FIRST, "x2": SECOND[0]}),
    ("CosineSimilarity", {"dim": -3}, {"x1": [FIRST, SECOND], "x2": [SECOND, THIRD]}),
    ("CosineSimilarity", {"dim": 0}, {"x1": 2.0, "x2": -5.0}),
    ("CosineSimilarity", {}, {"x1": HUGE, "x2": SECOND[0][1:]}),
    # The norms of FIRST are 3.74, 4.04 and 0.0023: on both sides of eps, and next to it.
    ("CosineSimilarity", {"eps": 3.9}, {"x1": FIRST, "x2": SECOND}),
    ("CosineSimilarity", {"eps": 3.741657386}, {"x1": FIRST, "x2": SECOND}),
    ("CosineSimilarity", {"eps": 100.0}, {"x1": FIRST, "x2": SECOND}),
    *(("PairwiseDistance", {"p": p}, {"x1": FIRST, "x2": SECOND}) for p in DEGREES),
    ("PairwiseDistance", {"eps": 0.0}, {"x1": HUGE, "x2": [[0.0, 1.0]]}),
    ("PairwiseDistance", {"p": 3.0, "eps": 0.25, "keepdim": True}, {"x1": FIRST, "x2": SECOND}),
    ("PairwiseDistance", {}, {"x1": FIRST, "x2": FIRST}),
    ("PairwiseDistance", {}, {"x1": FIRST, "x2": 0.5}),
    ("PairwiseDistance", {}, {"x1": 0.5, "x2": 2.0}),
    *(
        (
            "CosineEmbeddingLoss",
            {"margin": margin},
            {"input1": FIRST, "input2": SECOND, "target": [1, -1, -1]},
        )
        for margin in (0.0, 0.25, -0.5)
    ),
    # The cosines with SECOND are -0.1, 0.76 and 0.71.
    ("CosineEmbeddingLoss", {"margin": 0.76}, {"input1": FIRST, "input2": SECOND, "target": [-1, -1, -1]}),
    ("CosineEmbeddingLoss", {}, {"input1": FIRST[0], "input2": THIRD[0], "target": -1}),
    ("CosineEmbeddingLoss", {}, {"input1": FIRST, "input2": [SECOND[1]], "target": [1]}),
    ("CosineEmbeddingLoss", {}, {"input1": [[2.0], [-1.0], [0.5]], "input2": SECOND, "target": [1, 1, -1]}),
    ("CosineEmbeddingLoss", {}, {"input1": [FIRST[1]], "input2": [[2.0], [-1.0]], "target": [1]}),
    ("CosineEmbeddingLoss", {}, {"input1": [FIRST[0]], "input2": [THIRD[0]], "target": [1, -1, 0]}),
    ("CosineEmbeddingLoss", {}, {"input1": [[1e-6, 2e-7]], "input2": [[3e-7, -1e-6]], "target": [1]}),
    *(("TripletMarginLoss", {"p": p}, TRIPLET) for p in DEGREES if p != 0),
    ("TripletMarginLoss", {"margin": 0.125, "eps": 0.5}, TRIPLET),
    *(
        ("TripletMarginLoss", {"swap": True, "margin": 3.0, "p": p}, TRIPLET | {"positive": [THIRD[1]]})
        for p in (1.0, 2.0, 3.0)
    ),
    ("TripletMarginLoss", {"swap": True}, {"anchor": 0.5, "positive": 2.0, "negative": 1.25}),
    ("TripletMarginWithDistanceLoss", {}, TRIPLET),
    *(
        ("TripletMarginWithDistanceLoss", {"distance_function": name, "swap": swap}, TRIPLET)
        for name in ("pairwise_distance", "pairwise_p1_eps0", "l2_eps0", "linf", "cosine_distance")
        for swap in (False, True)
    ),
]

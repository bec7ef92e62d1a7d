"""Where the gradients of the likelihood losses are checked: benign, extreme and near their kinks."""

from __future__ import annotations

from typing import Any

LOGITS = [[2.0, 1.0, 0.125], [0.5, -2.0, 0.25], [90.0, -80.0, 3.0]]
PROBABILITIES = [[0.5, 0.25, 0.25], [0.125, 0.0625, 0.8125], [0.25, 0.5, 0.25]]
LOG_PROBABILITIES = [[-0.5, -1.25, -2.0], [-3.0, -0.125, -7.5], [-1.0, -1.5, -40.0]]
INTERIOR = [[0.75, 0.25, 0.5], [2.0**-39, 1 - 2.0**-30, 0.125], [0.375, 0.625, 0.0625]]
# Where a logarithm is bounded by -100, or only the denominator of torch's gradient by 1e-12.
CERTAIN = [[0.0, 1.0, 2.0**-200], [2.0**-60, 1 - 2.0**-53, 1 - 2.0**-45]]
LABELS = [0, 2, 1]
WEIGHT = [0.5, 2.0, 1.25]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Softmax", {"dim": 1}, {"input": LOGITS}),
    ("LogSoftmax", {"dim": 0}, {"input": LOGITS}),
    ("SelfInformation", {}, {"p": PROBABILITIES}),
    ("Entropy", {}, {"p": PROBABILITIES}),
    ("DistributionCrossEntropy", {}, {"p": PROBABILITIES, "q": INTERIOR}),
    ("Objective", {"l1": 0.25, "l2": 0.1}, {"losses": [0.5, 1.5], "parameters": [[1.0, -2.0], [0.5, 3.0]]}),
    ("NLLLoss", {}, {"input": LOG_PROBABILITIES, "target": LABELS}),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, {"input": LOG_PROBABILITIES, "target": LABELS}),
    ("NLLLoss", {}, {"input": [LOGITS, LOGITS], "target": [[0, 1, 2], [2, 1, 0]]}),
    ("CrossEntropyLoss", {}, {"input": LOGITS, "target": LABELS}),
    ("CrossEntropyLoss", {}, {"input": LOGITS[0], "target": 1}),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 1}, {"input": LOGITS, "target": LABELS}),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, {"input": LOGITS, "target": LABELS}),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.3, "weight": WEIGHT, "ignore_index": 0},
        {"input": [LOGITS, LOGITS], "target": [[0, 1, 2], [2, 1, 0]]},
    ),
    ("CrossEntropyLoss", {}, {"input": LOGITS, "target": PROBABILITIES}),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.2, "weight": WEIGHT},
        {"input": LOGITS, "target": PROBABILITIES},
    ),
    ("BCELoss", {}, {"input": INTERIOR, "target": PROBABILITIES}),
    ("BCELoss", {"weight": WEIGHT}, {"input": INTERIOR, "target": PROBABILITIES}),
    ("BCELoss", {}, {"input": CERTAIN, "target": PROBABILITIES[:2]}),
    ("BCELoss", {"weight": WEIGHT}, {"input": CERTAIN, "target": [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]}),
    ("BCEWithLogitsLoss", {}, {"input": LOGITS, "target": PROBABILITIES}),
    (
        "BCEWithLogitsLoss",
        {"weight": WEIGHT, "pos_weight": [[3.0], [0.5], [1.0]]},
        {"input": LOGITS, "target": PROBABILITIES},
    ),
    ("KLDivLoss", {}, {"input": LOG_PROBABILITIES, "target": PROBABILITIES}),
    ("KLDivLoss", {"log_target": True}, {"input": LOG_PROBABILITIES, "target": LOG_PROBABILITIES[::-1]}),
    ("KLDivLoss", {}, {"input": LOG_PROBABILITIES, "target": [PROBABILITIES[0]]}),
]

"""Arguments of every loss."""

from __future__ import annotations

from typing import Any

from lossproof.reference.evaluation import forward

LOGITS = [[2.0, 1.0, 0.125], [0.5, -2.0, 0.25]]
ROWS = [[0.5, 0.25, 0.25], [0.125, 0.0625, 0.8125]]
LOGS = [[-0.5, -1.25, -2.0], [-3.0, -0.125, -7.5]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]

ARGUMENTS: dict[str, dict[str, Any]] = {
    "Softmax": {"input": LOGITS},
    "LogSoftmax": {"input": LOGITS},
    "SelfInformation": {"p": ROWS},
    "Entropy": {"p": ROWS},
    "DistributionCrossEntropy": {"p": ROWS, "q": ROWS[::-1]},
    "Objective": {"losses": [1.0, 2.0], "parameters": [1.0, -2.0, 0.5]},
    "NLLLoss": {"input": LOGS, "target": [0, 2]},
    "CrossEntropyLoss": {"input": LOGITS, "target": [0, 2]},
    "BCELoss": {"input": ROWS, "target": ROWS[::-1]},
    "BCEWithLogitsLoss": {"input": LOGITS, "target": ROWS},
    "KLDivLoss": {"input": LOGS, "target": ROWS},
    "PoissonNLLLoss": {"input": LOGITS, "target": ROWS},
    "GaussianNLLLoss": {"input": LOGITS, "target": LOGS, "var": ROWS},
    "NLLLoss2d": {"input": [[[LOGS[0]], [LOGS[1]], [LOGS[0]]]] * 2, "target": [[[0, 2, 1]], [[1, 0, 0]]]},
    "L1Loss": {"input": LOGITS, "target": ROWS},
    "MSELoss": {"input": LOGITS, "target": ROWS},
    "SmoothL1Loss": {"input": LOGITS, "target": ROWS},
    "HuberLoss": {"input": LOGITS, "target": ROWS},
    "HingeEmbeddingLoss": {"input": LOGITS, "target": SIGNS},
    "SoftMarginLoss": {"input": LOGITS, "target": SIGNS},
    "MarginRankingLoss": {"input1": LOGITS, "input2": ROWS, "target": SIGNS},
    "MultiLabelSoftMarginLoss": {"input": LOGITS, "target": ROWS},
    "MultiMarginLoss": {"input": LOGITS, "target": [0, 2]},
    "MultiLabelMarginLoss": {"input": LOGITS, "target": [[0, -1, 1], [2, 1, -1]]},
    "CosineSimilarity": {"x1": LOGITS, "x2": ROWS},
    "PairwiseDistance": {"x1": LOGITS, "x2": ROWS},
    "CosineEmbeddingLoss": {"input1": LOGITS, "input2": ROWS, "target": [1.0, -1.0]},
    "TripletMarginLoss": {"anchor": LOGITS, "positive": ROWS, "negative": LOGS},
    "TripletMarginWithDistanceLoss": {"anchor": LOGITS, "positive": ROWS, "negative": LOGS},
    "CTCLoss": {
        "log_probs": [[LOGS[0], LOGS[1]]] * 4,
        "targets": [[1, 2], [2, 0]],
        "input_lengths": [4, 3],
        "target_lengths": [2, 1],
    },
    "LinearCrossEntropyLoss": {
        "input": [[1.0, 0.5], [0.25, -2.0]],
        "linear_weight": [[0.5, 1.0], [-1.0, 0.25], [2.0, -0.5]],
        "target": [0, 2],
    },
    "AdaptiveLogSoftmaxWithLoss": {"input": LOGITS, "target": [1, 3]},
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Softmax": {"dim": 1},
    "LogSoftmax": {"dim": 1},
    "AdaptiveLogSoftmaxWithLoss": {
        "cutoffs": [2],
        "div_value": 2.0,
        "head_weight": [[0.5, 1.0, -1.0], [-1.0, 0.25, 0.5], [2.0, -0.5, 1.0]],
        "tail_0_0_weight": [[1.0, 0.5, -0.25]],
        "tail_0_1_weight": [[1.5], [-0.5]],
    },
}


def call(loss: str, **params: Any) -> Any:
    return forward(loss, PARAMETERS.get(loss, {}) | params, ARGUMENTS[loss])

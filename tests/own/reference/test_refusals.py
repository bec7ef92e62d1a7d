"""What the reference refuses where torch's words differ from call to call, and what just passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lossproof.reference.evaluation import forward
from lossproof.reference.refusals import (
    DtypeRefusal,
    IndexRefusal,
    OptionRefusal,
    RangeRefusal,
    Refusal,
    ShapeRefusal,
)

LINEAR: dict[str, Any] = {"input": [[1.0]], "linear_weight": [[1.0], [2.0]], "target": [0]}
ROW: dict[str, Any] = {"input": [1.0, 2.0], "target": 0}
# One class in the head, one in the first cluster, two in the second.
CLUSTERS: dict[str, Any] = {
    "cutoffs": np.array([1, 2]),
    "div_value": 1.0,
    "head_weight": np.ones((3, 2)),
    "tail_0_0_weight": np.ones((2, 2)),
    "tail_0_1_weight": np.ones((1, 2)),
    "tail_1_0_weight": np.ones((2, 2)),
    "tail_1_1_weight": np.ones((2, 2)),
}
# The same, with clusters of no features: the loss of the class in the head is that of its logits.
EMPTY_CLUSTERS: dict[str, Any] = CLUSTERS | {
    "div_value": 1e100,
    "tail_0_0_weight": np.ones((0, 2)),
    "tail_0_1_weight": np.ones((1, 0)),
    "tail_1_0_weight": np.ones((0, 2)),
    "tail_1_1_weight": np.ones((2, 0)),
}
# One class in the head, and one in each of four clusters.
FOUR_CLUSTERS: dict[str, Any] = {f"tail_{cluster}_0_weight": np.ones((2, 2)) for cluster in range(4)}
FOUR_CLUSTERS |= {f"tail_{cluster}_1_weight": np.ones((1, 2)) for cluster in range(4)}
FOUR_CLUSTERS |= {"cutoffs": np.arange(1, 5), "div_value": 1.0, "head_weight": np.ones((5, 2))}
WHOLE = {name: values.astype(np.int64) for name, values in CLUSTERS.items() if name.endswith("weight")}
PAIRS: dict[str, Any] = {"input1": np.ones((2, 3)), "input2": np.ones((2, 3)), "target": np.ones(2)}
COMPLEX = np.ones((2, 3), dtype=complex)

FRAMES: dict[str, Any] = {
    "log_probs": np.zeros((3, 2, 4)),
    "targets": [[1, 2], [3, 3]],
    "input_lengths": [3, 3],
    "target_lengths": [2, 1],
}

REFUSED: list[tuple[type[Refusal], str, dict[str, Any], dict[str, Any]]] = [
    (DtypeRefusal, "MultiMarginLoss", {}, {"input": [[1, 2]], "target": [0]}),
    (DtypeRefusal, "MultiLabelSoftMarginLoss", {}, {"input": [1, 2], "target": [0.0, 1.0]}),
    (ShapeRefusal, "MultiLabelMarginLoss", {}, {"input": [1.0, 2.0, 3.0], "target": [0, -1]}),
    (
        DtypeRefusal,
        "LinearCrossEntropyLoss",
        {},
        {"input": [[1]], "linear_weight": [[1], [2]], "target": [0]},
    ),
    (
        ShapeRefusal,
        "LinearCrossEntropyLoss",
        {},
        {"input": [1.0, 2.0], "linear_weight": np.ones((3, 4, 2)), "target": [0, 0, 0]},
    ),
    (OptionRefusal, "Softmax", {"dim": 0, "size_average": True}, {"input": [1.0, 2.0]}),
    (OptionRefusal, "LinearCrossEntropyLoss", {"options": "whole"}, LINEAR),
    (OptionRefusal, "LinearCrossEntropyLoss", {"size_average": True}, LINEAR),
    (
        OptionRefusal,
        "TripletMarginWithDistanceLoss",
        {"distance_function": "manhattan"},
        {name: [[1.0, 2.0]] for name in ("anchor", "positive", "negative")},
    ),
    (DtypeRefusal, "NLLLoss", {"weight": [1j, 1j]}, {"input": [[-1.0, -2.0]], "target": [0]}),
    (DtypeRefusal, "MSELoss", {}, {"input": np.ones((2, 3)), "target": COMPLEX}),
    (DtypeRefusal, "MSELoss", {}, {"input": [1], "target": [2]}),
    (ShapeRefusal, "MSELoss", {}, {"input": [1.0, 2.0], "target": [1.0, 2.0, 3.0]}),
    (ShapeRefusal, "MSELoss", {"weight": [1.0]}, {"input": [1.0, 2.0], "target": [1.0, 2.0]}),
    (RangeRefusal, "MSELoss", {}, {"input": [1.0, 1.0], "target": [0, 2**53 + 1]}),
    (RangeRefusal, "MSELoss", {}, {"input": [1.0], "target": [-(2**53) - 1]}),
    (DtypeRefusal, "L1Loss", {"weight": [1j, 1j]}, {"input": [1j, 1.0], "target": [1.0, 2.0]}),
    (DtypeRefusal, "CTCLoss", {}, FRAMES | {"input_lengths": np.array([3, 3], dtype=np.uint64)}),
    (DtypeRefusal, "PairwiseDistance", {}, {"x1": [True, False], "x2": [1.0, 2.0]}),
    (ShapeRefusal, "Softmax", {"dim": 1}, {"input": [1.0, 2.0]}),
    (ShapeRefusal, "LogSoftmax", {"dim": 1}, {"input": 1.0}),
    (DtypeRefusal, "CTCLoss", {}, FRAMES | {"log_probs": np.zeros((3, 2, 4), dtype=np.int64)}),
    (RangeRefusal, "CTCLoss", {}, FRAMES | {"input_lengths": [3, 4]}),
    (RangeRefusal, "CTCLoss", {}, FRAMES | {"input_lengths": [3, -1]}),
    (RangeRefusal, "CTCLoss", {}, FRAMES | {"target_lengths": [2, -1]}),
    # In the cases these two have a process of their own: torch may read beyond its memory.
    (IndexRefusal, "CTCLoss", {}, FRAMES | {"targets": [[1, 4], [3, 3]]}),
    (IndexRefusal, "CTCLoss", {}, FRAMES | {"targets": [[1, -1], [3, 3]]}),
    (OptionRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"size_average": True}, ROW),
    (OptionRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"cutoffs": 1}, ROW),
    (OptionRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"cutoffs": np.arange(1, 5)}, ROW),
    (OptionRefusal, "AdaptiveLogSoftmaxWithLoss", FOUR_CLUSTERS, ROW),
    (OptionRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"tail_1_1_weight": None}, ROW),
    (DtypeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | WHOLE, ROW | {"input": [1, 2]}),
    (DtypeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"head_weight": [[1, 1]] * 3}, ROW),
    (ShapeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"div_value": 1 / 1e100}, ROW),
    (RangeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS | {"div_value": 0.999 / 1e100}, ROW),
    (RangeRefusal, "AdaptiveLogSoftmaxWithLoss", EMPTY_CLUSTERS | {"div_value": 1.001e100}, ROW),
    (ShapeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS, {"input": 1.0, "target": 0}),
    (ShapeRefusal, "AdaptiveLogSoftmaxWithLoss", CLUSTERS, {"input": [[[1.0, 2.0]]], "target": [[0]]}),
    (DtypeRefusal, "CosineEmbeddingLoss", {}, PAIRS | {"input1": COMPLEX}),
    (DtypeRefusal, "CosineEmbeddingLoss", {}, PAIRS | {"input2": COMPLEX}),
    (ShapeRefusal, "CosineEmbeddingLoss", {}, PAIRS | {"input2": np.ones(3)}),
    (
        ShapeRefusal,
        "CosineEmbeddingLoss",
        {},
        {"input1": np.ones((1, 2, 3)), "input2": np.ones((1, 2, 3)), "target": np.ones((1, 2))},
    ),
]

TAKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("MSELoss", {}, {"input": [1.0], "target": [2**53]}),
    ("MSELoss", {}, {"input": [-(2**53)], "target": [1.0]}),
    ("CosineSimilarity", {"dim": -2}, {"x1": np.ones((2, 3)), "x2": np.ones((2, 3), dtype=np.int64)}),
    ("CosineSimilarity", {}, {"x1": np.ones((2, 3), dtype=np.int64), "x2": np.ones((2, 3))}),
    ("AdaptiveLogSoftmaxWithLoss", CLUSTERS, ROW),
    ("AdaptiveLogSoftmaxWithLoss", EMPTY_CLUSTERS, ROW),
    ("CTCLoss", {}, FRAMES | {"targets": [[1, 2], [3, 99]]}),  # 99 is padding
]


@pytest.mark.parametrize(("refusal", "loss", "params", "args"), REFUSED)
def test_it_is_refused_by_its_kind(
    refusal: type[Refusal], loss: str, params: Mapping[str, Any], args: Mapping[str, Any]
) -> None:
    with pytest.raises(Refusal) as caught:
        forward(loss, params, args)
    assert type(caught.value) is refusal, caught.value


@pytest.mark.parametrize(("loss", "params", "args"), TAKEN)
def test_what_just_passes_is_taken(loss: str, params: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    assert np.all(np.isfinite(forward(loss, params, args)))

"""Each kind of refusal has a name, and what borders on one is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from loss_arguments import ARGUMENTS, LOGITS, LOGS, ROWS

from lossproof.reference.evaluation import forward, gradient
from lossproof.reference.refusals import (
    REFUSALS,
    DtypeRefusal,
    IndexRefusal,
    OptionRefusal,
    RangeRefusal,
    Refusal,
    ShapeRefusal,
)

REFUSED: list[tuple[type[Refusal], str, dict[str, Any], dict[str, Any]]] = [
    (IndexRefusal, "NLLLoss", {}, {"input": LOGS, "target": [0, 3]}),
    (IndexRefusal, "CrossEntropyLoss", {}, {"input": LOGS, "target": [0, -1]}),
    (IndexRefusal, "CrossEntropyLoss", {"ignore_index": 1}, {"input": LOGS, "target": [0, -100]}),
    (ShapeRefusal, "NLLLoss", {}, {"input": LOGS, "target": [0]}),
    (ShapeRefusal, "NLLLoss", {}, {"input": 1.0, "target": 0}),
    (ShapeRefusal, "CrossEntropyLoss", {}, {"input": LOGS, "target": [[0], [1]]}),
    (ShapeRefusal, "CrossEntropyLoss", {}, {"input": 1.0, "target": 1.0}),
    (ShapeRefusal, "CrossEntropyLoss", {"weight": [1.0, 2.0]}, {"input": LOGS, "target": [0, 1]}),
    (ShapeRefusal, "CrossEntropyLoss", {"weight": [[1.0, 2.0, 3.0]]}, {"input": LOGS, "target": ROWS}),
    (ShapeRefusal, "BCELoss", {}, {"input": ROWS, "target": ROWS[0]}),
    (ShapeRefusal, "BCELoss", {"weight": [1.0, 2.0]}, {"input": ROWS, "target": ROWS}),
    (ShapeRefusal, "BCELoss", {"weight": [[ROWS]]}, {"input": ROWS, "target": ROWS}),
    (ShapeRefusal, "BCEWithLogitsLoss", {}, {"input": ROWS, "target": ROWS[:1]}),
    (ShapeRefusal, "BCEWithLogitsLoss", {"pos_weight": [1.0, 2.0]}, {"input": ROWS, "target": ROWS}),
    (ShapeRefusal, "KLDivLoss", {}, {"input": LOGS, "target": [0.5, 0.5]}),
    (ShapeRefusal, "DistributionCrossEntropy", {}, {"p": ROWS, "q": [0.5, 0.5]}),
    (ShapeRefusal, "Softmax", {"dim": 2}, {"input": LOGITS}),
    (ShapeRefusal, "LogSoftmax", {"dim": -3}, {"input": LOGITS}),
    (DtypeRefusal, "NLLLoss", {}, {"input": LOGS, "target": [0.0, 1.0]}),
    (DtypeRefusal, "NLLLoss", {}, {"input": LOGS, "target": np.array([0, 1], dtype=np.int32)}),
    (DtypeRefusal, "NLLLoss", {}, {"input": [[1, 2]], "target": [0]}),
    (DtypeRefusal, "CrossEntropyLoss", {}, {"input": [[1.0, 2.0]], "target": [[0, 1]]}),
    (DtypeRefusal, "CrossEntropyLoss", {}, {"input": [[1, 2]], "target": [[0.5, 0.5]]}),
    (DtypeRefusal, "BCELoss", {}, {"input": [0, 1], "target": [0, 1]}),
    (DtypeRefusal, "BCELoss", {}, {"input": [0.5], "target": np.array([0.5], dtype=np.float32)}),
    (DtypeRefusal, "BCEWithLogitsLoss", {}, {"input": [1], "target": [1.0]}),
    (DtypeRefusal, "KLDivLoss", {}, {"input": [-1.0], "target": [1]}),
    (RangeRefusal, "CrossEntropyLoss", {"label_smoothing": 1.5}, {"input": LOGS, "target": [0, 1]}),
    (RangeRefusal, "CrossEntropyLoss", {"label_smoothing": -0.1}, {"input": LOGS, "target": ROWS}),
    (RangeRefusal, "CrossEntropyLoss", {"label_smoothing": np.nan}, {"input": LOGS, "target": ROWS}),
    (DtypeRefusal, "PoissonNLLLoss", {}, {"input": [True], "target": [True]}),
    (
        DtypeRefusal,
        "LinearCrossEntropyLoss",
        {},
        {"input": [[1]], "linear_weight": [[1], [2]], "target": [0]},
    ),
    (DtypeRefusal, "MultiLabelSoftMarginLoss", {}, {"input": [1, 2], "target": [0.0, 1.0]}),
    (DtypeRefusal, "GaussianNLLLoss", {}, {"input": [1.0], "target": [1.0], "var": [1]}),
    (ShapeRefusal, "PoissonNLLLoss", {}, {"input": [1.0, 2.0], "target": [1.0, 2.0, 3.0]}),
    (ShapeRefusal, "GaussianNLLLoss", {}, {"input": LOGITS, "target": LOGS, "var": [1.0]}),
    (RangeRefusal, "GaussianNLLLoss", {}, {"input": [1.0], "target": [1.0], "var": [-1.0]}),
    (OptionRefusal, "GaussianNLLLoss", {"reduce": True}, {"input": [1.0], "target": [1.0], "var": [1.0]}),
    (RangeRefusal, "BCELoss", {}, {"input": [1.5], "target": [1.0]}),
    (RangeRefusal, "BCELoss", {}, {"input": [np.nan], "target": [1.0]}),
    (RangeRefusal, "BCELoss", {}, {"input": [0.5], "target": [-0.5]}),
    (OptionRefusal, "CrossEntropyLoss", {"ignore_index": 0}, {"input": LOGS, "target": ROWS}),
    (OptionRefusal, "CrossEntropyLoss", {"reduction": "men"}, {"input": LOGS, "target": [0, 1]}),
    (OptionRefusal, "BCELoss", {"reduction": "batchmean"}, {"input": ROWS, "target": ROWS}),
    (OptionRefusal, "NLLLoss", {"label_smoothing": 0.1}, {"input": LOGS, "target": [0, 1]}),
    (OptionRefusal, "Entropy", {"reduction": "mean"}, {"p": ROWS}),
    (OptionRefusal, "NLLLoss", {}, {"input": LOGS}),
    (OptionRefusal, "Entropy", {}, {"p": ROWS, "q": ROWS}),
    (OptionRefusal, "HubertLoss", {}, {"input": LOGS, "target": LOGS}),
]


@pytest.mark.parametrize(("refusal", "loss", "params", "args"), REFUSED)
def test_what_a_loss_does_not_take_is_refused_by_name(
    refusal: type[Refusal], loss: str, params: Mapping[str, Any], args: Mapping[str, Any]
) -> None:
    with pytest.raises(Refusal) as caught:
        forward(loss, params, args)
    assert type(caught.value) is refusal
    assert REFUSALS[caught.value.kind] is refusal


def test_every_kind_of_refusal_is_tried_here() -> None:
    assert {refusal for refusal, *_ in REFUSED} == set(REFUSALS.values())
    assert set(REFUSALS) == {"index", "shape", "dtype", "range", "option"}


@pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning")
def test_what_borders_on_a_refusal_is_taken() -> None:
    forward("NLLLoss", {"ignore_index": -100}, {"input": LOGS, "target": [2, -100]})
    forward("NLLLoss", {}, {"input": LOGS, "target": np.array([2, 0], dtype=np.uint8)})
    forward("CrossEntropyLoss", {"label_smoothing": 1.0}, {"input": LOGS, "target": ROWS})
    forward("CrossEntropyLoss", {"ignore_index": -1}, {"input": LOGS, "target": ROWS})
    forward("BCELoss", {"weight": [[1.0], [2.0]]}, {"input": ROWS, "target": ROWS})
    forward("BCELoss", {}, {"input": [0.0, 1.0], "target": [1.0, 0.0]})
    forward("KLDivLoss", {}, {"input": LOGS, "target": [ROWS[0]]})
    forward("Softmax", {"dim": -1}, {"input": 1.0})


def test_a_gradient_that_does_not_exist_is_refused() -> None:
    args = ARGUMENTS["CrossEntropyLoss"]
    for wrt in ("target", "weight", "nonsense"):
        with pytest.raises(OptionRefusal, match=f"no gradient with respect to '{wrt}'"):
            gradient("CrossEntropyLoss", {"weight": [1.0, 2.0, 3.0]}, args, wrt)

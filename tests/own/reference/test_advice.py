"""The reference warns of what is probably a mistake, and of nothing else."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from loss_arguments import call

from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.evaluation import forward, prepare

PAIR: dict[str, Any] = {"input": np.zeros((2, 3)), "target": np.ones((2, 3))}

LINEAR: dict[str, Any] = {
    "input": np.zeros((2, 3)),
    "linear_weight": np.ones((4, 3)),
    "target": np.array([0, 3]),
}

UNADVISED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *((loss, {}, PAIR) for loss in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss")),
    *(("KLDivLoss", {"reduction": reduction}, PAIR) for reduction in ("none", "sum", "batchmean")),
    ("LinearCrossEntropyLoss", {}, LINEAR),
    ("LinearCrossEntropyLoss", {"options": "chunked"}, LINEAR),
    ("LinearCrossEntropyLoss", {"label_smoothing": 0.1}, LINEAR),
    ("NLLLoss", {}, {"input": np.zeros((2, 3)), "target": np.array([0, 1])}),
    ("Softmax", {"dim": 1}, {"input": np.zeros((2, 3))}),
]

ADVISED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    *(
        (loss, {}, PAIR | {"target": np.ones(3)}, "broadcast together")
        for loss in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss")
    ),
    ("KLDivLoss", {}, PAIR, "batchmean"),
    ("LinearCrossEntropyLoss", {"options": "chunked", "label_smoothing": 0.1}, LINEAR, "options are ignored"),
    (
        "LinearCrossEntropyLoss",
        {"options": "chunked"},
        LINEAR | {"target": np.full((2, 4), 0.25)},
        "options are ignored",
    ),
    (
        "LinearCrossEntropyLoss",
        {"options": "chunked"},
        LINEAR | {"linear_weight": np.ones((4, 2, 3)), "target": np.zeros((2, 2), dtype=np.int64)},
        "options are ignored",
    ),
    ("NLLLoss2d", {}, {"input": np.zeros((1, 2, 1, 1)), "target": np.zeros((1, 1, 1), int)}, "superseded"),
    ("Softmax", {}, {"input": np.zeros((2, 3))}, "guesses the dimension"),
    ("MSELoss", {"reduce": True}, PAIR, "superseded"),
    ("MSELoss", {"size_average": True}, PAIR, "superseded"),
]


@pytest.mark.parametrize(("loss", "params", "args"), UNADVISED)
def test_an_ordinary_call_draws_no_warning(loss: str, params: dict[str, Any], args: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ReferenceWarning)
        prepare(loss, params, args)


@pytest.mark.parametrize(("loss", "params", "args", "words"), ADVISED)
def test_a_doubtful_call_draws_a_warning(
    loss: str, params: dict[str, Any], args: dict[str, Any], words: str
) -> None:
    with pytest.warns(ReferenceWarning, match=words) as caught:
        prepare(loss, params, args)
    assert [warning.filename for warning in caught] == [__file__]  # it points at the call


def test_a_softmax_without_a_dimension_guesses_and_warns() -> None:
    for shape, dim in (((), 0), ((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 5), 1)):
        values = np.arange(float(np.prod(shape))).reshape(shape)
        with pytest.warns(ReferenceWarning, match="guesses the dimension"):
            guessed = forward("Softmax", {}, {"input": values})
        np.testing.assert_array_equal(guessed, forward("Softmax", {"dim": dim}, {"input": values}))


@pytest.mark.filterwarnings("error")
def test_kl_divergence_warns_of_its_mean_alone() -> None:
    with pytest.warns(ReferenceWarning, match="batchmean"):
        call("KLDivLoss", reduction="mean")
    call("KLDivLoss", reduction="batchmean")

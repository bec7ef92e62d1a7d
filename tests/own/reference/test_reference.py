"""The reference's public face: shapes, names, refusals, reductions and steps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import LOSSES, find_loss
from lossproof.reference.evaluation import forward, gradient, prepare
from lossproof.reference.refusals import (
    REFUSALS,
    DtypeRefusal,
    IndexRefusal,
    OptionRefusal,
    RangeRefusal,
    Refusal,
    ShapeRefusal,
)
from lossproof.reference.steps import recording

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
# What is one number for each row, of (2, 3) inputs.
BY_ROW = (
    "NLLLoss",
    "CrossEntropyLoss",
    "Entropy",
    "DistributionCrossEntropy",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiLabelMarginLoss",
    "CosineSimilarity",
    "PairwiseDistance",
    "CosineEmbeddingLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "CTCLoss",
    "LinearCrossEntropyLoss",
    "AdaptiveLogSoftmaxWithLoss",
)

pytestmark = pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning", "ignore:NLLLoss2d")


def call(loss: str, **params: Any) -> Any:
    return forward(loss, PARAMETERS.get(loss, {}) | params, ARGUMENTS[loss])


def test_every_loss_is_tried_here() -> None:
    assert set(ARGUMENTS) == set(LOSSES)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_results_and_gradients_are_float64_of_torchs_shapes(loss: str) -> None:
    elements = {"Objective": (), "NLLLoss2d": (2, 1, 3)} | dict.fromkeys(BY_ROW, (2,))
    inputs = PARAMETERS.get(loss, {}) | ARGUMENTS[loss]
    for reduction in LOSSES[loss].reductions or (None,):
        params = {"reduction": reduction} if reduction else {}
        value = call(loss, **params)
        assert value.dtype == np.float64
        assert value.shape == (elements.get(loss, (2, 3)) if reduction in ("none", None) else ())
        prepared = prepare(loss, PARAMETERS.get(loss, {}) | params, ARGUMENTS[loss])
        assert prepared.differentiable
        for name in prepared.differentiable:
            result = gradient(loss, PARAMETERS.get(loss, {}) | params, ARGUMENTS[loss], name)
            assert result.dtype == np.float64
            assert result.shape == np.shape(inputs[name])


@pytest.mark.parametrize(
    ("shape", "target"),
    [((3,), ()), ((2, 3), (2,)), ((2, 3, 4), (2, 4)), ((2, 3, 4, 5), (2, 4, 5)), ((0, 3), (0,))],
)
@pytest.mark.parametrize("loss", ["NLLLoss", "CrossEntropyLoss"])
def test_classes_lie_in_the_second_dimension(
    loss: str, shape: tuple[int, ...], target: tuple[int, ...]
) -> None:
    args = {"input": np.zeros(shape), "target": np.zeros(target, dtype=np.int64)}
    assert forward(loss, {"reduction": "none"}, args).shape == target
    assert gradient(loss, {"reduction": "sum"}, args, "input").shape == shape


def test_known_values() -> None:
    log = np.log
    cases: list[tuple[str, dict[str, Any], dict[str, Any], Any]] = [
        ("CrossEntropyLoss", {}, {"input": [[0.0, 0.0]], "target": [1]}, log(2)),
        ("CrossEntropyLoss", {"label_smoothing": 0.5}, {"input": [[0.0, log(3)]], "target": [1]},
         0.75 * log(4 / 3) + 0.25 * log(4)),
        ("CrossEntropyLoss", {"weight": [1.0, 3.0]}, {"input": [[0.0, 0.0]] * 2, "target": [0, 1]}, log(2)),
        ("CrossEntropyLoss", {}, {"input": [[0.0, log(3)]], "target": [[0.5, 0.5]]},
         0.5 * log(4) + 0.5 * log(4 / 3)),
        ("NLLLoss", {"weight": [1.0, 3.0]}, {"input": [[-1.0, -2.0]] * 2, "target": [0, 1]}, 7 / 4),
        ("NLLLoss", {"ignore_index": 0}, {"input": [[-1.0, -2.0]] * 2, "target": [0, 1]}, 2),
        ("BCELoss", {}, {"input": [0.25, 0.5], "target": [1.0, 0.0]}, (log(4) + log(2)) / 2),
        ("BCELoss", {}, {"input": [0.0, 1.0], "target": [1.0, 0.0]}, 100),
        ("BCEWithLogitsLoss", {"pos_weight": [3.0]}, {"input": [0.0], "target": [1.0]}, 3 * log(2)),
        ("BCEWithLogitsLoss", {}, {"input": [1000.0, -1000.0], "target": [0.0, 1.0]}, 1000),
        ("KLDivLoss", {"reduction": "sum"}, {"input": [log(0.5)] * 2, "target": [0.25, 0.75]},
         0.25 * log(0.5) + 0.75 * log(1.5)),
        ("KLDivLoss", {"reduction": "sum"}, {"input": [log(0.5)] * 2, "target": [0.0, 1.0]}, log(2)),
        ("Entropy", {}, {"p": [0.5, 0.25, 0.25, 0.0]}, 1.5 * log(2)),
        ("SelfInformation", {}, {"p": [0.125]}, [3 * log(2)]),
        ("DistributionCrossEntropy", {}, {"p": [0.5, 0.5], "q": [0.25, 0.75]}, (log(4) + log(4 / 3)) / 2),
        ("Objective", {"l1": 0.5, "l2": 0.25}, {"losses": [1.0, 3.0], "parameters": [2.0, -4.0]}, 2 + 3 + 5),
        ("L1Loss", {}, {"input": [3 + 4j, 1.0], "target": [0.0, 1 + 1j]}, 3),
        ("Softmax", {"dim": 0}, {"input": [0.0, log(3)]}, [0.25, 0.75]),
        ("LogSoftmax", {"dim": 0}, {"input": [1000.0, 0.0]}, [0.0, -1000.0]),
    ]  # fmt: skip
    for loss, params, args, expected in cases:
        np.testing.assert_allclose(forward(loss, params, args), expected, rtol=1e-14, err_msg=loss)


def test_numbers_of_any_dtype_are_computed_with_in_float64() -> None:
    logits = np.array(LOGITS, dtype=np.float16)
    value = forward("LogSoftmax", {"dim": 1}, {"input": logits})
    np.testing.assert_array_equal(value, forward("LogSoftmax", {"dim": 1}, {"input": LOGITS}))


def test_a_tensor_parameter_may_stand_among_the_arguments() -> None:
    args, weight = ARGUMENTS["NLLLoss"], [1.0, 2.0, 0.5]
    among = forward("NLLLoss", {}, args | {"weight": weight})
    np.testing.assert_array_equal(among, forward("NLLLoss", {"weight": weight}, args))


def test_an_empty_mean_is_nan_and_an_empty_sum_zero() -> None:
    for loss in ("CrossEntropyLoss", "NLLLoss"):
        args: dict[str, Any] = {"input": np.zeros((0, 3)), "target": np.zeros(0, dtype=np.int64)}
        assert np.isnan(forward(loss, {}, args))
        assert forward(loss, {"reduction": "sum"}, args) == 0
    ignored: dict[str, Any] = {"input": [[0.0, 1.0]], "target": [-100]}
    assert np.isnan(forward("CrossEntropyLoss", {}, ignored))
    np.testing.assert_array_equal(
        gradient("CrossEntropyLoss", {"reduction": "sum"}, ignored, "input"), [[0, 0]]
    )


def test_an_only_class_that_is_ignored_has_the_gradient_zero() -> None:
    params = {"weight": [2.0], "ignore_index": 0}
    args: dict[str, Any] = {"input": [[-1.0]], "target": [0]}
    assert np.isnan(forward("NLLLoss", params, args))
    assert gradient("NLLLoss", params, args, "input").tolist() == [[0.0]]


@pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if loss.functional])
def test_a_functional_name_is_the_same_loss(loss: Any) -> None:
    assert find_loss(f"F.{loss.functional}") is loss is find_loss(loss.name)
    params = PARAMETERS.get(loss.name, {})
    args = ARGUMENTS[loss.name]
    np.testing.assert_array_equal(forward(f"F.{loss.functional}", params, args), call(loss.name))


@pytest.mark.parametrize(
    "name",
    [
        "Cross_Entropy",
        "cross_entropy",
        "F.CrossEntropyLoss",
        "",
        "F.None",
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(OptionRefusal, match=r"there is no loss .*KLDivLoss"):
        find_loss(name)


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


def test_a_class_weight_is_differentiable_for_probabilities() -> None:
    weight, args = [1.0, 2.0, 3.0], {"input": LOGITS, "target": ROWS}
    result = gradient("CrossEntropyLoss", {"weight": weight, "reduction": "sum"}, args, "weight")
    np.testing.assert_allclose(
        np.sum(result * weight), forward("CrossEntropyLoss", {"weight": weight, "reduction": "sum"}, args)
    )


@pytest.mark.parametrize(
    ("size_average", "reduce", "reduction"),
    [
        (None, True, "mean"),
        (None, False, "none"),
        (True, None, "mean"),
        (True, True, "mean"),
        (True, False, "none"),
        (False, None, "sum"),
        (False, True, "sum"),
        (False, False, "none"),
    ],
)
def test_the_legacy_arguments_override_the_reduction(
    size_average: bool | None, reduce: bool | None, reduction: str
) -> None:
    with pytest.warns(ReferenceWarning, match=f"reduction='{reduction}'"):
        value = call("BCELoss", size_average=size_average, reduce=reduce, reduction="sum")
    np.testing.assert_array_equal(value, call("BCELoss", reduction=reduction))


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


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.reductions])
def test_reductions_are_sums_and_quotients_of_the_elements(loss: str) -> None:
    elements = call(loss, reduction="none")
    if "sum" in LOSSES[loss].reductions:
        np.testing.assert_allclose(call(loss, reduction="sum"), elements.sum(), rtol=1e-14)
    averaged = {
        "CTCLoss": lambda: elements / [2, 1],  # by the lengths of the targets
        "AdaptiveLogSoftmaxWithLoss": lambda: -elements,  # its elements are log-probabilities
    }.get(loss, lambda: elements)()
    np.testing.assert_allclose(call(loss, reduction="mean"), averaged.mean(), rtol=1e-14)
    if "batchmean" in LOSSES[loss].reductions:
        np.testing.assert_allclose(call(loss, reduction="batchmean"), elements.sum() / 2, rtol=1e-14)


def test_steps_are_recorded_by_name_in_order() -> None:
    with recording() as steps:
        value = call("CrossEntropyLoss", weight=[1.0, 2.0, 0.5])
    assert [name for name, _ in steps] == [
        "logits - max",
        "sum of exponentials",
        "log-softmax",
        "weights",
        "picked",
        "-w log p",
        "losses",
        "sum",
        "mean",
    ]
    recorded = dict(steps)
    np.testing.assert_array_equal(recorded["logits - max"], np.array(LOGITS) - [[2.0], [0.5]])
    np.testing.assert_array_equal(recorded["weights"], [1.0, 0.5])
    np.testing.assert_array_equal(recorded["mean"], value)


def test_nothing_is_recorded_outside_and_the_inner_recording_ends() -> None:
    with recording() as outer:
        call("BCELoss", reduction="none")
        with recording() as inner:
            call("Entropy")
        call("SelfInformation")
    call("Entropy")
    assert [name for name, _ in outer] == ["log p", "log (1 - p)", "losses", "self-information"]
    assert [name for name, _ in inner] == ["-p log p", "entropy"]


def test_a_recording_ends_with_an_error() -> None:
    with pytest.raises(IndexRefusal), recording() as steps:
        forward("NLLLoss", {}, {"input": LOGS, "target": [0, 9]})
    call("Entropy")
    assert steps == []


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_names_its_steps_and_ends_with_the_result(loss: str) -> None:
    with recording() as steps:
        value = call(loss)
    assert steps
    np.testing.assert_array_equal(steps[-1][1], value)


WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("the reference may not import torch")

sys.meta_path.insert(0, NoTorch())
sys.modules["torch"] = None
import warnings
import lossproof
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import forward, gradient, prepare

warnings.simplefilter("ignore")
calls = eval(sys.argv[1])
assert set(calls) == set(LOSSES)
for loss, (params, args) in calls.items():
    forward(loss, params, args)
    for name in prepare(loss, params, args).differentiable:
        gradient(loss, params, args, name)
assert sys.modules["torch"] is None
assert not [name for name in sys.modules if name.startswith("torch.")]
print("evaluated", len(calls))
"""


def test_the_reference_runs_without_torch() -> None:
    calls = {loss: (PARAMETERS.get(loss, {}), args) for loss, args in ARGUMENTS.items()}
    command = [sys.executable, "-c", WITHOUT_TORCH, repr(calls)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"evaluated {len(LOSSES)}\n"

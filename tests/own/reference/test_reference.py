"""The reference's public face: names, shapes, dtypes, and values that are known."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from loss_arguments import ARGUMENTS, LOGITS, PARAMETERS, ROWS, call

from lossproof.reference.catalogue import LOSSES, find_loss
from lossproof.reference.evaluation import forward, gradient, prepare
from lossproof.reference.refusals import OptionRefusal

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


def test_a_class_weight_is_differentiable_for_probabilities() -> None:
    weight, args = [1.0, 2.0, 3.0], {"input": LOGITS, "target": ROWS}
    result = gradient("CrossEntropyLoss", {"weight": weight, "reduction": "sum"}, args, "weight")
    np.testing.assert_allclose(
        np.sum(result * weight), forward("CrossEntropyLoss", {"weight": weight, "reduction": "sum"}, args)
    )


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

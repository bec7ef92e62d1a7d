"""From Python, a module of torch is told by its constructor's keywords and its state dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

import lossproof
from lossproof.reference.refusals import DtypeRefusal, OptionRefusal, Refusal, ShapeRefusal

ROWS = torch.arange(20.0, dtype=torch.float64).reshape(4, 5) / 7
# A class, its constructor's keywords, and a target for four rows.
MODULES: list[tuple[str, dict[str, Any], Any]] = [
    ("LinearCrossEntropyLoss", {"in_features": 5, "num_classes": 3}, [0, 2, 1, 1]),
    ("LinearCrossEntropyLoss", {"in_features": 5, "num_classes": 3, "bias": True}, [0, 2, 1, 1]),
    (
        "LinearCrossEntropyLoss",
        {"in_features": 5, "num_classes": 3, "out_features": (2, 3), "bias": True, "label_smoothing": 0.25},
        [[[0, 1, 2], [2, 1, 0]]] * 4,
    ),
    (
        "LinearCrossEntropyLoss",
        {"in_features": 5, "num_classes": 2, "ignore_index": 1, "reduction": "sum"},
        [0, 1, 0, 1],
    ),
    ("AdaptiveLogSoftmaxWithLoss", {"in_features": 5, "n_classes": 6, "cutoffs": [2]}, [0, 5, 2, 1]),
    (
        "AdaptiveLogSoftmaxWithLoss",
        {"in_features": 5, "n_classes": 9, "cutoffs": [2, 4], "div_value": 2.0, "head_bias": True},
        [0, 8, 3, 5],
    ),
]


def made(name: str, keywords: Mapping[str, Any]) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A module with weights that differ everywhere, and its state as NumPy's arrays."""
    module = getattr(torch.nn, name)(**keywords).double()
    for number, weight in enumerate(module.parameters()):
        with torch.no_grad():
            weight.copy_(torch.sin(torch.arange(weight.numel()) + 10.0 * number).reshape(weight.shape))
    return module, {key: tensor.numpy() for key, tensor in module.state_dict().items()}


@pytest.mark.parametrize(("name", "keywords", "target"), MODULES)
def test_a_module_gives_what_torch_gives(name: str, keywords: dict[str, Any], target: Any) -> None:
    module, state = made(name, keywords)
    args = {"input": ROWS.numpy(), "target": np.array(target)}
    answer = module(ROWS, torch.tensor(target))
    loss = answer.loss if name == "AdaptiveLogSoftmaxWithLoss" else answer
    np.testing.assert_allclose(lossproof.forward(name, keywords, args, state), loss.detach().numpy())
    loss.backward()
    for key, weight in module.named_parameters():
        found = lossproof.gradient(name, keywords, args, key, state)
        assert found.shape == tuple(weight.shape), key
        assert weight.grad is not None
        np.testing.assert_allclose(found, weight.grad.numpy(), atol=1e-14)


def test_the_weights_tell_the_sizes() -> None:
    for name, keywords, target in MODULES:
        needed = {"in_features", "num_classes", "n_classes", "bias", "head_bias"}
        _, state = made(name, keywords)
        args = {"input": ROWS.numpy(), "target": np.array(target)}
        fewer = {key: value for key, value in keywords.items() if key not in needed}
        expected = lossproof.forward(name, keywords, args, state)
        np.testing.assert_array_equal(lossproof.forward(name, fewer, args, state), expected)


def test_names_of_ours_stand_beside_those_of_torch() -> None:
    _, state = made("LinearCrossEntropyLoss", MODULES[1][1])
    args = {"input": ROWS.numpy(), "target": np.array([0, 2, 1, 1])}
    own = {"linear_weight": state["linear.weight"]}
    expected = lossproof.forward("LinearCrossEntropyLoss", {}, args, state)
    found = lossproof.forward(
        "LinearCrossEntropyLoss",
        {"in_features": 5, "num_classes": 3, "bias": True, "linear_bias": state["linear.bias"]},
        args | own,
    )
    np.testing.assert_array_equal(found, expected)


def test_the_weight_of_a_class_may_stand_in_the_state() -> None:
    weight = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    module = torch.nn.CrossEntropyLoss(torch.tensor(weight))
    args = {"input": ROWS.numpy(), "target": np.array([0, 4, 1, 2])}
    state = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    expected = module(ROWS, torch.tensor([0, 4, 1, 2])).numpy()
    np.testing.assert_allclose(lossproof.forward("CrossEntropyLoss", {}, args, state), expected)


LINEAR = {"linear.weight": np.ones((3, 5))}
ADAPTIVE = made(MODULES[5][0], MODULES[5][1])[1]
LINEAR_REFUSED: list[tuple[type[Refusal], dict[str, Any], dict[str, Any], str]] = [
    (ShapeRefusal, {"in_features": 4}, LINEAR, "in_features is 4, but the weight is for 5"),
    (ShapeRefusal, {"num_classes": 4}, LINEAR, "num_classes is 4, but the weight is for 3"),
    (ShapeRefusal, {"out_features": (2,)}, LINEAR, "linear.weight has shape (3, 5); it must be"),
    (ShapeRefusal, {"bias": True}, LINEAR, "bias is true, but there is no bias among the tensors"),
    (ShapeRefusal, {"bias": False}, LINEAR | {"linear.bias": np.ones(3)}, "bias is false, but there is a"),
    (ShapeRefusal, {}, LINEAR | {"linear.bias": np.ones(2)}, "linear.bias has shape (2,); it must be (3,)"),
    (ShapeRefusal, {}, {"linear.weight": np.ones(3)}, "linear.weight has shape (3,)"),
    (ShapeRefusal, {}, {"linear.weight": [[1.0], [1.0, 2.0]]}, "linear.weight is a ragged list"),
    (OptionRefusal, {"in_features": 5.0}, LINEAR, "in_features is 5.0; it must be a whole number"),
    (OptionRefusal, {"in_features": -5}, LINEAR, "in_features is -5; a size is not negative"),
    (OptionRefusal, {"bias": 1}, LINEAR, "bias is 1; it must be true or false"),
    (OptionRefusal, {"out_features": (1.5,)}, LINEAR, "it must be a list of whole numbers"),
    (OptionRefusal, {"linear_bias": np.ones(3)}, LINEAR | {"linear.bias": np.ones(3)}, "is given twice"),
    (OptionRefusal, {}, {"linear_weight": np.ones((3, 5))}, "nothing named 'linear_weight' in its state"),
    (OptionRefusal, {"in_features": 5, "num_classes": 3}, {}, "needs the argument 'linear_weight'"),
    (DtypeRefusal, {}, {"linear.weight": "text"}, "linear.weight holds"),
]


@pytest.mark.parametrize(("refusal", "params", "state", "words"), LINEAR_REFUSED)
def test_what_contradicts_itself_is_refused(
    refusal: type[Refusal], params: dict[str, Any], state: dict[str, Any], words: str
) -> None:
    args = {"input": ROWS.numpy(), "target": np.array([0, 2, 1, 1])}
    with pytest.raises(Refusal) as caught:
        lossproof.forward("LinearCrossEntropyLoss", params, args, state)
    assert type(caught.value) is refusal
    assert words in str(caught.value)


ADAPTIVE_REFUSED: list[tuple[type[Refusal], dict[str, Any], dict[str, Any], str]] = [
    (ShapeRefusal, {"n_classes": 10}, {}, "n_classes is 10, but the last cluster's weight is for 9"),
    (ShapeRefusal, {"in_features": 6}, {}, "in_features is 6, but the head's weight is for 5"),
    (ShapeRefusal, {"head_bias": False}, {}, "head_bias is false, but there is a bias among the tensors"),
    (OptionRefusal, {"head_bias": np.ones(4)}, {}, "head_bias is given twice"),
    (OptionRefusal, {"cutoffs": [2.0, 4.0]}, {}, "it must be a list of whole numbers"),
    (OptionRefusal, {"n_classes": 9, "cutoffs": "24"}, {}, "it must be a list of whole numbers"),
    (OptionRefusal, {}, {"tail.3.0.weight": np.ones((2, 2))}, "nothing named 'tail.3.0.weight' in its state"),
]


@pytest.mark.parametrize(("refusal", "params", "state", "words"), ADAPTIVE_REFUSED)
def test_what_contradicts_the_clusters_is_refused(
    refusal: type[Refusal], params: dict[str, Any], state: dict[str, Any], words: str
) -> None:
    known = {"cutoffs": [2, 4], "div_value": 2.0}
    args = {"input": ROWS.numpy(), "target": np.array([0, 8, 3, 5])}
    with pytest.raises(Refusal) as caught:
        lossproof.forward("AdaptiveLogSoftmaxWithLoss", known | params, args, ADAPTIVE | state)
    assert type(caught.value) is refusal
    assert words in str(caught.value)


@pytest.mark.parametrize("loss", ["MSELoss", "L1Loss", "HuberLoss"])
def test_a_loss_without_state_says_so(loss: str) -> None:
    """Its function takes a weight, its module has none."""
    with pytest.raises(OptionRefusal, match="nothing named 'weight' in its state; it has none"):
        lossproof.forward(loss, {}, {"input": ROWS, "target": ROWS}, {"weight": np.ones(5)})


@pytest.mark.parametrize(
    ("params", "changes"),
    [
        ({"cutoffs": [2**63 - 1]}, {}),
        ({"cutoffs": [2], "div_value": 1e-320}, {}),
        ({"cutoffs": [2]}, {"tail_0_1_weight": np.array(1.0)}),
        ({"cutoffs": [2], "div_value": np.timedelta64(1, "s")}, {}),
    ],
)
def test_what_makes_no_adaptive_softmax_is_refused(params: Any, changes: Any) -> None:
    weights = {
        "head_weight": np.ones((3, 4)),
        "tail_0_0_weight": np.ones((1, 4)),
        "tail_0_1_weight": np.ones((2, 1)),
    }
    args = {"input": np.ones((1, 4)), "target": np.array([0])}
    with pytest.raises(Refusal):
        lossproof.forward("AdaptiveLogSoftmaxWithLoss", {**params, **weights, **changes}, args)

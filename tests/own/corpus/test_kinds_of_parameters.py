"""What a parameter may be: one table of the reference, which case files, typed calls and Python all go by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import lossproof
from lossproof.corpus.call_reading import read_params
from lossproof.corpus.complaints import Notes
from lossproof.corpus.nodes import parse_tree
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.option import Kind
from lossproof.reference.refusals import DtypeRefusal, OptionRefusal, RangeRefusal, Refusal, ShapeRefusal

# What each kind of parameter is not, as a case file writes it.
UNLIKE: Mapping[Kind, tuple[str, ...]] = {
    Kind.WHOLE: ("0.5", "1.0", "1e0", ".nan", ".inf", "1e30", str(2**63), "true", "one", "'1'", "[1]"),
    Kind.REAL: ("true", "false", "one", "'1'", "[1.5]", "{fill: 1, shape: []}"),
    Kind.BOOLEAN: ("0", "1", "2", "0.5", "text", "'true'", "[0]", "null"),
    Kind.WORD: ("1", "0.5", "true", "[1]", "no-such-word"),
    Kind.TENSOR: ("1", "0.5", "true", "text", ".nan"),
    Kind.WHOLES: ("1", "true", "text", "null", "[1.0]", "[0.5, 2]", "[[1, 2]]", "{fill: 0.5, shape: [2]}"),
}
PARAMETERS = [
    pytest.param(loss, name, text, id=f"{loss}-{name}-{text}")
    for loss, known in LOSSES.items()
    for name, option in known.typed_parameters.items()
    for text in (*UNLIKE[option.kind], *(() if option.may_be_null else ("null",)))
]


def read_parameter(loss: str, name: str, text: str, wants_refusal: bool) -> list[str]:
    notes = Notes("x.yaml")
    tree = parse_tree(f"{{{name}: {text}}}", notes)
    read_params(tree, "params", LOSSES[loss], notes, wants_refusal)
    return [f"{one.problem}; {one.remedy}" for one in notes.complaints()]


@pytest.mark.parametrize(("loss", "name", "text"), PARAMETERS)
def test_a_parameter_of_another_kind_is_refused(loss: str, name: str, text: str) -> None:
    (said,) = read_parameter(loss, name, text, wants_refusal=False)
    assert said.startswith(f"params.{name}")


@pytest.mark.parametrize("text", ["0", "1.5", "'yes'", "[1]"])
@pytest.mark.parametrize("name", ["size_average", "reduce"])
def test_the_pair_that_reduction_superseded_is_true_false_or_null(name: str, text: str) -> None:
    (said,) = read_parameter("NLLLoss", name, text, wants_refusal=False)
    assert said.startswith(f"params.{name}")
    for fine in ("true", "false", "null"):
        assert read_parameter("NLLLoss", name, fine, wants_refusal=False) == []


def test_a_parameter_that_is_to_be_refused_may_be_anything() -> None:
    for text in ("0.5", "true", "text", "null", "1e30", "[0.5]"):
        assert read_parameter("NLLLoss", "ignore_index", text, wants_refusal=True) == []
    (said,) = read_parameter("AdaptiveLogSoftmaxWithLoss", "cutoffs", "[0.5]", wants_refusal=True)
    assert said.startswith("params.cutoffs[0] is 0.5")


LOGITS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
INDICES: dict[str, Any] = {"input": LOGITS, "target": [0, 1, 0]}
PAIR: dict[str, Any] = {"x1": LOGITS, "x2": LOGITS}
ROWS: dict[str, Any] = {"input": LOGITS, "target": LOGITS}
FRAMES: dict[str, Any] = {
    "log_probs": np.zeros((3, 2, 4)),
    "targets": [[1, 2], [3, 3]],
    "input_lengths": [3, 3],
    "target_lengths": [2, 1],
}
FROM_PYTHON: list[tuple[type[Refusal], str, dict[str, Any], dict[str, Any], str]] = [
    (DtypeRefusal, "CrossEntropyLoss", {}, INDICES | {"target": np.array([0.0, 1.2, 0.0])}, "target holds"),
    (DtypeRefusal, "CrossEntropyLoss", {}, INDICES | {"target": [0, 2**70, 0]}, "target holds object"),
    (DtypeRefusal, "CTCLoss", {}, FRAMES | {"target_lengths": np.array([2, 1], np.uint64)}, "holds uint64"),
    (DtypeRefusal, "CTCLoss", {}, FRAMES | {"input_lengths": [3.0, 3.0]}, "input_lengths holds float64"),
    (DtypeRefusal, "MSELoss", {}, ROWS | {"input": np.array([["a", "b"]])}, "input holds"),
    (DtypeRefusal, "MSELoss", {}, ROWS | {"input": LOGITS.astype(np.longdouble)}, "input holds"),
    (RangeRefusal, "MSELoss", {}, ROWS | {"target": np.array([2**53 + 1])}, "which float64 cannot all hold"),
    (RangeRefusal, "MSELoss", {}, ROWS | {"target": np.array([-(2**62)])}, "which float64 cannot all hold"),
    (DtypeRefusal, "MSELoss", {}, ROWS | {"input": None}, "input holds object"),
    (ShapeRefusal, "MSELoss", {}, ROWS | {"input": [[1.0], [1.0, 2.0]]}, "input is a ragged list"),
    (OptionRefusal, "CrossEntropyLoss", {"ignore_index": 1.5}, INDICES, "must be a whole number of int64"),
    (OptionRefusal, "CrossEntropyLoss", {"ignore_index": True}, INDICES, "ignore_index is True"),
    (
        OptionRefusal,
        "CrossEntropyLoss",
        {"ignore_index": 2**63},
        INDICES,
        "ignore_index is 9223372036854775808",
    ),
    (OptionRefusal, "CrossEntropyLoss", {"ignore_index": "1"}, INDICES, "ignore_index is '1'"),
    (OptionRefusal, "CrossEntropyLoss", {"ignore_index": None}, INDICES, "ignore_index is None"),
    (OptionRefusal, "CrossEntropyLoss", {"label_smoothing": "0.1"}, INDICES, "must be a number"),
    (OptionRefusal, "CrossEntropyLoss", {"label_smoothing": None}, INDICES, "must be a number"),
    (OptionRefusal, "CrossEntropyLoss", {"label_smoothing": [0.1, 0.2]}, INDICES, "must be a number"),
    (OptionRefusal, "CrossEntropyLoss", {"weight": 2.0}, INDICES, "must be an array of numbers"),
    (OptionRefusal, "CrossEntropyLoss", {"weight": "ab"}, INDICES, "must be an array of numbers"),
    (OptionRefusal, "CrossEntropyLoss", {"reduction": 1}, INDICES, "must be none or mean or sum"),
    (OptionRefusal, "CrossEntropyLoss", {"reduction": ["mean"]}, INDICES, "must be none or mean or sum"),
    (OptionRefusal, "CrossEntropyLoss", {"reduce": 0}, INDICES, "must be true or false"),
    (OptionRefusal, "Softmax", {"dim": 0.5}, {"input": LOGITS}, "dim is 0.5"),
    (OptionRefusal, "CosineSimilarity", {"dim": 1.0}, PAIR, "dim is 1.0"),
    (OptionRefusal, "PairwiseDistance", {"p": "2"}, PAIR, "p is '2'; it must be a number"),
    (OptionRefusal, "PairwiseDistance", {"p": 10**400}, PAIR, "it must be a number"),
    (OptionRefusal, "PairwiseDistance", {"keepdim": 1}, PAIR, "keepdim is 1; it must be true or false"),
    (OptionRefusal, "KLDivLoss", {"log_target": 2}, ROWS, "it must be true or false"),
    (OptionRefusal, "HuberLoss", {"delta": True}, ROWS, "delta is True; it must be a number"),
    (OptionRefusal, "CTCLoss", {"blank": 0.5}, FRAMES, "blank is 0.5"),
    (
        OptionRefusal,
        "TripletMarginWithDistanceLoss",
        {"distance_function": max},
        dict.fromkeys(("anchor", "positive", "negative"), LOGITS),
        "it must be pairwise_distance or",
    ),
]


@pytest.mark.parametrize(("refusal", "loss", "params", "args", "words"), FROM_PYTHON)
def test_from_python_it_is_a_refusal(
    refusal: type[Refusal], loss: str, params: dict[str, Any], args: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refusal) as caught:
        lossproof.forward(loss, params, args)
    assert type(caught.value) is refusal
    assert words in str(caught.value)
    with pytest.raises(Refusal, match=re.escape(str(caught.value))):
        lossproof.gradient(loss, params, args, wrt=LOSSES[loss].differentiable[0])


def test_numbers_and_booleans_of_numpy_are_taken() -> None:
    params = {"margin": np.float32(0.5), "p": np.int64(2), "swap": np.True_}
    args = {"anchor": LOGITS, "positive": LOGITS, "negative": LOGITS + 1}
    plain = {"margin": 0.5, "p": 2, "swap": True}
    found, expected = (lossproof.forward("TripletMarginLoss", one, args) for one in (params, plain))
    np.testing.assert_array_equal(found, expected)

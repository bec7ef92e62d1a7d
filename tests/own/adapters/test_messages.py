"""The messages have the form that the schema states, and an answer that has another says what is wrong."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import numpy as np
import pytest
from repository import whole_corpus

from lossproof.adapters.messages import (
    START,
    STOP,
    announcement_of,
    answer_of,
    line_of,
    run_message,
)
from lossproof.adapters.parameters import effective_parameters
from lossproof.adapters.schema import complaint
from lossproof.adapters.tensor_json import NoAnswer, tensor_json
from lossproof.judging.calls import make_call, reductions_of
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Refused, Unsupported, Values

SCHEMA = json.loads(files("lossproof.adapters").joinpath("messages.schema.json").read_text(encoding="utf-8"))
NUMBER = {"dtype": "float64", "shape": [], "data": ["0x1p+0"]}
REQUEST = {"seq": 2, "wrt": ["input"]}
MINE = {"MSELoss": {"parameters": ["reduction"]}}
ANNOUNCED: dict[str, Any] = {
    "name": "mine",
    "version": "1.0",
    "language": "Zig",
    "dtypes": ["float64"],
    "losses": MINE,
}

# A message without an answer's form, and what is said of it.
WRONG_ANSWERS: list[tuple[Any, str]] = [
    ([1], "it is '[1]'; it must be an object"),
    ({}, "it has none of value, refused and unsupported; give one"),
    (
        {"seq": 2, "value": NUMBER, "refused": "no"},
        "it has value and refused of value, refused and unsupported",
    ),
    ({"value": NUMBER}, "it lacks 'seq'"),
    ({"seq": 1, "value": NUMBER}, "seq is 1, but message 2 is due; answer in order"),
    ({"seq": "2", "value": NUMBER}, "seq is '2'; it must be the seq of the run message"),
    ({"seq": True, "value": NUMBER}, "seq is true"),
    ({"seq": 2, "refused": 5}, "refused is 5; it must be a text"),
    ({"seq": 2, "unsupported": None}, "unsupported is null; it must be a text"),
    ({"seq": 2, "value": 1.5}, "value is 1.5; it must be a tensor"),
    ({"seq": 2, "value": NUMBER, "gradient": {}}, "it has 'gradient', which means nothing"),
    ({"seq": 2, "value": NUMBER, "gradients": [NUMBER]}, "gradients is [{"),
    ({"seq": 2, "value": NUMBER, "gradients": {"target": NUMBER}}, "gradients.target was not asked for"),
    (
        {"seq": 2, "value": NUMBER, "gradients": {"input": None}},
        "gradients.input is null; it must be a tensor",
    ),
    (
        {"seq": 2, "value": {**NUMBER, "dtype": "double"}},
        "value.dtype is 'double'; it must be the name of a dtype",
    ),
    (
        {"seq": 2, "value": {**NUMBER, "data": [1.5]}},
        "value.data[0] is 1.5; it must be a number as C writes it",
    ),
    ({"seq": 2, "value": {**NUMBER, "data": ["0.5"]}}, "value.data[0] is '0.5'"),
    ({"seq": 2, "value": {**NUMBER, "shape": [-1]}}, "value.shape[0] is -1; it must be a size"),
    ({"seq": 2, "value": {**NUMBER, "shape": [2]}}, "value.data has 1 elements"),
    ({"seq": 2, "value": {"dtype": "float64", "data": []}}, "value lacks 'shape'; it must be a tensor"),
]

WRONG_ANNOUNCEMENTS: list[tuple[dict[str, Any], str]] = [
    ({"name": "two words"}, "name is 'two words'; it must be a name of letters, digits and . _ + -"),
    ({"version": "the newest"}, "version is 'the newest'"),
    ({"version": "1.x"}, "version is '1.x'; write one such as 1.2.0rc1"),
    ({"language": 5}, "language is 5; it must be a text"),
    ({"tracker": "javascript:alert(1)"}, "tracker is 'javascript:alert(1)'; it must be an address"),
    ({"dtypes": []}, "dtypes is []; it must be a list of dtypes"),
    ({"dtypes": ["float"]}, "dtypes names 'float', which does not exist; did you mean 'float64'?"),
    ({"losses": {}}, "losses is {}; it must be an object that holds each loss"),
    (
        {"losses": {"MseLoss": {"parameters": []}}},
        "losses names 'MseLoss', which does not exist; did you mean 'MSELoss'?",
    ),
    ({"losses": {"MSELoss": {}}}, "losses.MSELoss lacks 'parameters'"),
    (
        {"losses": {"MSELoss": {"parameters": ["reductions"]}}},
        "losses.MSELoss.parameters names 'reductions', which does not exist; did you mean 'reduction'?",
    ),
    (
        {"losses": {"HuberLoss": {"parameters": [], "fixed": {"delta": "0.5"}}}},
        "losses.HuberLoss.fixed.delta is '0.5'",
    ),
    (
        {"losses": {"HuberLoss": {"parameters": [], "fixed": {"delta": 1}}}},
        "losses.HuberLoss.fixed.delta is 1",
    ),
    (
        {"losses": {"MSELoss": {"parameters": [], "fixed": {"size": "1"}}}},
        "names 'size', which does not exist",
    ),
    (
        {"lacks": ["broadcasting"]},
        "lacks names 'broadcasting', which does not exist; did you mean 'broadcast'?",
    ),
    ({"implicit": {}}, "it has 'implicit', which means nothing"),
]


def is_valid(message: Any, definition: str) -> bool:
    schema = {"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(message))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(dict(START))
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({"cmd": "begin"})


def test_each_message_to_a_runner_has_its_form() -> None:
    assert complaint(START, "start") == complaint(STOP, "stop") == ""
    seen = set()
    for case in whole_corpus().cases:
        if case.module or any(math.prod(tensor.shape) > 100 for tensor in case.args.values()):
            continue
        call = make_call(case, case.dtypes[0], reductions_of(case)[0])
        known = {*LOSSES[call.loss].typed_parameters, "reduction"}
        parameters = {name: value for name, value in effective_parameters(call).items() if name in known}
        message = run_message(replace(call, wrt=("input",)), 1, parameters, np.ones(()))
        assert complaint(message, "run") == "", case.id
        assert "\n" not in line_of(message)
        if case.loss not in seen:
            assert is_valid(message, "run"), case.id
        seen.add(case.loss)
    assert seen == set(LOSSES)


def test_a_parameter_is_written_by_its_kind() -> None:
    weight = Values(np.array([1.0, 2.0]), "float64")
    huber = Call("HuberLoss", {"delta": 1, "weight": weight}, {}, "mean", "float64")
    parameters = run_message(huber, 1, effective_parameters(huber), None)["parameters"]
    assert parameters == {"delta": "0x1p+0", "reduction": "mean", "weight": tensor_json(weight)}
    cross_entropy = Call("CrossEntropyLoss", {"label_smoothing": math.nan}, {}, "sum", "float64")
    parameters = run_message(cross_entropy, 1, effective_parameters(cross_entropy), None)["parameters"]
    assert parameters == {
        "weight": None,
        "ignore_index": "-100",
        "label_smoothing": "nan",
        "reduction": "sum",
    }
    triplet = Call("TripletMarginLoss", {"swap": True}, {}, None, "float64")
    assert run_message(triplet, 1, {"swap": True}, None)["parameters"] == {"swap": True}


@pytest.mark.parametrize(("message", "words"), WRONG_ANSWERS)
def test_a_wrong_answer_is_told_with_its_place(message: Any, words: str) -> None:
    with pytest.raises(NoAnswer) as refused:
        answer_of(json.dumps(message).encode(), REQUEST)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"hello", "it is 'hello', which is no JSON; print whatever is no answer to stderr"),
        (b"", "it is '', which is no JSON"),
        (b"\xff\x00", "which is no JSON"),
        (b'{"seq": 2, "value": NaN}', "which is no JSON"),
        (b"[" * 100_000, "which is no JSON"),
        (b'{"seq": ' + b"1" * 10_000 + b', "refused": ""}', "which is no JSON"),
        (b"null", "it is 'null'; it must be an object"),
    ],
)
def test_a_line_that_is_no_message_is_shown(line: bytes, words: str) -> None:
    with pytest.raises(NoAnswer) as refused:
        answer_of(line, REQUEST)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("change", "words"), WRONG_ANNOUNCEMENTS)
def test_a_wrong_announcement_is_told_with_its_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(NoAnswer) as refused:
        announcement_of(json.dumps({**ANNOUNCED, **change}).encode())
    assert words in str(refused.value)


def test_our_check_of_the_form_and_that_of_jsonschema_agree() -> None:
    right = [{**REQUEST, "value": NUMBER}, {"seq": 2, "value": NUMBER, "gradients": {"input": NUMBER}}]
    for message in [*(message for message, _ in WRONG_ANSWERS), *right]:
        assert is_valid(message, "computed") is (complaint(message, "computed") == ""), message
    right_changes: list[Any] = [{}, {"lacks": []}, {"tracker": "https://example.org"}]
    for change in [*(change for change, _ in WRONG_ANNOUNCEMENTS), *right_changes]:
        message = {**ANNOUNCED, **change}
        assert is_valid(message, "announcement") is (complaint(message, "announcement") == ""), message


def test_an_announcement_is_read() -> None:
    fixed = {"delta": "0x1p-1", "reduction": "none", "weight": None}
    losses = {**MINE, "HuberLoss": {"parameters": [], "fixed": fixed}}
    message = {**ANNOUNCED, "losses": losses, "lacks": ["empty"], "tracker": "https://example.org/issues"}
    read = announcement_of(json.dumps(message).encode())
    assert read.tracker == "https://example.org/issues"
    assert (read.name, read.version, read.language, read.dtypes) == ("mine", "1.0", "Zig", ("float64",))
    assert read.losses["MSELoss"].parameters == ("reduction",)
    assert read.losses["HuberLoss"].fixed == {"delta": 0.5, "reduction": "none", "weight": None}
    assert read.lacks == ("empty",)


def test_a_refusal_and_a_lack_are_the_runners_own_words() -> None:
    refused = answer_of(b'{"seq": 2, "refused": "no such class"}', REQUEST)
    assert isinstance(refused, Refused)
    assert str(refused) == "no such class"
    assert refused.is_exception
    unsupported = answer_of(b'{"seq": 2, "unsupported": "no such kernel"}', REQUEST)
    assert isinstance(unsupported, Unsupported)
    assert str(unsupported) == "no such kernel"

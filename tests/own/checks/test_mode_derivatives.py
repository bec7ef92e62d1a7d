"""What a derivative that a mode takes must be: along a direction, and of second order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case
from pretended_modes import (
    CONVENTION,
    DISTANCE,
    FLOAT64,
    SECOND,
    VARIANCE,
    VECTOR,
    altered,
    examine,
    moved,
    scaled,
)
from pretenders import Modal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Fill
from lossproof.judging.calls import CallPlanner
from lossproof.judging.derivatives import derivative_along, directions_of, second_derivatives
from lossproof.records.record import Record
from lossproof.subjects.call import Call, ModeObservation, Observation

# Infinite are the value, a gradient, one of the inputs.
INFINITE = [
    case("MSELoss", {"input": literal([".inf", "1"]), "target": literal(["1", "0.3"])}),
    case("BCELoss", {"input": literal(["0"]), "target": literal(["1"])}),
    case(
        "MarginRankingLoss",
        {"input1": literal([".inf", "1"]), "input2": literal(["1", "2"]), "target": literal(["1", "1"])},
    ),
    case("HingeEmbeddingLoss", {"input": literal([".inf", "0.25"]), "target": literal(["-1", "1"])}),
]


def test_all_outputs_count_in_a_derivative_along() -> None:
    """What the elements lack in one place they may have in another, weighted by the upstream gradient."""
    planned = CallPlanner().plan(VECTOR, "float64", None)
    upstream = planned.truth.upstreams[-1][0]

    def change(seen: Any) -> Any:
        value = seen.value.copy()
        value[0, :2] += np.array([1.0, -upstream[0] / upstream[1]])
        return replace(seen, value=value)

    [record] = examine("jvp", change, VECTOR).values()
    assert record.outcome == "agree"
    [record] = examine("jvp", moved((0, 1), 1e-9), VECTOR).values()
    assert record.outcome == "disagree"


@pytest.mark.parametrize("examined", INFINITE)
@pytest.mark.parametrize("mode", ["jvp", *SECOND])
def test_where_numbers_are_infinite_no_derivative_along_is_asked(mode: str, examined: Case) -> None:
    def in_mode(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
        return ModeObservation(answer.value, answer.dtype, answer.gradients[-1:])

    records = Examiner().examine(examined, Modal((mode, "func.grad"), in_mode), "float64")
    quantities = {record.quantity for record in records if record.reduction == "mean"}
    assert any(quantity.startswith("func.grad") for quantity in quantities)
    assert not [quantity for quantity in quantities if quantity.startswith(mode)]


# Torch's gradient by log-probabilities is one by logits, and that is the only convention of the loss.
ALIGNED = case(
    "CTCLoss",
    {
        "log_probs": literal([[["-0.5", "-1"]], [["-1", "-0.5"]]]),
        "targets": literal([["1"]]),
        "input_lengths": literal(["2"]),
        "target_lengths": literal(["1"]),
    },
)


def along(gradient: Callable[[Any], Mapping[str, Any]], examined: Case = CONVENTION) -> dict[str, Record]:
    """The record of forward mode at a point of a convention, which yields the derivative by ``gradient``."""
    planned = CallPlanner().plan(examined, "float64", "mean")
    directions = directions_of(planned.prepared, FLOAT64)
    total = sum(float(np.sum(value * directions[name])) for name, value in gradient(planned).items())
    return examine("jvp", lambda seen: replace(seen, value=np.array(total)), examined)


@pytest.mark.parametrize("examined", [CONVENTION, ALIGNED])
def test_by_convention_forward_mode_may_yield_the_gradient_or_the_derivative(examined: Case) -> None:
    ones = np.ones(())
    record = along(lambda planned: planned.prepared.gradient(ones), examined)["jvp"]
    assert (record.outcome, record.rule, record.message) == ("agree", "", "")
    record = along(lambda planned: planned.prepared.derivative(ones), examined)["jvp"]
    assert (record.outcome, record.rule) == ("agree", "convention")
    assert record.message == "the derivative of the value, which the gradient by convention is not"


def test_what_is_neither_the_gradient_nor_the_derivative_is_wrong() -> None:
    record = along(lambda planned: {"input": np.array([7.0])})["jvp"]
    assert record.outcome == "disagree"
    assert "budget" in record.message
    assert "; torch's gradient is a convention: " in record.message


def test_the_program_of_a_wrong_forward_mode_passes_for_the_gradient_and_for_the_derivative() -> None:
    wrong = {"input": np.array([7.0])}
    record = along(lambda planned: wrong)["jvp"]
    assert record.detail is not None
    assertion = record.detail["snippet"].splitlines()[-1]
    planned = CallPlanner().plan(CONVENTION, "float64", "mean")
    directions = directions_of(planned.prepared, FLOAT64)

    def total(gradients: Mapping[str, Any]) -> float:
        return sum(float(np.sum(value * directions[name])) for name, value in gradients.items())

    upstream = planned.truth.upstreams[-1]
    for right in (planned.prepared.gradient(upstream), planned.prepared.derivative(upstream)):
        exec(assertion, {"got": total(right)})
    with pytest.raises(AssertionError):
        exec(assertion, {"got": total(wrong)})


def test_of_nothing_the_second_derivatives_are_nothing() -> None:
    nothing = Fill(parse_numeral("0"), (0, 3))
    empty = case("CosineSimilarity", {"x1": nothing, "x2": nothing})
    records = examine("forward_over_reverse", examined=empty)
    assert {name: record.outcome for name, record in records.items()} == {
        f"forward_over_reverse:{name}": "agree" for name in ("x1", "x2")
    }


def test_of_a_convention_there_are_no_second_derivatives() -> None:
    assert examine("forward_over_reverse", examined=CONVENTION) == {}
    records = examine("double_backward", examined=CONVENTION)
    assert {name: record.outcome for name, record in records.items()} == {"double_backward:upstream": "agree"}
    wrong = examine("double_backward", scaled("upstream", 1.5), CONVENTION)["double_backward:upstream"]
    assert wrong.outcome == "disagree"
    assert "; torch's gradient is a convention: " in wrong.message


def test_beside_a_convention_there_are_second_derivatives() -> None:
    wide = case(
        "GaussianNLLLoss", VARIANCE | {"var": literal(["0.75"])}, params={"eps": parse_numeral("0.5")}
    )
    records = examine("forward_over_reverse", examined=wide)
    assert {name: record.outcome for name, record in records.items()} == {
        f"forward_over_reverse:{name}": "agree" for name in ("input", "target", "var")
    }
    assert examine("jvp", examined=wide)["jvp"].message == ""


def test_a_derivative_by_the_upstream_gradient_is_graded() -> None:
    record = examine("double_backward", scaled("upstream", 1 + 1e-6))["double_backward:upstream"]
    assert record.outcome == "agree"
    assert "graded" in record.message
    for examined, shape in ((DISTANCE, "()"), (VECTOR, "(1, 3)")):
        shapeless = examine(
            "double_backward",
            lambda seen: replace(seen, gradients=(seen.gradients[0] | {"upstream": np.zeros(3)},)),
            examined,
        )["double_backward:upstream"]
        assert (shapeless.outcome, shapeless.message) == ("disagree", f"shape (3,), should be {shape}")


def test_the_program_of_a_derivative_by_the_upstream_gradient_passes_for_what_is_graded() -> None:
    planned = CallPlanner().plan(DISTANCE, "float64", "mean")
    directions = directions_of(planned.prepared, FLOAT64)
    true = float(derivative_along(planned.truth.gradients[-1], directions).value)
    record = examine("double_backward", scaled("upstream", 1.5))["double_backward:upstream"]
    assert record.detail is not None
    assertion = record.detail["snippet"].splitlines()[-1]
    exec(assertion, {"got": true * (1 + 1e-6)})
    with pytest.raises(AssertionError):
        exec(assertion, {"got": true * 1.5})


@pytest.mark.parametrize(("share", "agrees"), [(0.97, True), (1.03, False)])
def test_a_second_derivative_is_no_sharper_than_the_gradient_along(share: float, agrees: bool) -> None:
    """Those of |x - t| are 0, without any budget; its gradient by three elements is a third, rounded."""
    thirds = case("L1Loss", {"input": literal(["1", "2", "3"]), "target": literal(["0.5", "0.5", "0.5"])})
    planned = CallPlanner().plan(thirds, "float64", "mean")
    directions = directions_of(planned.prepared, FLOAT64)
    bound = max(float(np.max(truth.bound)) for truth in planned.truth.gradients[-1].values())
    floor = 2 * bound * max(float(np.max(np.abs(direction))) for direction in directions.values())
    off = np.array([0.0, share * 1000 * floor, 0.0])
    [record, *_] = examine(
        "forward_over_reverse", lambda seen: replace(seen, gradients=({"input": off},)), thirds
    ).values()
    assert record.quantity == "forward_over_reverse:input"
    assert (record.outcome == "agree") is agrees


def test_forward_mode_may_move_one_tensor_alone() -> None:
    planned = CallPlanner().plan(DISTANCE, "float64", "mean")
    upstream = planned.truth.upstreams[-1]
    directions = directions_of(planned.prepared, FLOAT64)
    alone = second_derivatives(planned.prepared, upstream, {"input": directions["input"]}, FLOAT64)["input"]
    records = examine("forward_over_reverse", lambda seen: replace(seen, gradients=({"input": alone.value},)))
    assert {name: record.outcome for name, record in records.items()} == {
        "forward_over_reverse:input": "agree"
    }


def test_where_a_second_derivative_jumps_all_between_its_sides_is_right() -> None:
    kink = case("HuberLoss", {"input": literal(["1"]), "target": literal(["0"])})
    planned = CallPlanner().plan(kink, "float64", "mean")
    direction = directions_of(planned.prepared, FLOAT64)["input"]
    full = direction * planned.truth.upstreams[-1]
    for share, agrees in ((0.0, True), (0.5, True), (1.0, True), (1.5, False), (-0.5, False)):
        seconds = {"input": share * full}
        records = examine("forward_over_reverse", altered(gradients=(seconds,)), kink)
        assert (records["forward_over_reverse:input"].outcome == "agree") is agrees

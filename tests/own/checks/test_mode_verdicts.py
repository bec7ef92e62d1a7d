"""What the outcome of a mode must be, told by a subject that pretends one; ``test_modes.py`` runs torch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from pretenders import Modal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Fill, Tensor
from lossproof.judging.calls import CallPlanner
from lossproof.judging.derivatives import derivative_along, directions_of, second_derivatives
from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.records.record import Record
from lossproof.subjects.call import Call, ModeObservation, Observation, Refused, Unsupported

FLOAT64 = FORMATS["float64"]


def case(loss: str, args: Mapping[str, Tensor], **params: Any) -> Case:
    return Case("one", "a case", loss, "cases/x.yaml", 3, args=args, params=params)


PAIR = {"input": literal(["0.5", "-1"]), "target": literal(["1", "0.3"])}
DISTANCE = case("MSELoss", PAIR)
VECTOR = case("LogSoftmax", {"input": literal([["0.5", "-1", "2"]])}, dim=parse_numeral("1"))
# Torch's gradient by a variance below eps is a convention.
VARIANCE = {"input": literal(["1"]), "target": literal(["3"]), "var": literal(["0.25"])}
CONVENTION = case("GaussianNLLLoss", VARIANCE, eps=parse_numeral("0.5"))
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


def right(mode: str, call: Call, answer: Observation, directions: Mapping[str, Float64Array]) -> Any:
    """What each mode should yield, by the closed forms."""
    planned = CallPlanner().plan(current[0], call.dtype, call.reduction)
    plain, upstream = answer.gradients[-1], call.upstreams[-1]
    if mode in ("jvp", "double_backward"):
        # All of the derivative of sum(upstream * output) in its first element.
        along = np.zeros(answer.value.shape)
        along.flat[0] = derivative_along(planned.truth.gradients[-1], directions).value / upstream.flat[0]
        if mode == "jvp":
            return ModeObservation(along, answer.dtype)
    if mode in ("double_backward", "forward_over_reverse"):
        second = second_derivatives(planned.prepared, upstream, directions, FLOAT64)
        gradients = {name: truth.value for name, truth in second.items()}
        if mode == "double_backward":
            gradients["upstream"] = along
        return ModeObservation(answer.value, answer.dtype, (gradients,))
    if mode in ("meta", "fake"):
        nothing = {name: gradient * np.nan for name, gradient in plain.items()}
        return ModeObservation(answer.value * np.nan, answer.dtype, (nothing,))
    if mode == "vmap":
        return ModeObservation(np.stack([answer.value, answer.value]), answer.dtype)
    if mode == "autocast":
        return ModeObservation(answer.value, "float32", computed_in="bfloat16")
    return ModeObservation(answer.value, answer.dtype, (plain,))


PLAIN = ("subclass", "twice", "threads", "channels_last")
ABSTRACT = ("meta", "fake")
SECOND = ("double_backward", "forward_over_reverse")
ALL = ("jvp", *SECOND, "func.grad", "vmap", *ABSTRACT, *PLAIN, "autocast")
current = [DISTANCE]


def examine(
    mode: str, change: Callable[[Any], Any] = lambda seen: seen, examined: Case = DISTANCE
) -> dict[str, Record]:
    """The records of a mode whose right outcome was changed."""
    current[0] = examined

    def in_mode(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
        changed: ModeObservation = change(right(mode, call, answer, directions))
        return changed

    records = Examiner().examine(examined, Modal((mode,), in_mode), "float64")
    return {record.quantity: record for record in records if record.quantity.partition(":")[0] == mode}


def altered(**changes: Any) -> Callable[[Any], Any]:
    """Replace parts of the outcome."""
    return lambda seen: replace(seen, **changes)


def scaled(quantity: str, factor: float) -> Callable[[Any], Any]:
    """Change the value or the gradient by an argument."""

    def change(seen: Any) -> Any:
        if quantity == "value":
            return replace(seen, value=seen.value * factor)
        [gradients] = seen.gradients
        return replace(seen, gradients=(gradients | {quantity: gradients[quantity] * factor},))

    return change


def moved(place: tuple[int, ...], by: float) -> Callable[[Any], Any]:
    """Change one element of the value."""

    def change(seen: Any) -> Any:
        value = seen.value.copy()
        value[place] += by
        return replace(seen, value=value)

    return change


@pytest.mark.parametrize("examined", [DISTANCE, VECTOR])
@pytest.mark.parametrize("mode", ALL)
def test_what_is_right_agrees(mode: str, examined: Case) -> None:
    records = examine(mode, examined=examined)
    names = ["input", "target"] if examined is DISTANCE else ["input"]
    upstream = ["upstream"] if mode == "double_backward" else []
    has_parts = mode in (*SECOND, "func.grad")
    assert set(records) == ({f"{mode}:{name}" for name in [*names, *upstream]} if has_parts else {mode})
    for record in records.values():
        assert (record.outcome, record.layout) == ("agree", "contiguous")
        assert record.reduction == ("mean" if examined is DISTANCE else None)
        assert record.message == ("computed in bfloat16" if mode == "autocast" else "")


WRONG: list[tuple[str, Callable[[Any], Any], str, str]] = [
    ("jvp", scaled("value", 1 + 1e-12), "jvp", "budget"),
    ("jvp", lambda seen: replace(seen, value=np.zeros(3)), "jvp", r"shape \(3,\), should be \(\)"),
    ("double_backward", scaled("input", 1.01), "double_backward:input", "budget"),
    ("double_backward", scaled("upstream", 1.01), "double_backward:upstream", "budget"),
    ("forward_over_reverse", scaled("target", 1.01), "forward_over_reverse:target", "budget"),
    ("func.grad", scaled("target", 1 + 1e-12), "func.grad:target", "budget"),
    ("vmap", moved((0,), 1e-12), "vmap", "budget"),
    ("vmap", moved((1,), 1e-12), "vmap", "budget"),
    ("vmap", lambda seen: replace(seen, dtype="float32"), "vmap", "is float32, should be float64"),
    ("twice", scaled("value", 1 + 2.0**-52), "twice", "must be exact"),
    ("autocast", scaled("value", 1.1), "autocast", "budget"),
    ("autocast", lambda seen: replace(seen, dtype="float64"), "autocast", "is float64, should be float32"),
    ("autocast", lambda seen: replace(seen, computed_in="float16", dtype="bfloat16"), "autocast", "bfloat16"),
    *((mode, scaled(part, 1 + 1e-12), mode, "budget") for mode in PLAIN[2:] for part in ("value", "input")),
    *(
        (mode, lambda seen: replace(seen, dtype="float32"), mode, "is float32, should be float64")
        for mode in (*PLAIN, *ABSTRACT)
    ),
    *((mode, lambda seen: replace(seen, value=np.full(1, np.nan)), mode, "shape") for mode in ABSTRACT),
    *((mode, lambda seen: replace(seen, value=np.ones(())), mode, "has numbers") for mode in ABSTRACT),
    *(
        (mode, lambda seen: replace(seen, gradients=({"input": np.array([1, np.nan])},)), mode, "has numbers")
        for mode in ABSTRACT
    ),
    *(
        (mode, lambda seen: replace(seen, gradients=({"target": np.full(3, np.nan)},)), mode, "shape")
        for mode in ABSTRACT
    ),
]


@pytest.mark.parametrize(("mode", "change", "quantity", "words"), WRONG)
def test_what_is_wrong_disagrees(mode: str, change: Callable[[Any], Any], quantity: str, words: str) -> None:
    records = examine(mode, change)
    assert {name for name, record in records.items() if record.outcome != "agree"} == {quantity}
    record = records[quantity]
    assert record.outcome == "disagree"
    assert words in record.message or words.replace("\\", "") in record.message
    assert "convention" not in record.message
    assert record.detail is not None
    assert {"inputs", "expected", "observed", "snippet"} <= set(record.detail)


def test_the_modes_of_autocast_may_return_what_they_compute_in() -> None:
    for dtype in ("float32", "bfloat16"):
        [record] = examine("autocast", altered(dtype=dtype)).values()
        assert (record.outcome, record.message) == ("agree", "computed in bfloat16")
    [record] = examine("autocast", scaled("value", 1 + 2.0**-9)).values()
    assert record.outcome == "agree"
    precise = examine("autocast", lambda seen: replace(seen, value=seen.value * 1.01, computed_in="float16"))
    assert precise["autocast"].outcome == "disagree"


@pytest.mark.parametrize(("share", "agrees"), [(0.97, True), (1.03, False)])
@pytest.mark.parametrize(("mode", "part"), [("func.grad", "input"), ("threads", "value"), ("vmap", "value")])
def test_a_mode_and_the_plain_call_may_each_use_up_their_tolerance(
    mode: str, part: str, share: float, agrees: bool
) -> None:
    planned = CallPlanner().plan(DISTANCE, "float64", "mean")
    truth = planned.truth.gradients[-1]["input"] if part == "input" else planned.truth.value
    off = share * 4 * truth.bound

    def change(seen: Any) -> Any:
        if part == "input":
            return replace(seen, gradients=({"input": seen.gradients[0]["input"] + off},))
        return replace(seen, value=seen.value + off)

    [record] = examine(mode, change).values()
    assert record.error_over_budget == pytest.approx(share, rel=0.1)
    assert (record.outcome == "agree") is agrees


def test_of_several_results_the_gravest_is_told() -> None:
    [record] = examine("threads", scaled("target", 1 + 2.0**-52)).values()
    assert record.outcome == "agree"
    assert 0 < (record.error_over_budget or 0.0) <= 1

    def change(seen: Any) -> Any:
        return scaled("value", 1 + 1e-12)(scaled("target", 1 + 1e-9)(seen))

    [first] = examine("threads", change).values()
    [second] = examine("threads", scaled("target", 1 + 1e-9)).values()
    assert first.error_over_budget == second.error_over_budget


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


def along(gradient: Callable[[Any], Mapping[str, Any]]) -> dict[str, Record]:
    """The record of forward mode at a point of a convention, which yields the derivative by ``gradient``."""
    planned = CallPlanner().plan(CONVENTION, "float64", "mean")
    directions = directions_of(planned.prepared, FLOAT64)
    total = sum(float(np.sum(value * directions[name])) for name, value in gradient(planned).items())
    return examine("jvp", lambda seen: replace(seen, value=np.array(total)), CONVENTION)


def test_by_convention_forward_mode_may_yield_the_gradient_or_the_derivative() -> None:
    ones = np.ones(())
    record = along(lambda planned: planned.prepared.gradient(ones))["jvp"]
    assert (record.outcome, record.message) == ("agree", "")
    record = along(lambda planned: planned.prepared.derivative(ones))["jvp"]
    assert record.outcome == "agree"
    assert record.message == "the derivative of the value, which the gradient by convention is not"
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
    wide = case("GaussianNLLLoss", VARIANCE | {"var": literal(["0.75"])}, eps=parse_numeral("0.5"))
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


@pytest.mark.parametrize(
    ("error", "outcome", "message"),
    [
        (Unsupported("no batching rule"), "unsupported", "no batching rule"),
        (Refused("IndexError", "out of range", "call"), "error", "raised IndexError: out of range"),
    ],
)
def test_a_mode_that_raises_is_on_record(error: Exception, outcome: str, message: str) -> None:
    def raising(seen: Any) -> Any:
        raise error

    record = examine("vmap", raising)["vmap"]
    assert (record.outcome, record.message, record.reduction) == (outcome, message, "mean")
    assert (record.detail is not None) is (outcome == "error")
    if record.detail is not None:
        assert {"inputs", "snippet"} <= set(record.detail)


@pytest.mark.parametrize("wrong", ["value", "shape", "ones", "seeded"])
def test_what_is_wrong_without_a_mode_has_no_modes(wrong: str) -> None:
    def act(call: Call, answer: Observation) -> Observation:
        if wrong == "value":
            return replace(answer, value=answer.value + 1)
        if wrong == "shape":
            return replace(answer, value=np.zeros(3), gradients=())
        ones, seeded = answer.gradients
        off = {"input": ones["input"], "target": seeded["target"] + 1}
        return replace(answer, gradients=(off, seeded) if wrong == "ones" else (ones, off))

    current[0] = DISTANCE
    records = Examiner().examine(DISTANCE, Modal(("threads",), right, act), "float64")
    assert all(record.quantity != "threads" for record in records)

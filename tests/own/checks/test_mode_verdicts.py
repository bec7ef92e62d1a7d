"""What the outcome of a mode must be, told by a subject that pretends one; ``test_modes.py`` runs torch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case
from pretended_modes import (
    ABSTRACT,
    ALL,
    DISTANCE,
    PLAIN,
    SECOND,
    VECTOR,
    altered,
    examine,
    moved,
    right,
    scaled,
)
from pretenders import Modal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Fill
from lossproof.judging.calls import CallPlanner
from lossproof.subjects.call import Call, Observation, Refused, Unsupported


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
    assert "computed in" not in record.message
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


def test_an_overflow_of_the_narrower_dtype_is_told_beside_that_dtype() -> None:
    """300^2 is beyond float16, the loss is not."""
    squared = {"input": literal(["300"]), "target": literal(["0"]), "var": literal(["60000"])}
    change = altered(value=np.array(math.inf), computed_in="float16")
    [record] = examine("autocast", change, case("GaussianNLLLoss", squared)).values()
    assert (record.outcome, record.rule) == ("overflowed", "overflow")
    assert record.message.startswith("computed in float16; inf passes for 6.25")


@pytest.mark.parametrize(
    ("mode", "change", "came_out"),
    [
        ("threads", altered(dtype="float32"), "float32"),
        ("autocast", altered(dtype="float64"), "float64"),
        ("meta", altered(value=np.ones(())), "numbers"),
    ],
)
def test_what_came_out_in_place_of_numbers_is_on_record(mode: str, change: Any, came_out: str) -> None:
    [record] = examine(mode, change).values()
    assert record.came_out == [came_out]


def test_a_mode_is_compared_with_the_plain_call_and_with_no_other_computation() -> None:
    numbers = {name: Fill(parse_numeral("0.1"), (3000,)) for name in ("input", "target")}
    many = case("KLDivLoss", numbers, reductions=("sum",))
    truth = CallPlanner().plan(many, "float64", "sum").truth.value
    [record] = examine(
        "threads", lambda seen: replace(seen, value=seen.value + 5 * truth.bound), many
    ).values()
    assert record.outcome == "disagree"
    assert "as far off as" not in record.message


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

    records = Examiner().examine(DISTANCE, Modal(("threads",), partial(right, DISTANCE), act), "float64")
    assert all(record.quantity != "threads" for record in records)

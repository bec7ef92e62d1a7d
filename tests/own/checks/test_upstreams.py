"""The upstream gradient that a case chooses is the one that its gradients are judged for, in all places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from examined_cases import cases_of, examine, named
from snippet_runs import fails_as_told

from lossproof.adapters.functions import FunctionTable
from lossproof.adapters.messages import run_message
from lossproof.checks.certification import certify
from lossproof.corpus.case import Case
from lossproof.corpus.upstreams import lint_upstream
from lossproof.judging.calls import CallPlanner
from lossproof.judging.content_store import ContentStore
from lossproof.judging.stored_truth import storing
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject

CASES = cases_of(
    """\
loss: MSELoss
cases:
  - id: masked
    title: the upstream gradient is 0 where the target is nan, and negative elsewhere
    args: {input: [0.5, -1, 2], target: [.nan, 1, 0.5]}
    upstream: [0, -1, -3]
    reductions: [none]
    gradient: {none: {input: [.nan, 4, -9]}}
  - id: other
    title: the same with another upstream gradient
    args: {input: [0.5, -1, 2], target: [.nan, 1, 0.5]}
    upstream: [0, 2, -3]
    reductions: [none]
  - id: tiny
    title: an upstream gradient whose half is beyond float32
    args: {input: [0.5, -1, 2], target: [1, 1, 0.5]}
    upstream: ['0x1p-149', '0x1p120', '0x1p-140']
    reductions: [none]
    dtypes: [float32, float64]
  - id: scaled
    title: the mean is scaled before its backward pass
    args: {input: [0.5, -1], target: [1, 1]}
    upstream: -4
    reductions: [mean, sum]
    dtypes: [float32, bfloat16]
    gradient: {mean: {input: {digits: [2, 8], float32: [2, 8]}}}
  - id: tenth
    title: a gradient for the decimal as it is written
    args: {input: [2], target: [1]}
    upstream: [0.1]
    reductions: [none]
    rounded: true
    gradient: {none: {input: [0.200000000000000000000]}}
  - id: repeated
    title: a call made several times
    args: {input: [0.5, -1], target: [1, 1]}
    upstream: [3, 0]
    reductions: [none]
    repeats: 2
"""
)


def gradients(records: list[Record]) -> dict[str, str]:
    return {
        record.quantity: record.outcome
        for record in records
        if record.quantity.kind in ("gradient", "vjp") and record.layout == "contiguous"
    }


@pytest.mark.parametrize("id", CASES)
def test_torch_is_right_in_every_way(id: str) -> None:
    case = CASES[id]
    for dtype in case.dtypes:
        records = examine(case, find_subject("torch.nn.functional"), dtype, with_all_ways=True)
        wrong = [record for record in records if not record.outcome.is_passing]
        assert [(one.quantity, one.message) for one in wrong if one.outcome != "unsupported"] == []
        assert gradients(records) == {"gradient:input": "agree", "gradient:target": "agree"}


def test_the_truth_is_that_of_the_chosen_upstream_gradient() -> None:
    planned = CallPlanner().plan(CASES["masked"], "float32", "none")
    [upstream], [gradient] = planned.call.upstreams, planned.truth.gradients
    assert upstream.tolist() == [0, -1, -3]
    assert gradient["input"].value.tolist()[1:] == [4, -9]
    assert np.isnan(gradient["input"].value[0])


def _where_upstream(keep: Any) -> type[FunctionTable]:
    """A squared error whose backward pass sees of its upstream gradient what is kept of it."""

    class Kept(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(input - target)
            return (input - target) ** 2

        @staticmethod
        def backward(ctx: Any, *upstreams: Any) -> Any:
            (difference,) = ctx.saved_tensors
            gradient = keep(2 * difference * upstreams[0], upstreams[0])
            return gradient, -gradient

    def loss(input: torch.Tensor, target: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
        losses: torch.Tensor = Kept.apply(input, target)  # type: ignore[no-untyped-call]  # torch's
        return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]

    globals()["loss"] = loss

    class Table(FunctionTable):
        name = "kept"
        table = {"MSELoss": loss}  # noqa: RUF012  # the way in which such a table is written

    return Table


@pytest.mark.parametrize(
    ("id", "keep"),
    [
        ("masked", lambda gradient, upstream: torch.where(upstream == 0, 0, gradient)),
        ("masked", lambda gradient, upstream: gradient.where(upstream > -1, -gradient)),
        ("tiny", lambda gradient, upstream: gradient.clamp(-1e4, 1e4)),
        ("scaled", lambda gradient, upstream: gradient.clamp(-5, 5)),
        ("repeated", lambda gradient, upstream: gradient.clamp(-1, 1)),
    ],
)
def test_a_fault_that_shows_for_some_upstream_gradients_is_caught(id: str, keep: Any) -> None:
    right = gradients(examine(CASES[id], _where_upstream(lambda gradient, _: gradient)(), "float32"))
    assert set(right.values()) == {"agree"}
    records = examine(CASES[id], _where_upstream(keep)(), "float32")
    wrong = named(records, "gradient:input")
    assert wrong.outcome == "disagree"
    assert wrong.detail is not None
    assert "upstream = torch.tensor(" in wrong.detail["snippet"]


def test_the_program_makes_the_chosen_upstream_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.nn.functional.mse_loss

    class Masking(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, losses: torch.Tensor) -> torch.Tensor:
            return losses.clone()

        @staticmethod
        def backward(ctx: Any, *upstreams: Any) -> Any:
            return upstreams[0].clamp(min=0)

    def wrong_loss(*args: Any, **options: Any) -> Any:
        return Masking.apply(right(*args, **options))  # type: ignore[no-untyped-call]  # torch's

    monkeypatch.setattr(torch.nn.functional, "mse_loss", wrong_loss)
    for subject in ("torch.nn", "torch.nn.functional"):
        for id in ("masked", "scaled"):
            wrong = named(examine(CASES[id], find_subject(subject), "float32"), "gradient:input")
            assert wrong.outcome == "disagree"
            assert wrong.detail is not None
            assert "upstream = torch.tensor(" in wrong.detail["snippet"]
            assert fails_as_told(wrong)


def test_a_program_gets_the_chosen_upstream_gradient() -> None:
    call = CallPlanner().plan(CASES["scaled"], "float32", "mean").call
    [upstream] = call.upstreams
    assert run_message(call, 1, {}, upstream)["upstream"]["data"] == ["-0x1p+2"]


@pytest.mark.parametrize("id", CASES)
def test_stated_gradients_are_those_of_the_chosen_upstream_gradient(id: str) -> None:
    assert {record.outcome for record in certify(CASES[id])} <= {"agree"}


def test_a_stated_gradient_for_ones_is_wrong() -> None:
    usual = replace(CASES["scaled"], upstream=None)
    assert {record.outcome for record in certify(usual)} == {"disagree"}


def test_truth_is_stored_by_its_upstream_gradient(tmp_path: Path) -> None:
    store = ContentStore(tmp_path)
    found: list[float] = []
    for case in (CASES["masked"], CASES["other"], replace(CASES["other"], upstream=None), CASES["masked"]):
        with storing(store):
            truth = CallPlanner().plan(case, "float32", "none").truth
        store.keep()
        found.append(float(truth.gradients[0]["input"].value[1]))
    assert found == [4, -8, -4, 4]


def _complaints(case: Case) -> list[str]:
    return [f"{one.problem}; {one.remedy}" for one in lint_upstream(case)]


def test_a_result_of_another_dtype_or_without_gradients_takes_none() -> None:
    typed = """\
cases:
  - id: {id}
    title: it is of another dtype
    loss: PoissonNLLLoss
    args: {{input: {{dtype: {dtype}, data: [1, 2]}}, target: {{dtype: {dtype}, data: [1, 2]}}}}
    reductions: [none]
"""
    for dtype, words in (("float32", "but the result is of float32"), ("int64", "has a gradient")):
        case = cases_of(typed.format(id="one", dtype=dtype))["one"]
        [complaint] = _complaints(replace(case, upstream=CASES["repeated"].upstream))
        assert words in complaint


def test_an_identity_takes_the_usual_upstream_gradients() -> None:
    [case] = cases_of(
        """\
cases:
  - id: one
    title: the other side has another shape
    loss: MSELoss
    args: {input: [0.5, -1], target: [1, 1]}
    upstream: [3, 0]
    reductions: [none]
    differs_from: {args: {input: [[1]], target: [[2]]}, why: they are others}
"""
    ).values()
    records = examine(case, find_subject("torch.nn.functional"))
    assert named(records, "gradient:input").outcome == "agree"

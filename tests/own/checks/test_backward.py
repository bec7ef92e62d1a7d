"""A backward pass that raises after a value has come out: the value is judged, and the failure is told."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from command_lines import typed
from exact_arithmetic import literal
from examined_cases import DISTANCE, LABELLED, REFUSAL, case, examine, named, outcomes, plainly_again
from pretenders import Modal, Pretender

from lossproof.corpus.case import Identity, Raised, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Uniform
from lossproof.judging.calls import make_call
from lossproof.subjects.call import Call, Observation, Refused, SeenWarning, Unsupported
from lossproof.subjects.isolated import run_isolated
from lossproof.subjects.reference.subject import ReferenceSubject
from lossproof.subjects.registry import find_subject

FAILURE = Refused("RuntimeError", "found no derivative", "backward")
TOTAL = replace(DISTANCE, reductions=("sum",))
GRADIENTS = {"gradient:input", "gradient:target", "vjp:input", "vjp:target"}


def failing(
    failure: Any = FAILURE, act: Callable[[Observation], Observation] = lambda answer: answer, **options: Any
) -> Pretender:
    """Has a value, and no gradients."""
    return Pretender(
        lambda call, answer: replace(act(answer), gradients=(), failure=failure if call.wrt else None),
        **options,
    )


def off(answer: Observation) -> Observation:
    return replace(answer, value=answer.value + 1)


@pytest.mark.parametrize("stage", ["backward", "call"])
def test_a_right_value_agrees_though_its_backward_pass_raises(stage: str) -> None:
    """The stage that the subject names does not matter."""
    records = examine(TOTAL, failing(Refused("RuntimeError", "found no derivative", stage)))
    assert outcomes(records) == {("value", "agree"), ("gradient", "error"), ("unchanged", "agree")}
    record = named(records, "gradient")
    assert record.message == "raised RuntimeError: found no derivative"
    assert (record.reduction, record.layout) == ("sum", "contiguous")
    assert record.detail is not None
    assert "torch.autograd" in record.detail["snippet"]


def test_a_wrong_value_is_told_beside_a_backward_pass_that_raises() -> None:
    records = examine(TOTAL, failing(act=off))
    assert outcomes(records) >= {("value", "disagree"), ("gradient", "error")}
    assert named(records, "value").message.startswith("the result is 9.3125, should be 8.3125")
    typed_wrong = examine(TOTAL, failing(act=lambda answer: replace(answer, dtype="float32")))
    assert named(typed_wrong, "value").message == "has dtype float32, should have float64"
    changed = examine(TOTAL, failing(act=lambda answer: replace(answer, changes=("target",))))
    assert named(changed, "unchanged").outcome == "disagree"


def test_what_backward_does_not_support_leaves_the_value_to_be_judged() -> None:
    records = examine(TOTAL, failing(Unsupported("no kernel for halves"), off))
    assert outcomes(records) == {("value", "disagree"), ("gradient", "unsupported"), ("unchanged", "agree")}
    assert named(records, "gradient").message == "no kernel for halves"


def test_every_layout_tells_what_its_backward_pass_raised() -> None:
    records = examine(TOTAL, failing(), "float32")
    errors = [record.layout for record in records if record.outcome == "error"]
    assert errors == ["contiguous", "transposed", "strided"]


def test_warnings_and_identities_are_judged_all_the_same() -> None:
    warned = replace(
        TOTAL,
        warns=Raised("any", "call", "UserWarning", "sizes"),
        same_as=Identity((Term(),), None, "it is itself"),
    )
    warning = SeenWarning(("UserWarning",), "sizes differ")
    records = examine(warned, failing(act=lambda answer: replace(answer, warnings=(warning,))))
    assert {("warns", "agree"), ("same_as", "agree"), ("gradient", "error")} <= outcomes(records)


def test_the_bias_of_the_values_is_judged_without_gradients() -> None:
    drawn = [Uniform(parse_numeral("-4"), parse_numeral("4"), (1200,), seed) for seed in (1, 2)]
    args = dict(zip(("input", "target"), drawn, strict=True))
    records = examine(case("MSELoss", args, bias=True, reductions=("none",)), failing())
    assert [record.quantity for record in records if record.quantity.startswith("bias")] == ["bias:value"]


def test_there_are_no_modes_of_a_call_whose_backward_pass_raises() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        return replace(answer, gradients=(), failure=FAILURE)

    records = examine(replace(DISTANCE, reductions=("mean",)), Modal(("twice",), plainly_again, act))
    assert ("value", "agree") in outcomes(records)
    assert "twice" not in {record.quantity for record in records}


def test_of_repeated_calls_the_values_are_judged_and_one_failure_is_told() -> None:
    subject = Pretender()

    def act(call: Call, answer: Observation) -> Observation:
        is_first = len(subject.calls) == 1
        return answer if is_first else replace(off(answer), gradients=(), failure=FAILURE)

    subject.act = act
    records = examine(replace(TOTAL, repeats=3), subject)
    assert outcomes(records) >= {("value", "disagree"), ("gradient", "error"), ("vjp:input", "agree")}
    assert sum(record.quantity == "gradient" for record in records) == 1


def test_a_curve_without_slopes_still_has_its_values() -> None:
    sourced = replace(TOTAL, reductions=("sum",))
    detail = named(examine(sourced, failing(name="torch.nn.functional"), "float32"), "value").detail
    assert detail is not None
    assert detail["curve"]["observed_slope"][0] == "nan"
    assert detail["curve"]["observed"][0] != "nan"


def test_what_must_be_refused_may_be_refused_by_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossproof.subjects.guarded.run_isolated", lambda subject, call: subject.run(call))
    refused = replace(LABELLED, raises=replace(REFUSAL, match="derivative", type="RuntimeError"))
    late = Pretender(lambda call, answer: replace(answer, gradients=(), failure=FAILURE), "other")
    assert {record.outcome for record in examine(replace(refused, own_process=True), late)} == {"agree"}


def test_an_answer_has_gradients_or_says_why_it_has_none() -> None:
    silent = Pretender(lambda call, answer: replace(answer, gradients=()))
    assert named(examine(TOTAL, silent), "value").outcome == "error"
    odd = examine(TOTAL, failing("no derivative"))
    assert outcomes(odd) == {("value", "error")}
    assert "a str in place of what its backward pass raised" in named(odd, "value").message


class Failing(ReferenceSubject):
    """Has no backward pass."""

    name = "torch.nn"

    def run(self, call: Call) -> Observation:
        failed = Refused("ValueError", "not here", "backward", "shape")
        return replace(super().run(call), gradients=(), failure=failed)


def test_what_was_raised_comes_from_another_process_whole() -> None:
    answer = run_isolated(Failing(), make_call(DISTANCE, "float64", "sum"))
    assert answer.value == 8.3125
    assert isinstance(answer.failure, Refused)
    assert (answer.failure.type, str(answer.failure)) == ("ValueError", "not here")
    assert (answer.failure.when, answer.failure.kind) == ("backward", "shape")
    assert isinstance(pickle.loads(pickle.dumps(Unsupported("why"))), Unsupported)


# torch

WHOLE = case("HuberLoss", {"input": literal(["1", "2.5"]), "target": literal(["0", "4"], "int64")})


def test_torch_answers_with_the_value_and_with_what_backward_raised() -> None:
    call = make_call(WHOLE, "float32", "sum")
    call = replace(call, upstreams=(np.ones(()), np.ones(())), wrt=("input",))
    answer = find_subject("torch.nn.functional").run(call)
    assert (float(answer.value), answer.dtype, answer.gradients) == (1.5, "float32", ())
    assert isinstance(answer.failure, Refused)
    assert (answer.failure.type, answer.failure.when) == ("RuntimeError", "backward")


def test_a_fault_of_the_value_is_seen_where_torch_has_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = find_subject("torch.nn.functional")
    assert named(examine(WHOLE, subject, "float32"), "value").outcome == "agree"
    right = torch.nn.functional.huber_loss

    def wrong(*args: Any, **options: Any) -> torch.Tensor:
        return right(*args, **options) + 1

    monkeypatch.setattr(torch.nn.functional, "huber_loss", wrong)
    assert named(examine(WHOLE, subject, "float32"), "value").outcome == "disagree"


def test_run_shows_the_value_and_says_what_backward_raised() -> None:
    said = typed("run", "HuberLoss", "--input", "[1, 2.5]", "--target", "{dtype: int64, data: [0, 4]}")
    assert said.status == 1
    value = next(place for place, line in enumerate(said.lines) if line.startswith("value"))
    assert said.lines[value + 1].split()[:3] == ["0.75000000000000000000", "0.75", "0"]
    assert "raises RuntimeError in its backward pass: Found dtype Long but expected Float" in said.text
    assert "agrees" not in said.text

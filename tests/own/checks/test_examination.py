"""Examining a case: which checks it makes of a subject, and what the records of each say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from exact_arithmetic import literal
from examined_cases import DISTANCE, LABELLED, REFUSAL, case, examine, named, outcomes, plainly_again
from pretenders import Modal, Pretender, Refusing

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Identity, Term
from lossproof.judging.calls import CallPlanner, PlannedCall
from lossproof.numbers.ball import Undecided
from lossproof.subjects.call import Call, Observation, Refused, Unsupported


def test_what_is_right_agrees_in_every_quantity_and_reduction() -> None:
    records = examine(DISTANCE)
    quantities = ("value", "gradient:input", "gradient:target", "vjp:input", "vjp:target", "unchanged")
    assert [(record.reduction, record.quantity, record.outcome) for record in records] == [
        (reduction, quantity, "agree") for reduction in ("none", "mean", "sum") for quantity in quantities
    ]
    assert {record.layout for record in records} == {"contiguous"}


def test_a_subject_is_asked_on_the_device_of_the_run() -> None:
    subject = Pretender()
    identity = Identity((Term(),), None, "it is itself")
    Examiner().examine(replace(DISTANCE, same_as=identity), subject, "float64", "cuda")
    Examiner().examine(replace(LABELLED, raises=REFUSAL), subject, "float64", "cuda")
    Examiner().examine(replace(LABELLED, repeats=2), subject, "float64", "cuda")
    assert len(subject.calls) > 9
    assert {call.device for call in subject.calls} == {"cuda"}


def test_what_a_subject_does_not_support_is_on_record_with_its_reason() -> None:
    records = examine(DISTANCE, Refusing(Unsupported("no kernel")))
    assert [(record.reduction, record.quantity, record.outcome, record.message) for record in records] == [
        (reduction, "value", "unsupported", "no kernel") for reduction in ("none", "mean", "sum")
    ]


def test_a_case_that_the_reference_refuses_has_to_say_so() -> None:
    wrong = replace(LABELLED, args={**LABELLED.args, "target": literal(["0", "5"])}, reductions=("sum",))
    [record] = examine(wrong)
    assert (record.quantity, record.outcome, record.reduction) == ("value", "error", "sum")
    assert record.message.startswith("the reference refuses this case: ")
    assert record.message.endswith("; say so in the case with 'raises:'")


def test_a_truth_that_cannot_be_certified_is_an_error() -> None:
    class Undecidable(CallPlanner):
        def plan(self, *args: Any, **kwargs: Any) -> PlannedCall:
            raise Undecided("which side")

    [record] = examine(replace(DISTANCE, reductions=("sum",)), planner=Undecidable())
    assert (record.quantity, record.outcome, record.reduction) == ("value", "error", "sum")
    assert record.message == "the truth cannot be certified: which side"


def altered(**changes: Any) -> Pretender:
    return Pretender(lambda call, answer: replace(answer, **changes))


def test_a_value_of_another_dtype_is_wrong() -> None:
    records = examine(DISTANCE, altered(dtype="float64"), "float32")
    assert outcomes(records) >= {("value", "disagree"), ("gradient:input", "agree")}
    assert named(records, "value").message == "has dtype float64, should have float32"
    off = Pretender(lambda call, answer: replace(answer, value=answer.value + 1, dtype="float64"))
    assert "dtype" not in named(examine(DISTANCE, off, "float32"), "value").message


def test_a_call_that_changes_its_inputs_is_wrong() -> None:
    records = examine(DISTANCE, altered(changes=("input", "target")))
    assert named(records, "unchanged").outcome == "disagree"
    assert named(records, "unchanged").message == "the call changed its input: input, target"
    assert named(examine(DISTANCE), "unchanged").message == ""


def test_of_a_disagreement_both_sides_are_shown_and_a_program() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        off = [{name: numbers + 1.5 for name, numbers in one.items()} for one in answer.gradients]
        return replace(answer, value=answer.value + 1.5, gradients=tuple(off))

    records = examine(replace(DISTANCE, reductions=("sum",)), Pretender(act))
    assert {outcome for quantity, outcome in outcomes(records) if quantity != "unchanged"} == {"disagree"}
    detail = named(records, "value").detail
    assert detail is not None
    assert (detail["expected"], detail["observed"]) == ("8.3125", "9.8125")
    assert "torch.nn.MSELoss" in detail["snippet"]
    detail = named(records, "vjp:target").detail
    assert detail is not None
    assert "autograd" in detail["snippet"]


def test_an_output_of_another_shape_has_no_gradients() -> None:
    wrong = Pretender(lambda call, answer: replace(answer, value=np.zeros(3), gradients=()))
    records = examine(replace(DISTANCE, reductions=("sum",)), wrong)
    assert outcomes(records) == {("value", "disagree"), ("unchanged", "agree")}
    detail = named(records, "value").detail
    assert detail is not None
    assert (detail["expected"], detail["observed"]) == ("shape []", "shape [3]: [0.0 0.0 0.0]")


def test_an_empty_output_may_be_of_another_shape_or_dtype() -> None:
    """There is no worst element to show."""
    nothing = literal(np.empty((0, 2)))
    empty = case("MSELoss", {"input": nothing, "target": nothing}, reductions=("none",))
    assert {record.outcome for record in examine(empty)} == {"agree"}
    [value, *_] = examine(empty, altered(dtype="float16"))
    assert value.outcome == "disagree"


# Modes, and calls that are repeated


def test_modes_are_examined_in_one_reduction_and_unless_told_otherwise() -> None:
    modal = Modal(("twice",), plainly_again)
    records = [record for record in examine(DISTANCE, modal) if record.quantity == "twice"]
    assert [(record.reduction, record.outcome) for record in records] == [("mean", "agree")]
    assert {call.layout for call in modal.calls} == {"contiguous"}
    assert all(record.quantity != "twice" for record in examine(DISTANCE, modal, with_modes=False))


def test_a_call_is_repeated_as_often_as_the_case_says() -> None:
    subject = Pretender()
    records = examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject)
    assert [call.layout for call in subject.calls] == ["contiguous", "contiguous"]
    assert outcomes(records) == {
        (quantity, "agree")
        for quantity in ("value", "gradient:input", "gradient:target", "vjp:input", "vjp:target")
    }


def test_what_is_wrong_in_one_of_two_runs_disagrees() -> None:
    subject = Pretender()
    subject.act = lambda call, answer: replace(answer, value=answer.value + len(subject.calls) - 1)
    record = named(examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject), "value")
    assert (record.outcome, record.reduction) == ("disagree", "sum")
    assert record.message == "not right in every one of 2 runs of the same call"
    assert record.detail is not None
    assert "torch.nn.MSELoss" in record.detail["snippet"]


def test_of_a_gradient_that_is_wrong_in_one_of_two_runs_the_snippet_knows_the_right_numbers() -> None:
    subject = Pretender()

    def act(call: Call, answer: Observation) -> Observation:
        plain, seeded = answer.gradients
        wrong = {**plain, "input": plain["input"] + len(subject.calls) - 1}
        return replace(answer, gradients=(wrong, seeded))

    subject.act = act
    record = named(examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject), "gradient:input")
    assert record.detail is not None
    namespace: dict[str, Any] = {}
    exec(record.detail["snippet"], namespace)
    assert str(namespace["result"].flatten().tolist()) in record.detail["snippet"]


def test_a_repeated_call_that_raises_is_an_error_once() -> None:
    [record] = examine(
        replace(DISTANCE, reductions=("sum",), repeats=2), Refusing(Refused("RuntimeError", "no", "call"))
    )
    assert (record.quantity, record.outcome, record.message) == ("value", "error", "raised RuntimeError: no")

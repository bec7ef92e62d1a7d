"""What the records of checks beyond single numbers tell where these fail: both sides, and a program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact_arithmetic import literal
from pretenders import Pretender, Refusing

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, Identity, ModuleClaim, Raised, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Uniform
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Observation, Refused
from lossproof.subjects.subject import Subject

MATRIX = literal([["0.5", "-1"], ["2", "0.25"]])
ROW = literal([["0.5", "-1"]])
CASE = Case(
    "one",
    "a case",
    "MSELoss",
    "cases/x.yaml",
    3,
    args={"input": MATRIX, "target": literal([["1", "1"], ["1", "2"]])},
    reductions=("sum",),
)
HALVES = replace(
    CASE, same_as=Identity((Term(args={"input": ROW, "target": ROW}), Term(args=CASE.args)), None, "why")
)


def told(case: Case, subject: Subject, quantity: str) -> Record:
    """The record of a quantity, which has to have a program."""
    [record] = [one for one in Examiner().examine(case, subject, "float64") if one.quantity == quantity]
    assert record.outcome != "agree"
    assert record.detail is not None
    assert record.detail["snippet"]
    return record


def test_a_module_that_raises_is_told_with_a_program() -> None:
    class Module(Pretender):
        def inspect(self, *args: object) -> object:
            raise Refused("TypeError", "no such option", "construct")

    told(replace(CASE, module=ModuleClaim("repr", "MSELoss()")), Module(), "module")


def test_a_warning_that_is_missed_is_told_with_a_program() -> None:
    told(replace(CASE, warns=Raised("any", "call", "UserWarning", "size")), Pretender(), "warns")


def test_of_what_is_repeated_each_quantity_has_its_own_truth() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        off = [{name: numbers + 1 for name, numbers in one.items()} for one in answer.gradients]
        return replace(answer, gradients=tuple(off))

    record = told(replace(CASE, repeats=2), Pretender(act), "gradient:input")
    assert record.detail is not None
    # Its elements, as the value has none.
    assert "[0, 0]" in record.detail["snippet"] or "-1.0" in record.detail["snippet"]


def test_a_bias_is_told_with_a_program() -> None:
    drawn = Uniform(parse_numeral("0.25"), parse_numeral("0.75"), (1100,), 7)
    leaning = Pretender(lambda call, answer: replace(answer, value=answer.value * (1 + 2.0**-52)))
    biased = replace(CASE, loss="SelfInformation", args={"p": drawn}, reductions=None, bias=True)
    told(biased, leaning, "bias:value")


def test_of_an_identity_that_cannot_be_told_both_sides_are_shown() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        if len(call.args["input"].numbers) == 1:
            raise Refused("RuntimeError", "no", "call")
        return answer

    record = told(HALVES, Pretender(act), "same_as")
    assert record.detail is not None
    assert record.detail["snippet"].count("MSELoss") == 2


@pytest.mark.parametrize("misshapen", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
def test_a_side_of_a_wrong_shape_makes_no_identity(misshapen: tuple[int, ...]) -> None:
    """Numbers of other shapes could be added up all the same, or not at all."""
    places: list[Call] = []

    def act(call: Call, answer: Observation) -> Observation:
        places.append(call)
        is_wrong = len(places) - 1 in misshapen
        return replace(answer, value=np.zeros(2 + len(places)), gradients=()) if is_wrong else answer

    record = told(HALVES, Pretender(act), "same_as")
    assert record.message.startswith("one of the two sides has a wrong shape")


def test_a_refusal_to_repeat_is_told_with_a_program() -> None:
    told(replace(CASE, repeats=2), Refusing(Refused("RuntimeError", "no", "call")), "value")

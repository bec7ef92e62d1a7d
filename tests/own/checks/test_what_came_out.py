"""What came out of a check that fails, in the form in which a known defect puts it on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import DISTANCE, LABELLED, REFUSAL, case, examine, named
from pretenders import Pretender, Refusing

from lossproof.corpus.case import Identity, ModuleClaim, Raised, Term
from lossproof.subjects.call import Call, Observation, Refused, SeenWarning

WARNING = Raised("option", "call", "UserWarning", "size_average")
WARNED = replace(DISTANCE, warns=WARNING, reductions=("mean",))


def altered(**changes: Any) -> Pretender:
    return Pretender(lambda call, answer: replace(answer, **changes))


def test_of_changed_inputs_their_names() -> None:
    record = named(examine(DISTANCE, altered(changes=("input", "target"))), "unchanged")
    assert record.came_out == ["input", "target"]


def test_of_a_wrong_dtype_the_dtype() -> None:
    assert named(examine(DISTANCE, altered(dtype="float64"), "float32"), "value").came_out == ["float64"]


@pytest.mark.parametrize(
    ("warnings", "came_out"),
    [
        ((), ["nothing"]),
        ((SeenWarning(("RuntimeWarning", "Warning"), "no", None),), ["RuntimeWarning"]),
        (
            (
                SeenWarning(("FutureWarning", "Warning"), "size_average", None),
                SeenWarning(("UserWarning", "Warning"), "another", None),
            ),
            ["FutureWarning", "UserWarning"],
        ),
    ],
)
def test_of_a_missing_warning_the_classes_of_all_others(
    warnings: tuple[SeenWarning, ...], came_out: list[str]
) -> None:
    record = named(examine(WARNED, altered(warnings=warnings)), "warns")
    assert (record.outcome, record.came_out) == ("disagree", came_out)


def test_of_an_exception_its_last_line() -> None:
    record = named(examine(DISTANCE, Refusing(Refused("RuntimeError", "no kernel\nhere", "call"))), "value")
    assert record.came_out == ["RuntimeError: no kernel"]


def test_of_a_claim_about_a_module_what_it_is() -> None:
    class Module(Pretender):
        def inspect(self, *args: object) -> object:
            return "MSELoss(x)"

    claimed = replace(DISTANCE, module=ModuleClaim("repr", "MSELoss()"))
    assert named(examine(claimed, Module()), "module").came_out == ["MSELoss(x)"]


def test_of_sides_that_must_differ_that_they_agree() -> None:
    alike = replace(DISTANCE, differs_from=Identity((Term(),), None, "it is itself"))
    assert named(examine(alike), "differs_from").came_out == ["agree"]


def test_of_a_call_that_is_not_right_every_time_that_it_varies() -> None:
    subject = Pretender()
    subject.act = lambda call, answer: replace(answer, value=answer.value + len(subject.calls) - 1)
    assert named(examine(replace(DISTANCE, repeats=2), subject), "value").came_out == ["varies"]


def test_of_a_call_without_an_answer_there_is_no_warning_no_bias_and_no_identity() -> None:
    biased = case("MSELoss", DISTANCE.args, bias=True, reductions=("none",))
    same = replace(DISTANCE, same_as=Identity((Term(),), None, "it is itself"), reductions=("sum",))
    for examined in (WARNED, biased, same):
        records = examine(examined, Refusing(Refused("RuntimeError", "no kernel", "call")))
        assert [(record.quantity, record.outcome) for record in records] == [("value", "error")]


def test_a_bias_is_judged_in_one_layout() -> None:
    """Memory that is read in another order yields the same numbers, or the value disagrees."""
    drawn = case("MSELoss", DISTANCE.args, bias=True, reductions=("none",))
    records = examine(drawn, Pretender(dtypes=("float32",)), "float32")
    assert {record.layout for record in records} > {"contiguous"}
    biases = [record.quantity for record in records if record.quantity.kind == "bias"]
    assert len(biases) == len(set(biases)) == 3


class Accepting(Pretender):
    """Has an answer to everything."""

    def run(self, call: Call) -> Observation:
        return Observation(np.zeros(()), call.dtype, ())


@pytest.mark.parametrize(
    ("subject", "came_out"),
    [
        (Accepting(), ["accepted"]),
        (
            Refusing(Refused("RuntimeError", "device-side assert\nin a kernel", "call")),
            ["RuntimeError: device-side assert"],
        ),
        (Refusing(Refused("Refusal", "two shapes", "call", "shape")), ["Refusal"]),
        (Refusing(Refused("IndexError", "Target 5 is out of bounds", "call")), []),
        (Refusing(Refused("Refusal", "no such class", "call", "index")), []),
    ],
)
def test_of_a_missing_refusal_what_came_in_its_place(subject: Pretender, came_out: list[str]) -> None:
    refused = replace(
        LABELLED, args={**LABELLED.args, "target": literal(["0", "5"])}, raises=REFUSAL, reductions=("mean",)
    )
    record = named(examine(refused, subject), "raises")
    assert record.came_out == came_out
    assert record.outcome == ("disagree" if came_out else "agree")

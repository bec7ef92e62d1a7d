"""Biases of many outputs, and identities between calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import DISTANCE, case, examine, named, outcomes
from pretenders import Pretender

from lossproof.checks.identities import in_words
from lossproof.corpus.case import Identity, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Tensor, Uniform
from lossproof.judging.calls import CallPlanner
from lossproof.subjects.call import Call, Observation, Refused, Unsupported

# Biases

DRAWN = Uniform(parse_numeral("0.25"), parse_numeral("0.75"), (1100,), 7)
BIASED = case("SelfInformation", {"p": DRAWN}, bias=True)


def leaning(value: float, ones: float, seeded: float) -> Pretender:
    """Its numbers are larger by these shares of a unit roundoff of float32."""

    def act(call: Call, answer: Observation) -> Observation:
        if not answer.gradients:
            return answer
        sets = zip(answer.gradients, (ones, seeded), strict=True)
        gradients = tuple(
            {name: numbers * (1 + share * 2.0**-24) for name, numbers in one.items()} for one, share in sets
        )
        return replace(answer, value=answer.value * (1 + value * 2.0**-24), gradients=gradients)

    return Pretender(act)


@pytest.mark.parametrize(
    ("shares", "wrong"),
    [
        ((0.0, 0.0, 0.0), set()),
        ((2.0, 0.0, 0.0), {"bias:value"}),
        ((0.0, 1.0, 0.0), set()),
        ((0.0, 0.0, 1.0), {"bias:p"}),
    ],
)
def test_errors_that_lean_to_one_side_are_a_bias(shares: tuple[float, float, float], wrong: set[str]) -> None:
    """Each is within its budget; of the gradients those by the seeded upstream gradient count."""
    records = examine(BIASED, leaning(*shares), "float32", with_modes=False)
    assert {record.quantity for record in records if record.quantity.startswith("bias")} == {
        "bias:value",
        "bias:p",
    }
    assert {record.quantity for record in records if record.outcome != "agree"} == wrong


def test_a_bias_needs_all_outputs_and_a_gradient_of_each() -> None:
    two: dict[str, Tensor] = {"input": replace(DRAWN, shape=(1100, 2)), "target": literal(["0", "1"])}
    records = examine(case("MSELoss", two, bias=True))
    biases = [(one.reduction, one.quantity) for one in records if one.quantity.startswith("bias")]
    assert biases == [("none", "bias:value"), ("none", "bias:input")]
    scaled = case("BCELoss", {"input": DRAWN, "target": DRAWN}, bias=True)
    biases = [(one.reduction, one.quantity) for one in examine(scaled) if one.quantity.startswith("bias")]
    assert biases == [("none", "bias:value"), ("none", "bias:input"), ("none", "bias:target")]


def test_without_gradients_there_is_the_bias_of_the_value_alone() -> None:
    wrong = Pretender(lambda call, answer: replace(answer, value=np.zeros(3), gradients=()))
    records = examine(BIASED, wrong, "float32")
    assert outcomes(records) == {("value", "disagree"), ("bias:value", "disagree"), ("unchanged", "agree")}


# Identities

HALVES = tuple(
    Term(args={"input": literal([row]), "target": literal([other])})
    for row, other in ((["0.5", "-1"], ["1", "1"]), (["2", "0.25"], ["1", "2"]))
)
SUMMED = replace(DISTANCE, same_as=Identity(HALVES, ("sum",), "sums add up"))


def test_both_sides_of_an_identity_must_agree() -> None:
    records = [record for record in examine(SUMMED) if record.quantity == "same_as"]
    assert [(record.reduction, record.outcome, record.layout, record.message) for record in records] == [
        ("sum", "agree", "contiguous", "")
    ]
    everywhere = replace(SUMMED, same_as=Identity((Term(),), None, "it is itself"))
    records = [record for record in examine(everywhere) if record.quantity == "same_as"]
    assert [(record.reduction, record.outcome) for record in records] == [
        ("none", "agree"),
        ("mean", "agree"),
        ("sum", "agree"),
    ]


@pytest.mark.parametrize(("share", "agrees"), [(0.96, True), (1.04, False)])
def test_each_side_of_an_identity_may_use_up_its_budget(share: float, agrees: bool) -> None:
    planner = CallPlanner()
    bounds = {
        planned.call.args["input"].numbers.tobytes(): float(planned.truth.value.bound)
        for planned in (
            planner.plan(SUMMED, "float32", "sum"),
            *(planner.plan(SUMMED, "float32", "sum", str(place), term) for place, term in enumerate(HALVES)),
        )
    }

    def act(call: Call, answer: Observation) -> Observation:
        numbers = call.args["input"].numbers
        towards = 1 if len(numbers) == 2 else -1
        return replace(answer, value=answer.value + towards * share * 2 * bounds[numbers.tobytes()])

    one = replace(SUMMED, reductions=("sum",))
    record = named(examine(one, Pretender(act), "float32"), "same_as")
    assert record.error_over_budget == pytest.approx(share)
    assert (record.outcome == "agree") is agrees
    if not agrees:
        assert record.message == "the two sides differ by 1.04 of their common budget: sums add up"
        assert record.detail is not None
        assert {"expected", "observed", "snippet"} <= set(record.detail)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ((Term(reduction="sum"),), "the same call with reduction sum"),
        ((Term(params={"p": parse_numeral("2")}),), "the same call with p = 2"),
        ((Term(params={"weight": DISTANCE.args["input"]}),), "the same call with another weight"),
        ((Term("HuberLoss", args=DISTANCE.args),), "HuberLoss with other arguments"),
        ((Term(), Term()), "the sum of 2 other calls"),
    ],
)
def test_the_other_side_is_named(terms: tuple[Term, ...], words: str) -> None:
    assert in_words(Identity(terms, None, "why")) == words


def test_what_must_differ_must_not_agree() -> None:
    own, other = Identity((Term(),), None, "why"), Identity((HALVES[0],), ("sum",), "why")
    [alike, *_] = [one for one in examine(replace(DISTANCE, differs_from=own)) if one.outcome != "agree"]
    assert (alike.quantity, alike.outcome) == ("differs_from", "disagree")
    assert alike.message == "agrees with the same call, but must not: why"
    assert alike.detail is not None
    assert "expected" not in alike.detail
    assert {"observed", "snippet"} <= set(alike.detail)
    records = examine(replace(DISTANCE, differs_from=other))
    unlike = named(records, "differs_from")
    assert (unlike.outcome, unlike.message, unlike.reduction) == ("agree", "", "sum")


def test_an_identity_whose_other_side_does_not_run_cannot_be_told() -> None:
    def raising(error: Exception) -> Pretender:
        def act(call: Call, answer: Observation) -> Observation:
            if len(call.args["input"].numbers) == 1:
                raise error
            return answer

        return Pretender(act)

    record = named(examine(SUMMED, raising(Unsupported("no kernel"))), "same_as")
    assert (record.outcome, record.message, record.reduction) == ("unsupported", "no kernel", "sum")
    record = named(examine(SUMMED, raising(Refused("RuntimeError", "no", "call"))), "same_as")
    assert (record.outcome, record.message, record.reduction) == (
        "error",
        "the other side raised RuntimeError: no",
        "sum",
    )

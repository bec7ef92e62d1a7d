"""What a record shows its reader: worked steps, a curve through the case, the elements that offend."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from defect_specimens import ENTRY
from examined_cases import cases_of
from pretenders import Pretender

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import KnownDefect
from lossproof.corpus.observed import Observed
from lossproof.judging.illustrations import disagreement, is_small
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call, Values
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.subject import FunctionSubject

CASES = cases_of(
    """\
loss: MSELoss
cases:
  - id: documented
    title: squares
    source: {document: 000_23a017979f9cc231, place: "1", claim: D000-1}
    args: {input: [0.5, 2, 0.25], target: [1, 4, 0.25]}
  - id: undocumented
    title: squares
    args: {input: [0.5, 2, 0.25], target: [1, 4, 0.25]}
  - id: infinite
    title: an infinite square
    args: {input: [.inf], target: [0]}
  - id: large
    title: many squares
    source: {document: 000_23a017979f9cc231, place: "1", claim: D000-1}
    args: {input: {uniform: [0, 1], shape: [49], seed: 1}, target: {uniform: [0, 1], shape: [49], seed: 2}}
"""
)


class HalfGradient(FunctionSubject):
    """torch, but the gradient halved."""

    def _apply(self, call: Call, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        output = super()._apply(call, tensors)
        return output.detach() / 2 + output / 2


class OffByOne(FunctionSubject):
    """torch, but 1 added to every value and the gradient halved."""

    def _apply(self, call: Call, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return super()._apply(call, tensors) / 2 + 1


def records(case: str, subject: Any = None, dtype: str = "float32") -> list[Record]:
    return Examiner().examine(CASES[case], subject or find_subject("torch.nn.functional"), dtype)


def values(records: list[Record], key: str, reduction: str = "mean") -> list[Any]:
    asked = [record for record in records if (record.quantity, record.reduction) == ("value", reduction)]
    return [record.detail[key] for record in asked if record.detail and key in record.detail]


def test_the_reference_tells_its_steps_in_every_reduction() -> None:
    told = records("undocumented", find_subject("reference"), "float64")
    [mean], [none] = values(told, "steps"), values(told, "steps", "none")
    assert mean.splitlines()[-1] == "mean: 4.25 / 3 ≈ 1.416667"
    assert "  [1]: (-2) * (-2) = 4" in none
    assert "sum" not in none


def test_steps_come_with_the_call_and_its_formula() -> None:
    told = records("undocumented", find_subject("reference"), "float64")
    [inputs], [formula] = values(told, "inputs"), values(told, "formula")
    assert inputs.splitlines()[0] == "input = float64 [0.5, 2.0, 0.25]"
    assert formula.startswith("L = w d^2")


def test_what_a_case_of_a_process_of_its_own_might_do_is_not_asked_more_than_once() -> None:
    lonely = replace(CASES["documented"], own_process=True, reductions=("mean",))
    told = Examiner(with_modes=False).examine(lonely, find_subject("reference"), "float64")
    assert not values(told, "steps")


def test_nobody_need_be_shown_anything() -> None:
    told = Examiner(with_illustrations=False).examine(CASES["documented"], OffByOne(), "float32")
    assert values(told, "snippet")
    assert not values(told, "curve") + values(told, "steps")


def test_what_has_nothing_to_show_has_no_detail() -> None:
    assert all(record.detail is None for record in records("undocumented"))


def test_a_large_call_has_neither_steps_nor_curve() -> None:
    subjects = (find_subject("reference"), None, OffByOne())
    told = [record for subject in subjects for record in records("large", subject, "float64")]
    assert not any({"steps", "curve"} & set(record.detail or {}) for record in told)


def test_what_agrees_needs_no_steps_from_torch() -> None:
    assert not values(records("documented"), "steps")


def test_a_documents_case_has_a_curve_of_truth_and_torch() -> None:
    [curve] = values(records("documented"), "curve")
    assert (curve["argument"], curve["at"], curve["reduction"]) == ("input", [1], "mean")  # the steepest
    assert curve["here"] == 2.0
    assert curve["here"] in curve["x"]
    assert curve["x"] == sorted(curve["x"])
    assert (curve["x"][0], curve["x"][-1]) == (-1.0, 5.0)
    x = np.array(curve["x"])
    np.testing.assert_allclose(curve["truth"], ((x - 4) ** 2 + 0.25) / 3, rtol=1e-5)
    np.testing.assert_allclose(curve["slope"], 2 * (x - 4) / 3, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(curve["observed"], curve["truth"], rtol=1e-5)
    np.testing.assert_allclose(curve["observed_slope"], curve["slope"], rtol=1e-5, atol=1e-7)


def test_the_other_of_torchs_subjects_and_the_other_reductions_have_none() -> None:
    assert not values(records("documented", find_subject("torch.nn")), "curve")
    told = records("documented")
    assert not values(told, "curve", "none") + values(told, "curve", "sum")


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_one_dtype_is_enough_for_a_curve(dtype: str) -> None:
    assert not values(records("documented", dtype=dtype), "curve")


def test_only_what_is_told_of_or_wrong_has_a_curve() -> None:
    assert not values(records("undocumented"), "curve")
    told = records("undocumented", OffByOne())
    [curve], [_], steps = values(told, "curve"), values(told, "steps"), values(told, "steps", "sum")
    assert steps
    np.testing.assert_allclose(curve["observed"], np.array(curve["truth"]) / 2 + 1, rtol=1e-5)
    np.testing.assert_allclose(curve["observed_slope"], np.array(curve["slope"]) / 2, rtol=1e-5, atol=1e-7)


def test_a_wrong_gradient_alone_is_reason_enough() -> None:
    told = records("undocumented", HalfGradient())
    [curve], [_] = values(told, "curve"), values(told, "steps")
    np.testing.assert_allclose(curve["observed"], curve["truth"], rtol=1e-5)
    np.testing.assert_allclose(curve["observed_slope"], np.array(curve["slope"]) / 2, rtol=1e-5, atol=1e-7)


def truth(values: list[Any] | float, bound: float = 0.0, remainder: float = 0.0) -> Truth:
    true = np.array(values, dtype=np.float64)
    exact = np.zeros(true.shape)
    return Truth(true, exact + remainder, exact + bound, exact > 0, FORMATS["float32"])


def told(observed: list[Any] | float, true: Truth) -> Detail:
    call = Call("MSELoss", {}, {"input": Values(np.ones(3), "float32")}, "none", "float32")
    programs = GuardedSubject(find_subject("torch.nn")).programs
    return disagreement(programs, call, "value", np.array(observed, dtype=np.float64), true, "float32")


def elements(observed: list[Any] | float, true: Truth) -> Any:
    """The elements that are told of; not every reader of JSON knows infinities."""
    told_of = told(observed, true)["elements"]
    json.dumps(told_of, allow_nan=False)
    return told_of


def test_a_disagreement_tells_the_call_both_sides_and_a_program() -> None:
    seen = told([1.5, 2.0], truth([1.0, 2.0]))
    assert seen["inputs"] == "input = float32 [1.0, 1.0, 1.0]"
    assert (seen["expected"], seen["observed"]) == ("[1.0 2.0]", "[1.5 2.0]")
    assert "assert abs(got - 1.0) <= " in seen["snippet"]
    assert len(seen["elements"]) == 1
    assert seen["wrong"] == [0]


def test_of_many_numbers_those_that_are_shown_are_counted() -> None:
    """The first three and the last three are shown, of which one and two are wrong."""
    right = np.ones(1000)
    wrong = right.copy()
    wrong[[1, 500, 998, 999]] = 2.0
    seen = told(wrong.tolist(), truth(right.tolist()))
    assert seen["observed"] == "[1.0 2.0 1.0 ... 1.0 2.0 2.0]"
    assert seen["wrong"] == [1, 4, 5]


def test_of_a_wrong_shape_both_shapes_are_told() -> None:
    seen = told([[1.5, 2.0]], truth([1.0, 2.0]))
    assert seen["inputs"] == "input = float32 [1.0, 1.0, 1.0]"
    assert (seen["expected"], seen["observed"]) == ("shape [2]", "shape [1, 2]: [[1.5 2.0]]")
    assert "assert result.shape == (2,), result.shape" in seen["snippet"]
    assert "elements" not in seen


def test_the_offending_elements_come_worst_first_with_all_their_digits() -> None:
    true = truth([[0.1, 0.25], [0.5, 1.0]], bound=2.0**-20)
    seen = elements([[0.3, 0.5], [0.5 + 2.0**-18, 1 + 2.0**-19]], true)  # the last is within its 2B
    assert seen == [
        {
            "at": [0, 1],
            "expected": "0.25",
            "observed": "0.5",
            "share": 2.0**17,
            "ulp": 2.0**23,  # 0.25 lies in [2^-2, 2^-1)
        },
        {
            "at": [0, 0],
            "expected": "0.1",
            "observed": "0.3",
            "share": pytest.approx(0.2 * 2.0**19, rel=1e-6),
            "ulp": pytest.approx(0.2 * 2.0**27),
        },
        {"at": [1, 0], "expected": "0.5", "observed": "0.5000038", "share": 2.0, "ulp": 64.0},
    ]


def test_the_distance_to_the_truth_is_counted_from_what_float64_could_not_hold() -> None:
    """The true value is 1.25: a quarter of it float64 could not hold."""
    [element] = elements(2.0, truth(1.0, bound=0.125, remainder=0.25))
    assert (element["share"], element["ulp"]) == (3.0, 0.75 * 2.0**23)


def test_at_most_eight_elements_are_named_equals_in_their_order() -> None:
    seen = elements([1.0] * 64, truth([0.0] * 64))
    assert [element["at"] for element in seen] == [[place] for place in range(8)]


@pytest.mark.parametrize(
    ("observed", "true"),
    [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.inf), (-math.inf, math.inf), (1.0, math.nan), (1e300, 0.0)],
)
def test_an_error_without_a_measure_has_no_ulp(observed: float, true: float) -> None:
    double = replace(truth(true), format=FORMATS["float64"])
    [element] = elements(observed, double)
    assert element == {
        "at": [],
        "expected": repr(true),
        "observed": repr(observed),
        "share": "inf",
        "ulp": None,
    }


def test_a_call_of_48_numbers_is_small() -> None:
    """Those of tensor parameters count, and the other parameters are no tensors."""

    def call(size: int) -> Call:
        args = {"input": Values(np.zeros(size), "float32"), "target": Values(np.zeros(size), "float32")}
        return Call(
            "MSELoss", {"eps": 0.5, "weight": Values(np.zeros(8), "float32")}, args, "none", "float32"
        )

    assert is_small(call(20))
    assert not is_small(call(21))
    assert is_small(Call("MSELoss", {}, {"input": Values(np.zeros(48), "float32")}, "none", "float32"))
    assert not is_small(Call("MSELoss", {}, {"input": Values(np.zeros(49), "float32")}, "none", "float32"))


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        ("MSELoss", "torch.nn.functional"),
        ("AdaptiveLogSoftmaxWithLoss", "torch.nn"),
        ("Entropy", "torch-expressions"),
    ],
)
def test_the_function_is_shown_where_there_is_one(loss: str, shown: str) -> None:
    assert [name for name in default_subjects() if find_subject(name).illustrates(loss)] == [shown]


def contiguous_values(case: str, subject: Subject, known: Sequence[KnownDefect] = ()) -> list[Record]:
    """One for each reduction."""
    records = Examiner(with_modes=False).examine(CASES[case], subject, "float32", known_defects=known)
    return [record for record in records if (record.quantity, record.layout) == ("value", "contiguous")]


def test_only_the_first_record_of_a_known_defect_is_illustrated() -> None:
    entry = replace(ENTRY, case="undocumented", observed=Observed(("varies",)))
    values = contiguous_values("undocumented", OffByOne(), [entry])
    assert [record.detail is not None for record in values] == [True, False, False]


def test_where_no_number_can_vary_there_is_no_curve() -> None:
    """An infinite number has no neighbours to vary to."""
    zero = Pretender(lambda call, answer: replace(answer, value=np.zeros_like(answer.value)))
    for record in contiguous_values("infinite", zero):
        assert record.detail is not None
        assert "steps" in record.detail
        assert "curve" not in record.detail

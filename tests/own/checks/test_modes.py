"""The modes of torch: right torch passes in every one of them."""

from __future__ import annotations

from dataclasses import replace

from mode_cases import CASES, modes_of

from lossproof.checks.examination import Examiner
from lossproof.subjects.registry import find_subject
from lossproof.subjects.torch.modes.table import MODES

FUNCTIONS = find_subject("torch.nn.functional")


def test_torch_is_right_in_every_mode() -> None:
    records = {**modes_of(CASES["plain"]), **modes_of(CASES["image"]), **modes_of(CASES["large"])}
    assert {record.outcome for record in records.values()} == {"agree"}
    assert {quantity.partition(":")[0] for quantity, _ in records} == set(MODES)
    assert {quantity for quantity, _ in records if quantity.startswith("double_backward:")} == {
        "double_backward:input", "double_backward:target", "double_backward:upstream"
    }  # fmt: skip


def test_of_the_modes_with_abstract_tensors_each_case_meets_one() -> None:
    met = {
        frozenset(record.quantity for record in Examiner().examine(case, FUNCTIONS, "float32"))
        & {"fake", "meta"}
        for case in (replace(CASES["plain"], id=id) for id in ("one", "two", "three", "four"))
    }
    assert met == {frozenset({"fake"}), frozenset({"meta"})}


def test_an_output_of_several_numbers_is_right_as_well() -> None:
    records = modes_of(CASES["vector"])
    assert {record.outcome for record in records.values()} == {"agree"}
    assert ("jvp", "float64") in records


def test_modes_run_once_a_case_and_on_small_tensors_only() -> None:
    assert {(record.reduction, record.layout) for record in modes_of(CASES["plain"]).values()} == {
        ("mean", "contiguous")
    }
    assert {quantity for quantity, _ in modes_of(CASES["large"])} == {"threads"}


def test_the_modules_leave_the_modes_to_the_functions() -> None:
    assert modes_of(CASES["plain"], "torch.nn") == {}
    assert modes_of(CASES["plain"], "reference") == {}


def test_a_call_that_is_wrong_by_itself_has_no_modes() -> None:
    assert modes_of(CASES["wrong-by-itself"]) == {}


def test_cancellation_in_a_second_derivative_is_graded_and_no_failure() -> None:
    record = modes_of(CASES["confident"])["double_backward:input", "float64"]
    assert record.outcome == "agree"
    assert record.error_over_budget is not None
    assert record.error_over_budget > 1
    assert "graded" in record.message

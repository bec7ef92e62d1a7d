"""In which layouts a call is examined, and what is on record of each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from exact_arithmetic import literal
from examined_cases import DISTANCE, LABELLED, MATRIX, case, examine, plainly_again
from pretenders import Modal, Pretender

from lossproof.corpus.case import Case, Identity, Raised, Term
from lossproof.corpus.tensors import Tensor
from lossproof.subjects.call import Call, Observation, Refused
from lossproof.subjects.registry import find_subject
from lossproof.subjects.subject import Subject


def layouts_of(
    examined: Case, subject: Subject | None = None, dtype: str = "float32"
) -> dict[str | None, str]:
    """The layouts in which each reduction ran."""
    ran: dict[str | None, list[str]] = {}
    for record in examine(examined, subject, dtype, with_modes=False):
        if record.quantity == "value":
            ran.setdefault(record.reduction, []).append(record.layout)
    return {reduction: " ".join(layouts) for reduction, layouts in ran.items()}


def test_layouts_are_tried_without_a_reduction_and_with_one() -> None:
    tried = "contiguous transposed strided"
    assert layouts_of(DISTANCE) == {"none": tried, "mean": tried, "sum": "contiguous"}
    assert layouts_of(replace(DISTANCE, reductions=("sum",))) == {"sum": tried}


def test_a_module_leaves_layouts_to_the_function_that_it_calls() -> None:
    tried = {"none": "contiguous transposed strided", "mean": "contiguous transposed strided"}
    plain = replace(DISTANCE, reductions=("none", "mean"))
    assert layouts_of(plain, find_subject("torch.nn.functional")) == tried
    assert layouts_of(plain, find_subject("torch.nn")) == dict.fromkeys(tried, "contiguous")


def test_layouts_are_tried_in_one_dtype() -> None:
    one = replace(DISTANCE, reductions=("sum",))
    assert layouts_of(one, dtype="float64") == {"sum": "contiguous"}
    wide = Pretender(dtypes=("float64", "bfloat16"))
    assert layouts_of(one, wide, "bfloat16") == {"sum": "contiguous"}
    assert layouts_of(one, wide, "float64") == {"sum": "contiguous transposed strided"}


@pytest.mark.parametrize(
    ("input", "weight", "layouts"),
    [
        (literal("0.5"), None, "contiguous"),
        (literal(["0.5", "1"]), None, "contiguous strided"),
        (literal(["0.5", "0.5"]), None, "contiguous strided expanded"),
        (literal([["0.5"]]), None, "contiguous transposed strided"),
        (MATRIX, None, "contiguous transposed strided"),
        (literal([["0.5", "1"], ["0.5", "1"]]), None, "contiguous transposed strided expanded"),
        (literal([["0.5", "0.5"], ["1", "1"]]), None, "contiguous transposed strided expanded"),
        (MATRIX, literal([["2", "1"], ["2", "1"]]), "contiguous transposed strided expanded"),
    ],
)
def test_which_layouts_there_are_is_up_to_the_tensors(
    input: Tensor, weight: Tensor | None, layouts: str
) -> None:
    """A tensor can be expanded along a dimension in which it repeats itself."""
    params = {} if weight is None else {"weight": weight}
    one = case("MSELoss", {"input": input, "target": input}, params=params, reductions=("sum",))
    assert layouts_of(one) == {"sum": layouts}


def test_one_tensor_is_enough_for_a_layout() -> None:
    """The target has fewer dimensions than the input."""
    assert layouts_of(replace(LABELLED, reductions=("sum",))) == {"sum": "contiguous transposed strided"}
    args = {"input": literal(["0.5", "1"]), "target": literal("0.5")}
    assert layouts_of(case("MSELoss", args, reductions=("sum",))) == {"sum": "contiguous strided"}


def test_beyond_numbers_nothing_is_asked_again_in_another_layout() -> None:
    identity = Identity((Term(),), None, "it is itself")
    warned = Raised("any", "call", "UserWarning", "")
    full = replace(DISTANCE, reductions=("mean",), same_as=identity, warns=warned)
    records = examine(full, Modal(("twice",), plainly_again), "float32")
    assert {record.layout for record in records} == {"contiguous", "transposed", "strided"}
    for quantity in ("warns", "same_as", "twice"):
        assert [record.layout for record in records if record.quantity == quantity] == ["contiguous"]


@pytest.mark.parametrize(
    ("when", "quantity"), [("call", "value"), ("construct", "value"), ("backward", "gradient")]
)
def test_what_should_have_worked_is_an_error_in_its_layout(when: str, quantity: str) -> None:
    def act(call: Call, answer: Observation) -> Observation:
        if call.layout == "transposed":
            raise Refused("RuntimeError", "no such stride", when)
        return answer

    records = examine(replace(DISTANCE, reductions=("sum",)), Pretender(act), "float32", with_modes=False)
    [error] = [record for record in records if record.outcome != "agree"]
    assert (error.quantity, error.outcome, error.layout, error.reduction) == (
        quantity,
        "error",
        "transposed",
        "sum",
    )
    assert error.message == "raised RuntimeError: no such stride"
    assert error.detail is not None
    assert "input" in error.detail["inputs"]
    assert "transposed" in str(error.detail) or "permute" in error.detail["snippet"]
    assert ("autograd" in error.detail["snippet"]) is (quantity == "gradient")
    assert {record.layout for record in records} == {"contiguous", "transposed", "strided"}

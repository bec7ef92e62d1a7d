"""The dtype of a result whose tensors have several: the rule, torch's own answers, and how it is judged."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from exact_arithmetic import literal
from examined_cases import case, examine, named
from pretenders import Pretender
from repository import whole_corpus
from snippet_runs import outcome_of

from lossproof.corpus.case import Case
from lossproof.judging.calls import CallPlanner, prepare_call
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import forward, prepare
from lossproof.reference.promotion import promoted, result_dtype
from lossproof.reference.refusals import DtypeRefusal
from lossproof.subjects.call import Call, Observation, Values
from lossproof.subjects.registry import find_subject

FLOATING = ("float64", "float32", "bfloat16", "float16")
DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", *FLOATING, "complex64", "complex128",
)  # fmt: skip


@cache
def mixed() -> tuple[Case, ...]:
    """The cases of all losses in which one tensor is of single precision, whatever the others are."""
    cases = whole_corpus().cases
    return tuple(case for case in cases if "-mixed-" in case.id and case.dtypes and len(case.dtypes) == 3)


# The rule


def of_torch(*tensors: tuple[str, int]) -> str:
    made = [torch.ones((1,) * dimensions, dtype=getattr(torch, dtype)) for dtype, dimensions in tensors]
    return str(torch.result_type(*made)).removeprefix("torch.")


def test_two_tensors_meet_in_the_dtype_that_torch_says() -> None:
    for first, other in itertools.product(itertools.product(DTYPES, (0, 1)), repeat=2):
        if {first, other} & {("float16", 1)} and {first, other} & {("complex64", 0), ("complex128", 0)}:
            continue  # complex numbers of two halves, which no case can have
        assert promoted([first, other]) == of_torch(first, other), (first, other)


def test_the_order_of_tensors_does_not_matter() -> None:
    for three in itertools.combinations(itertools.product(FLOATING, (0, 1)), 3):
        assert len({promoted(order) for order in itertools.permutations(three)}) == 1, three


@pytest.mark.parametrize(
    ("tensors", "dtype"),
    [
        ([("int64", 1), ("bool", 1)], "float32"),
        ([("int64", 1), ("bfloat16", 0)], "bfloat16"),
        ([("complex64", 1)], "float32"),
        ([("complex64", 1), ("float64", 1)], "float64"),
    ],
)
def test_a_loss_is_a_real_number_and_not_a_whole_one(tensors: list[tuple[str, int]], dtype: str) -> None:
    assert result_dtype(tensors) == dtype


@pytest.mark.filterwarnings("ignore:target has shape")
@pytest.mark.parametrize("loss", ["L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"])
def test_a_number_without_dimensions_decides_where_it_is_broadcast_first(loss: str) -> None:
    """Torch's own huber_loss does not promote, and returns the dtype of its input."""
    args: dict[str, Any] = {"input": [[0.5]], "target": 0.25}
    assert prepare(loss, {}, args, {"input": "float32", "target": "float64"}).dtype == "float64"


# torch's own answers

SQUARE, ROW, COLUMN, NUMBER = (2, 2), (2,), (2, 1), ()
TAKEN: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {
    "BCELoss": {"weight": (SQUARE, ROW, NUMBER)},
    "BCEWithLogitsLoss": {"weight": (SQUARE, ROW, NUMBER), "pos_weight": (ROW, NUMBER)},
    "CosineEmbeddingLoss": {"input1": (SQUARE,), "input2": (SQUARE,), "target": (ROW,)},
    "CosineSimilarity": {"x1": (SQUARE, NUMBER), "x2": (SQUARE,)},
    "CrossEntropyLoss": {"input": (SQUARE,), "target": (SQUARE,), "weight": (ROW,)},
    "GaussianNLLLoss": {"input": (SQUARE,), "target": (SQUARE, NUMBER), "var": (SQUARE, COLUMN)},
    "HingeEmbeddingLoss": {"input": (SQUARE, NUMBER), "target": (SQUARE, NUMBER)},
    "KLDivLoss": {"input": (SQUARE, NUMBER), "target": (SQUARE, NUMBER)},
    "L1Loss": {"input": (SQUARE,), "target": (SQUARE, NUMBER), "weight": (SQUARE,)},
    "LinearCrossEntropyLoss": {"target": (SQUARE,), "weight": (ROW,)},
    "MSELoss": {"input": (SQUARE,), "target": (SQUARE, NUMBER), "weight": (SQUARE,)},
    "MarginRankingLoss": {"input1": (ROW,), "input2": (ROW,), "target": (ROW,)},
    "MultiLabelSoftMarginLoss": {"input": (SQUARE,), "target": (SQUARE, NUMBER), "weight": (ROW, NUMBER)},
    "Objective": {"losses": (ROW, NUMBER), "parameters": (ROW, NUMBER)},
    "PairwiseDistance": {"x1": (SQUARE, NUMBER), "x2": (SQUARE, NUMBER)},
    "PoissonNLLLoss": {"input": (SQUARE, NUMBER), "target": (SQUARE, NUMBER)},
    "SmoothL1Loss": {"input": (SQUARE, NUMBER), "target": (SQUARE, NUMBER)},
    "SoftMarginLoss": {"input": (SQUARE,), "target": (SQUARE, NUMBER)},
    "TripletMarginLoss": dict.fromkeys(("anchor", "positive", "negative"), (SQUARE,)),
    "TripletMarginWithDistanceLoss": dict.fromkeys(("anchor", "positive", "negative"), (SQUARE,)),
}
SAME: dict[str, tuple[str, ...]] = {
    "BCELoss": ("input", "target"),
    "BCEWithLogitsLoss": ("input", "target"),
    "LinearCrossEntropyLoss": ("input", "linear_weight"),
}


@pytest.mark.parametrize("loss", TAKEN)
def test_torch_returns_the_dtype_that_the_rule_says(loss: str) -> None:
    """In every pair of dtypes, for each tensor in turn, and where it has no dimensions."""
    subject = find_subject("torch.nn.functional")
    names = TAKEN[loss]
    reduction = "sum" if LOSSES[loss].reductions else None
    for shapes in itertools.product(*names.values()):
        for name, (own, others) in itertools.product(names, itertools.permutations(FLOATING, 2)):
            tensors = {
                one: Values(np.full(shape, 0.5), own if one == name else others)
                for one, shape in zip(names, shapes, strict=True)
            } | {one: Values(np.full(SQUARE, 0.5), others) for one in SAME.get(loss, ())}
            args = {one: values for one, values in tensors.items() if one in LOSSES[loss].arguments}
            args = {one: args[one] for one in LOSSES[loss].arguments}
            params = {one: values for one, values in tensors.items() if one not in args}
            call = Call(loss, params, args, reduction, others)
            assert prepare_call(call).dtype == subject.run(call).dtype, (name, own, others, shapes)


# How it is judged


def test_every_loss_that_takes_tensors_of_several_dtypes_has_cases_of_them() -> None:
    judged = {(case.loss, name) for case in mixed() for name in stated(case)}
    wanted = {(loss, name) for loss, names in TAKEN.items() for name in names if loss != "Objective"}
    assert wanted <= judged


def retyped(dtype: str, call: Call, answer: Observation) -> Observation:
    return replace(answer, dtype=dtype)


def stated(case: Case) -> list[str]:
    tensors: dict[str, Any] = {**case.args, **case.params}
    return [name for name, tensor in tensors.items() if getattr(tensor, "dtype", None) == "float32"]


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_the_right_dtype_agrees_and_any_other_is_wrong(dtype: str) -> None:
    for one in mixed():
        if one.raises:
            continue
        reductions = LOSSES[one.loss].reductions[-1:]
        one = replace(one, reductions=reductions or None)
        right = examine(one, Pretender(), dtype, with_modes=False)
        assert {record.outcome for record in right} == {"agree"}, one.id
        wanted = CallPlanner().plan(one, dtype, *reductions or (None,)).prepared.dtype
        for other in {dtype, "float32", "bfloat16"} - {wanted}:
            wrong = Pretender(partial(retyped, other))
            records = examine(one, wrong, dtype, with_modes=False, with_illustrations=False)
            values = [record for record in records if record.quantity == "value"]
            assert {record.message for record in values} == {f"has dtype {other}, should have {wanted}"}, (
                one.id
            )
            assert values[0].detail is not None
            assert f"assert dtype == {wanted!r}," in values[0].detail["snippet"]


def test_a_gradient_has_the_dtype_of_its_own_tensor() -> None:
    args = {"input": literal(["0.5"]), "target": literal(["0.25"], "float32")}
    one = case("MSELoss", args, reductions=("sum",))
    told: list[tuple[dict[str, str], set[str]]] = [
        ({"input": "float64", "target": "float32"}, set()),
        ({"input": "float64", "target": "float64"}, {"gradient:target", "vjp:target"}),
        ({"input": "float32"}, {"gradient:input", "vjp:input"}),
    ]
    for dtypes, wrong in told:
        records = examine(one, Pretender(partial(with_gradient_dtypes, dtypes)))
        assert {record.quantity for record in records if record.outcome != "agree"} == wrong
    record = named(records, "gradient:input")
    assert record.message == "has dtype float32, should have float64"
    assert outcome_of(record) == "passes"
    for odd, words in (
        ({"input": None}, "a dtype of the gradient by input that is nothing"),
        (None, "nothing in place of the dtypes of its gradients"),
    ):
        records = examine(one, Pretender(partial(with_gradient_dtypes, odd)))
        assert words in named(records, "value").message


@pytest.mark.parametrize("loss", ["MSELoss", "L1Loss"])
def test_torch_tells_the_dtypes_of_its_gradients(loss: str) -> None:
    args = {"input": Values(np.ones(2), "bfloat16"), "target": Values(np.zeros(2), "float32")}
    call = Call(loss, {}, args, "sum", "bfloat16", upstreams=(np.ones(()),), wrt=("input", "target"))
    answer = find_subject("torch.nn.functional").run(call)
    assert answer.gradient_dtypes == {"input": "bfloat16", "target": "float32"}


def with_gradient_dtypes(dtypes: Any, call: Call, answer: Observation) -> Observation:
    return replace(answer, gradient_dtypes=dtypes)


def test_the_program_of_a_wrong_dtype_passes_on_a_right_torch() -> None:
    [one] = [case for case in mixed() if case.id == "kl-mixed-target"]
    wrong = Pretender(lambda call, answer: replace(answer, dtype="bfloat16"), "torch.nn.functional")
    assert outcome_of(named(examine(one, wrong, "bfloat16"), "value")) == "passes"


def test_a_tensor_that_states_the_dtype_of_the_run_mixes_nothing() -> None:
    args = {"input": literal(["0.5"]), "target": literal(["0.25"], "float32")}
    assert {record.outcome for record in examine(case("BCELoss", args), dtype="float32")} == {"agree"}


def test_a_narrow_tensor_has_a_budget_of_its_own_format() -> None:
    """What is done with it alone, before it meets the others, is rounded to its dtype."""
    args = {"input": literal([["-0.5", "-1"]]), "target": literal([["0.1875", "0.8125"]], "bfloat16")}
    plan = CallPlanner().plan(case("KLDivLoss", args), "float32", "sum")
    assert (plan.prepared.dtype, plan.truth.value.format.name) == ("float32", "bfloat16")
    target = torch.tensor([[0.1875, 0.8125]], dtype=torch.bfloat16)
    honest = torch.nn.functional.kl_div(torch.tensor([[-0.5, -1.0]]), target, reduction="sum")
    error = abs(honest.item() - float(plan.truth.value.value))
    assert 2.0**-20 < error <= 2 * float(plan.truth.value.bound)


# What must not be mixed

ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "BCELoss": ({}, {"input": [0.5], "target": [0.5]}),
    "NLLLoss": ({"weight": [1.0, 2.0]}, {"input": [[-1.0, -2.0]], "target": [1]}),
    "CrossEntropyLoss": ({"weight": [1.0, 2.0]}, {"input": [[1.0, 2.0]], "target": [1]}),
    "MultiMarginLoss": ({"weight": [1.0, 2.0]}, {"input": [[1.0, 2.0]], "target": [1]}),
    "LinearCrossEntropyLoss": ({}, {"input": [[1.0]], "linear_weight": [[1.0], [2.0]], "target": [1]}),
}


@pytest.mark.parametrize("loss", ALIKE)
def test_what_torch_does_not_mix_is_refused_by_its_dtype(loss: str) -> None:
    params, args = ALIKE[loss]
    name = LOSSES[loss].alike({one: np.shape(values) for one, values in args.items()})[1]
    prepare(loss, params, args, {"input": "bfloat16", name: "bfloat16"})
    with pytest.raises(DtypeRefusal, match=f"{name} holds float64, input bfloat16; they must agree"):
        prepare(loss, params, args, {"input": "bfloat16", name: "float64"})


def test_beside_probabilities_class_weights_may_have_a_dtype_of_their_own() -> None:
    args: dict[str, Any] = {"input": [[1.0, 2.0]], "target": [[0.5, 0.5]]}
    single = {"weight": np.array([1, 2], dtype=np.float32)}
    assert forward("CrossEntropyLoss", single, args) == forward(
        "CrossEntropyLoss", {"weight": [1.0, 2.0]}, args
    )
    linear: dict[str, Any] = {"input": [[1.0]], "linear_weight": [[1.0], [2.0]], "target": [[0.5, 0.5]]}
    assert np.isfinite(forward("LinearCrossEntropyLoss", single, linear))


def test_a_weight_that_is_a_list_has_any_dtype() -> None:
    args: dict[str, Any] = {"input": np.array([[1, 2]], dtype=np.float32), "target": [1]}
    assert np.isfinite(forward("CrossEntropyLoss", {"weight": [1.0, 2.0]}, args))

"""From a case to its calls: what is passed, in which dtype, and which of them the planner keeps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal

from lossproof.corpus.case import Case, Parameter, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Complex, Tensor
from lossproof.judging.calls import CallPlanner, is_rounded, make_call, prepare_call, reductions_of
from lossproof.judging.truth import Truth, truth_of
from lossproof.numbers.formats import FORMATS
from lossproof.reference.conventions import picking
from lossproof.reference.refusals import OptionRefusal


def case(loss: str, params: Mapping[str, Any], args: Mapping[str, Tensor], **changes: Any) -> Case:
    return Case("one", "a case", loss, "cases/x.yaml", 3, params=params, args=args, **changes)


TENTHS = literal(["0.1", "0.2", "0.3"])
CLASSES = literal([["0.1", "0.2", "0.3"]])
DISTANCE = case("MSELoss", {}, {"input": TENTHS, "target": literal(["1", "1", "1"])})
ENTROPY = case(
    "CrossEntropyLoss", {"ignore_index": parse_numeral("2")}, {"input": CLASSES, "target": literal(["1"])}
)


@pytest.mark.parametrize("dtype", list(FORMATS))
def test_each_number_is_rounded_once_to_the_dtype_of_the_run(dtype: str) -> None:
    values = make_call(DISTANCE, dtype, "mean").args["input"]
    assert values.dtype == dtype
    np.testing.assert_array_equal(values.numbers, FORMATS[dtype].round([0.1, 0.2, 0.3]))


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_a_tensor_may_insist_on_its_own_dtype(dtype: str) -> None:
    mixed = replace(DISTANCE, args={"input": literal(["0.1"], "float32"), "target": literal(["1"])})
    args = make_call(mixed, dtype, "mean").args
    assert [args["input"].dtype, args["target"].dtype] == ["float32", dtype]
    assert args["input"].numbers.tolist() == [float(np.float32(0.1))]


@pytest.mark.parametrize(("dtype", "complex_dtype"), [("float64", "complex128"), ("float32", "complex64")])
def test_complex_numbers_have_parts_of_the_dtype_of_the_run(dtype: str, complex_dtype: str) -> None:
    tensor = Complex(literal(["0.1"]), literal(["0.2"]))
    values = make_call(replace(DISTANCE, args={"input": tensor}), dtype, "mean").args["input"]
    assert values.dtype == complex_dtype
    parts = FORMATS[dtype].round([0.1, 0.2])
    assert values.numbers.tolist() == [complex(*parts)]


@pytest.mark.parametrize(
    ("dtype", "texts"),
    [
        ("int64", ["-100", "9007199254740993"]),
        ("uint8", ["0", "255"]),
        ("bool", ["0", "1"]),
        ("complex64", ["0.5"]),
    ],
)
def test_what_is_no_floating_point_number_is_taken_as_it_is(dtype: str, texts: list[str]) -> None:
    tensor = literal(texts, dtype)
    values = make_call(replace(DISTANCE, args={"input": tensor}), "float32", "mean").args["input"]
    assert (values.dtype, values.numbers.dtype) == (dtype, np.dtype(dtype))
    assert values.numbers.tolist() == [float(text) if "." in text else int(text) for text in texts]


def test_parameters_are_integers_numbers_and_tensors_as_written() -> None:
    params: dict[str, Parameter] = {
        "label_smoothing": parse_numeral("0.5"),
        "weight": TENTHS,
        "ignore_index": parse_numeral("2"),
    }
    call = make_call(replace(ENTROPY, params=params), "float32", "mean")
    assert [call.params["label_smoothing"], call.params["ignore_index"]] == [0.5, 2]
    assert isinstance(call.params["ignore_index"], int)
    assert call.params["weight"].dtype == "float32"
    cut = case("AdaptiveLogSoftmaxWithLoss", {"cutoffs": literal(["2", "4"])}, {})
    cutoffs = make_call(cut, "float32", "mean").params["cutoffs"]
    assert (cutoffs.dtype, cutoffs.numbers.dtype, cutoffs.numbers.tolist()) == ("int64", np.int64, [2, 4])


@pytest.mark.parametrize("name", ["reduction", "size_average", "reduce"])
def test_where_a_case_passes_its_reduction_none_is_added(name: str) -> None:
    assert reductions_of(DISTANCE) == ("none", "mean", "sum")
    assert reductions_of(replace(DISTANCE, reductions=("sum",))) == ("sum",)
    assert reductions_of(replace(DISTANCE, params={name: None})) == (None,)


def test_the_term_of_an_identity_is_the_call_with_parts_of_it_replaced() -> None:
    own = make_call(ENTROPY, "float32", "mean")
    term = Term(reduction="sum", params={"label_smoothing": parse_numeral("0.5")})
    call = make_call(ENTROPY, "float32", "mean", term)
    assert (call.loss, call.reduction, dict(call.params)) == (
        "CrossEntropyLoss",
        "sum",
        {"ignore_index": 2, "label_smoothing": 0.5},
    )
    assert call.args["input"].numbers.tolist() == own.args["input"].numbers.tolist()


def test_a_term_of_another_loss_has_only_its_own_parameters() -> None:
    term = Term("LogSoftmax", params={"dim": parse_numeral("1")}, args={"input": CLASSES})
    call = make_call(ENTROPY, "float32", "mean", term)
    assert (call.loss, call.reduction, dict(call.params), set(call.args)) == (
        "LogSoftmax",
        None,
        {"dim": 1},
        {"input"},
    )


def test_what_the_reference_warns_of_is_not_warned_of_here() -> None:
    """It is asked of the subject of that name."""
    legacy = replace(DISTANCE, params={"size_average": False})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert prepare_call(make_call(legacy, "float32", None)).parameters["reduction"] == "sum"


def gradients(call: Case, dtype: str, format: str) -> tuple[Mapping[str, Truth], Mapping[str, Truth]]:
    """The gradients' truth as planned, and as it would be if all tensors had one format."""
    planned = CallPlanner().plan(call, dtype, "sum")
    return planned.truth.gradients[1], truth_of(planned.prepared, FORMATS[format]).gradients[1]


@pytest.mark.parametrize(
    ("own", "dtype", "narrowest"),
    [
        (None, "float32", "float32"),
        ("float32", "float64", "float32"),
        ("float64", "float32", "float32"),
        ("float32", "bfloat16", "bfloat16"),
        ("float16", "bfloat16", "bfloat16"),
        ("bfloat16", "float16", "bfloat16"),
    ],
)
def test_the_budget_is_that_of_the_narrowest_tensor(own: str | None, dtype: str, narrowest: str) -> None:
    args = {"input": literal(["0.1"], own), "target": literal(["1"])}
    planned, plain = gradients(replace(DISTANCE, args=args), dtype, narrowest)
    name = {"float16": "target", "bfloat16": "input"}.get(dtype, "input")
    for gradient in ("input", "target"):
        assert planned[gradient].format is FORMATS[narrowest]
        is_half = {own, dtype} == {"float16", "bfloat16"} and gradient == name
        bound = plain[gradient].rounded_to(FORMATS["float16"]).bound if is_half else plain[gradient].bound
        np.testing.assert_array_equal(planned[gradient].bound, bound)


def test_a_gradient_of_halves_beside_bfloat16_may_leave_their_range() -> None:
    args = {"input": literal(["6e4"], "float16"), "target": literal(["-6e4"])}
    planned, _ = gradients(replace(DISTANCE, args=args), "bfloat16", "bfloat16")
    assert (planned["input"].overflows.tolist(), planned["target"].overflows.tolist()) == ([True], [False])


def test_a_call_of_whole_numbers_has_the_budget_of_its_result() -> None:
    whole = {name: literal(["3"], "int64") for name in ("x1", "x2")}
    planned = CallPlanner().plan(replace(DISTANCE, loss="PairwiseDistance", args=whole), "float64", None)
    assert (planned.prepared.dtype, planned.truth.value.format.name) == ("float32", "float32")


def test_complex_numbers_have_the_budget_of_their_parts() -> None:
    args: dict[str, Tensor] = {"input": Complex(literal(["0.1"]), literal(["0.2"])), "target": literal(["1"])}
    planned, plain = gradients(replace(DISTANCE, loss="L1Loss", args=args), "float32", "float32")
    assert planned["input"].format.name == "float32"
    np.testing.assert_array_equal(planned["input"].bound, plain["input"].bound)


def test_a_call_is_planned_once_for_all_subjects() -> None:
    planner = CallPlanner()
    first = planner.plan(DISTANCE, "float32", "mean")
    assert planner.plan(DISTANCE, "float32", "mean") is first
    for other in (
        planner.plan(DISTANCE, "float16", "mean"),
        planner.plan(DISTANCE, "float32", "sum"),
        planner.plan(DISTANCE, "float32", "mean", "same_as 0", Term(reduction="sum")),
        planner.plan(replace(DISTANCE, id="two"), "float32", "mean"),
    ):
        assert other is not first


def test_the_reductions_of_a_case_share_its_tensors() -> None:
    planner = CallPlanner()
    mean, whole = (planner.plan(DISTANCE, "float32", reduction) for reduction in ("mean", "sum"))
    assert (mean.call.reduction, whole.call.reduction) == ("mean", "sum")
    assert mean.call.args["input"] is whole.call.args["input"]
    assert (
        whole.truth.value.value.tolist() == CallPlanner().plan(DISTANCE, "float32", "sum").truth.value.value
    )


def test_each_call_passes_the_reduction_that_it_is_asked_for() -> None:
    planner = CallPlanner()
    for reduction, expected in (("sum", "sum"), (None, "mean"), ("none", "none")):
        planned = planner.plan(DISTANCE, "float32", reduction)
        assert (planned.call.reduction, planned.prepared.parameters["reduction"]) == (reduction, expected)
    with pytest.raises(OptionRefusal, match="median"):
        planner.plan(DISTANCE, "float32", "median")
    term = planner.plan(DISTANCE, "float32", "mean", "same_as 0", Term(reduction="sum"))
    assert (term.call.reduction, term.prepared.parameters["reduction"]) == ("sum", "sum")
    plain = replace(DISTANCE, loss="PairwiseDistance", args={"x1": TENTHS, "x2": TENTHS})
    assert planner.plan(plain, "float32", "mean").call.reduction is None


def test_a_call_is_planned_for_each_device() -> None:
    planner = CallPlanner()
    assert planner.plan(DISTANCE, "float32", "mean").call.device == "cpu"
    for reduction in ("mean", "sum"):
        assert planner.plan(DISTANCE, "float32", reduction, device="meta").call.device == "meta"


KINK = case("L1Loss", {}, {"input": literal(["0.5"]), "target": literal(["0.5"])})


def test_a_call_is_planned_anew_under_other_picks() -> None:
    planner = CallPlanner()
    usual = planner.plan(KINK, "float32", "sum")
    with picking({"l1-at-zero": "1"}):
        other = planner.plan(KINK, "float32", "sum")
        assert planner.plan(KINK, "float32", "sum") is other
    assert [plan.truth.gradients[0]["input"].value.tolist() for plan in (usual, other)] == [[0.0], [1.0]]
    with picking({"hinge-embedding-on-margin": "1"}):
        assert planner.plan(KINK, "float32", "sum") is not other


def clamped(number: float) -> Truth:
    """The gradient by a variance below eps, which is 0 as a derivative."""
    args: dict[str, Tensor] = {
        "input": literal([repr(number)]),
        "target": literal(["0"]),
        "var": literal(["0.5"]),
    }
    likelihood = case("GaussianNLLLoss", {"eps": parse_numeral("1")}, args)
    return CallPlanner().plan(likelihood, "float32", "sum").truth.gradients[0]["var"]


def test_a_gradient_is_by_convention_where_the_derivative_is_beyond_its_budget() -> None:
    """Near 1 the gradient, (1 - x^2) / 2, is almost the derivative."""
    shares = []
    for steps in range(1, 16):
        truth = clamped(1.0 + steps * 2.0**-23)
        shares.append(float(abs(truth.value[0]) / truth.budget[0]))
        assert bool(truth.convention) is (shares[-1] > 1), shares
        assert ("gaussian-variance-below-eps" in truth.picks) is (shares[-1] > 1), shares
    assert any(share < 1 for share in shares)
    assert any(1 < share < 2 for share in shares)


def test_a_derivative_in_place_of_the_usual_gradient_is_no_convention() -> None:
    assert clamped(3.0).convention
    with picking({"gaussian-variance-below-eps": "derivative"}):
        truth = clamped(3.0)
    assert truth.value.tolist() == [0.0]
    assert (truth.convention, truth.picks["gaussian-variance-below-eps"]) == ("", "derivative")


@pytest.mark.parametrize(
    ("numbers", "is_rounded_there"),
    [
        (literal(["0.5", "1"]), False),
        (literal(["0.5", "0.1"]), True),
        (literal([".inf", ".nan"]), False),
        (literal(["1e39", "1"]), True),
        (Complex(literal(["1"]), literal(["2"])), False),
        (Complex(literal(["0.1"]), literal(["2"])), True),
        (Complex(literal(["1"]), literal(["0.1"])), True),
    ],
)
def test_a_run_uses_other_numbers_where_the_dtype_does_not_hold_those_of_the_case(
    numbers: Tensor, is_rounded_there: bool
) -> None:
    for args in ({"input": numbers, "target": literal(["1"])}, {"input": literal(["1"]), "target": numbers}):
        assert is_rounded(replace(KINK, args=args), "sum", "float32") is is_rounded_there


def test_the_planner_forgets_what_was_longest_not_asked_for() -> None:
    planner = CallPlanner()
    cases = [replace(DISTANCE, id=f"case {place}") for place in range(65)]
    first, second, *_ = [planner.plan(one, "float32", "mean") for one in cases[:64]]
    assert planner.plan(cases[0], "float32", "mean") is first
    planner.plan(cases[64], "float32", "mean")
    assert planner.plan(cases[0], "float32", "mean") is first
    assert planner.plan(cases[1], "float32", "mean") is not second

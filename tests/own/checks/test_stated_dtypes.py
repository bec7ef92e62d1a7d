"""A dtype that a call states: what is cast to it, what the result is of, and who is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corpus_specimens import complaints_about
from exact_arithmetic import literal
from examined_cases import case, cases_of, examine
from their_modules import their_module

import lossproof
from lossproof.adapters.target import TargetSubject
from lossproof.checks.certification import certify
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.judging.calls import CallPlanner, is_rounded
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.reference.evaluation import prepare
from lossproof.reference.refusals import OptionRefusal
from lossproof.subjects.torch.subject import FunctionSubject, ModuleSubject

LOGITS = {"input": literal([["1", "2"], ["0.5", "-1.5"]])}

MODULE = """
import numpy
import torch


def in_torch(input, dim, dtype):
    assert dtype is None or isinstance(dtype, torch.dtype), dtype
    return torch.softmax(input, dim, dtype=dtype)


def in_numpy(input, dim, dtype):
    exponentials = numpy.exp((input if dtype is None else input.astype(dtype)) - input.max())
    return exponentials / exponentials.sum(axis=dim, keepdims=True)


def without_dtype(input, dim):
    return torch.softmax(input, dim)
"""


def in_dtype(dtype: str | None, loss: str = "Softmax") -> Case:
    return case(loss, LOGITS, params={"dim": 0, "dtype": dtype})


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    with their_module(tmp_path / "their_softmax.py", MODULE) as path:
        yield path


@pytest.mark.parametrize("loss", ["Softmax", "LogSoftmax"])
def test_the_input_is_rounded_first(loss: str) -> None:
    between = [2049.0, 2048.0]
    cast = lossproof.forward(loss, {"dim": 0, "dtype": "float16"}, {"input": between})
    np.testing.assert_array_equal(cast, lossproof.forward(loss, {"dim": 0}, {"input": [2048.0, 2048.0]}))
    assert not np.array_equal(cast, lossproof.forward(loss, {"dim": 0}, {"input": between}))


def test_whole_numbers_are_cast_and_have_no_gradient() -> None:
    call = prepare("Softmax", {"dim": 0, "dtype": "float64"}, {"input": np.array([3, 0])})
    assert (call.dtype, call.differentiable) == ("float64", ())


def test_only_floating_dtypes_are_taken() -> None:
    with pytest.raises(OptionRefusal, match="dtype is 'int64'; it must be float64 or"):
        lossproof.forward("Softmax", {"dim": 0, "dtype": "int64"}, {"input": [1.0]})


@pytest.mark.parametrize("run", list(FORMATS))
@pytest.mark.parametrize("stated", list(FORMATS))
def test_the_budget_is_that_of_the_stated_dtype(run: str, stated: str) -> None:
    planned = CallPlanner().plan(in_dtype(stated), run, None)
    alike = CallPlanner().plan(in_dtype(None), stated, None)
    assert (planned.prepared.dtype, planned.prepared.dtypes["input"]) == (stated, run)
    np.testing.assert_array_equal(planned.truth.value.bound, alike.truth.value.bound)
    own, format = FORMATS[run], FORMATS[stated]
    true, plain = (one.truth.gradients[1]["input"] for one in (planned, alike))
    is_held = own.precision >= format.precision and own.largest >= format.largest
    bound = plain.bound if is_held else plain.rounded_to(own).bound
    np.testing.assert_array_equal(true.bound, bound)
    assert true.format is min(own, format, key=lambda format: format.precision)


def test_a_run_uses_other_numbers_where_the_stated_dtype_does_not_hold_them() -> None:
    between = case("Softmax", {"input": literal(["2049", "1"])}, params={"dim": 0, "dtype": "float16"})
    assert is_rounded(between, None, "float64")
    assert not is_rounded(replace(between, params={**between.params, "dtype": "float32"}), None, "float64")


def test_the_linter_asks_for_numbers_that_the_stated_dtype_holds(tmp_path: Path) -> None:
    text = """\
loss: Softmax
cases:
  - id: between
    title: a number between two of float16
    params: {dim: 0, dtype: float16}
    args: {input: [2049, 1]}
    dtypes: [float64]
"""
    (found,) = complaints_about(tmp_path, x=text)
    assert found.problem == "args.input holds 2049, which float16 cannot hold exactly"
    (found,) = complaints_about(tmp_path, x=text.replace("float16", "half"))
    assert "half" in found.problem


def test_a_number_that_a_dtype_gives_is_one_of_a_run_in_it() -> None:
    """Of a gradient, it is rounded to the dtype of the input."""
    text = """\
loss: Softmax
cases:
  - id: observed
    title: as it comes out in bfloat16
    params: {dim: 0, dtype: float64}
    args: {input: [1, 2]}
    upstream: [1, 0]
    expect: {none: {bfloat16: [0.2689414213699951, 0.7310585786300049]}}
    gradient: {none: {input: {bfloat16: [0.1962890625, -0.1962890625]}}}
"""
    assert {record.outcome for record in certify(cases_of(text)["observed"])} == {Outcome.AGREE}
    (value, _) = certify(cases_of(text.replace("[0.2689414213699951", "[0.2689"))["observed"])
    assert value.outcome is Outcome.DISAGREE


@pytest.mark.parametrize("stated", list(FORMATS))
def test_torch_gets_its_own_dtype_and_its_module_lacks_the_parameter(stated: str) -> None:
    for dtype in FORMATS:
        records = examine(in_dtype(stated, "LogSoftmax"), FunctionSubject(), dtype)
        assert {record.outcome for record in records} == {Outcome.AGREE}
    (record,) = examine(in_dtype(stated), ModuleSubject(), "float32")
    assert record.message == "torch.nn.Softmax has no parameter 'dtype', unlike the function"


@pytest.mark.parametrize("quantity", ["value", "gradient:input", "vjp:input", "unchanged"])
def test_a_program_shows_the_dtype(quantity: str) -> None:
    call = CallPlanner().plan(in_dtype("float64"), "float32", None).call
    program = FunctionSubject().programs.of_call(call, quantity).text()
    assert "softmax(input, dim=0, dtype=torch.float64)" in program
    exec(program, {})


def test_modes_are_for_calls_whose_result_has_their_dtype() -> None:
    for stated, has_modes in (("float32", True), ("float64", False)):
        call = CallPlanner().plan(in_dtype(stated), "float32", None).call
        assert bool(FunctionSubject().modes(call)) is has_modes


@pytest.mark.parametrize(("name", "arrays"), [("in_torch", "torch"), ("in_numpy", "numpy")])
def test_a_function_gets_the_dtype_as_its_library_takes_it(module: Path, name: str, arrays: str) -> None:
    subject = TargetSubject(f"{module}:{name}", "Softmax", library=arrays)
    for stated in (None, "float64"):
        records = Examiner().examine(in_dtype(stated), subject, "float32")
        assert {record.outcome for record in records} <= {Outcome.AGREE, Outcome.UNSUPPORTED}
        assert records[0].outcome is Outcome.AGREE


@pytest.mark.parametrize(
    ("name", "arrays", "reason"),
    [
        ("without_dtype", "torch", "has no parameter 'dtype'"),
        ("in_numpy", "numpy", "numpy has no bfloat16"),
    ],
)
def test_what_a_function_cannot_be_given_is_unsupported(
    module: Path, name: str, arrays: str, reason: str
) -> None:
    subject = TargetSubject(f"{module}:{name}", "Softmax", library=arrays)
    (record,) = Examiner().examine(in_dtype("bfloat16"), subject, "float32")
    assert record.outcome is Outcome.UNSUPPORTED
    assert reason in record.message

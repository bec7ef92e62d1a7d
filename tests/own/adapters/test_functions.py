"""Somebody's function as a subject: how it is called, what it cannot be asked, and how it is shown."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from examined_cases import cases_of
from repository import whole_corpus
from snippet_runs import fails_as_told, outcome_of
from their_modules import their_module

from lossproof.adapters.target import TargetError, TargetSubject, load
from lossproof.checks.examination import Examiner
from lossproof.judging.calls import make_call
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.running.selection import select
from lossproof.subjects.subject import Subject

MODULE = '''
import numpy
import torch


def by_name(reduction, target, input):
    return torch.nn.functional.mse_loss(input, target, reduction=reduction)


def by_place(x, y, *, reduction="sum"):
    return torch.nn.functional.mse_loss(x, y, reduction=reduction)


def without_reduction(x, y):
    return (x - y) ** 2


def of_anything(*tensors, **parameters):
    return torch.nn.functional.mse_loss(*tensors, **parameters)


class Loss(torch.nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, x, y):
        return by_place(x, y, reduction=self.reduction)


def make_loss(reduction):
    return Loss(reduction)


summing = Loss("sum")


class Nested:
    @staticmethod
    def loss(x, y, reduction):
        return by_place(x, y, reduction=reduction)


def off_by_one(x, y, reduction):
    return by_place(x, y, reduction=reduction) + 1


def without_graph(x, y, reduction):
    return by_place(x.detach(), y.detach(), reduction=reduction)


def by_input_only(x, y, reduction):
    return by_place(x, y.detach(), reduction=reduction)


def greedy(x, y, reduction):
    """A kernel that writes its gradient into its input."""
    return Greedy.apply(x, y, reduction)


class Greedy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, reduction):
        size = x.numel() if reduction == "mean" else 1
        losses = (x - y) ** 2
        value = losses if reduction == "none" else losses.sum() / size
        with torch.no_grad():
            x.sub_(y).mul_(2 / size)
        ctx.save_for_backward(x.clone())
        return value

    @staticmethod
    def backward(ctx, upstream):
        (gradient,) = ctx.saved_tensors
        return upstream * gradient, None, None


def halves(x, y, reduction):
    if x.dtype == torch.float16:
        raise RuntimeError('"mine" not implemented for \\'Half\\'')
    return by_place(x, y, reduction=reduction)


def with_numpy(x, y, reduction):
    assert isinstance(x, numpy.ndarray), type(x)
    losses = (x - y) ** 2
    return {"none": numpy.asarray, "sum": numpy.sum, "mean": numpy.mean}[reduction](losses)


def with_numpy_backward(upstream, x, y, reduction):
    slope = 2 * (x - y) / (x.size if reduction == "mean" else 1) * upstream
    return slope, -slope


def named_backward(upstream, x, y, reduction):
    slope, other = with_numpy_backward(upstream, x, y, reduction)
    return {"input": slope, "target": None}


def wrong_backward(upstream, x, y, reduction):
    return with_numpy_backward(upstream, y, x, reduction)


def with_dlpack(x, y, reduction):
    return by_place(torch.from_dlpack(x), torch.from_dlpack(y), reduction=reduction)


not_a_function = 3
'''

CASES = cases_of(
    """\
loss: MSELoss
cases:
  - id: plain
    title: two rows
    args: {input: [[1, 2], [1, 3]], target: [[1, 1], [0, 1]]}
    dtypes: [float64, float32, float16]
  - id: weighted
    title: with weights
    params: {weight: [[1, 2], [3, 4]]}
    args: {input: [[1, 2], [1, 3]], target: [[1, 1], [0, 1]]}
  - id: legacy
    title: the sum, by parameters of old
    params: {size_average: false, reduce: true}
    args: {input: [[1, 2], [1, 3]], target: [[1, 1], [0, 1]]}
  - id: broadcast
    title: a row against a column
    args: {input: [[1], [2]], target: [[1, 1]]}
    reductions: [none]
  - id: empty
    title: nothing
    args: {input: {fill: 0, shape: [0, 2]}, target: {fill: 0, shape: [0, 2]}}
    reductions: [none]
"""
)


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    with their_module(tmp_path / "their_losses.py", MODULE) as path:
        yield path


def examined(subject: Subject, case: str = "plain", dtype: str = "float64", **options: bool) -> list[Record]:
    return Examiner(**options).examine(CASES[case], subject, dtype)  # type: ignore[arg-type]  # only flags are given


def outcomes(records: list[Record]) -> set[str]:
    return {record.outcome for record in records}


def values_by_reduction(records: list[Record]) -> dict[str | None, str]:
    """The outcome of the value in each reduction, in the first layout."""
    first = [one for one in records if one.quantity == "value" and one.layout == "contiguous"]
    return {record.reduction: record.outcome for record in first}


@pytest.mark.parametrize(
    "name", ["by_name", "by_place", "of_anything", "Loss", "make_loss", "Nested.loss", "halves"]
)
def test_a_function_a_class_and_a_maker_of_either_are_called_as_they_want(module: Path, name: str) -> None:
    subject = TargetSubject(f"{module}:{name}", "MSELoss")
    records = examined(subject, dtype="float32")
    assert outcomes(records) == {"agree"}
    assert {record.reduction for record in records} == {"none", "mean", "sum"}
    assert {record.layout for record in records} >= {"contiguous", "transposed", "strided"}
    assert {record.quantity for record in records} >= {"value", "gradient:input", "vjp:target", "unchanged"}
    assert subject.name == f"their_losses.py:{name}"


def test_a_function_without_a_reduction_computes_the_one_that_it_is_said_to(module: Path) -> None:
    target = f"{module}:without_reduction"
    for fixed, agreeing in (({"reduction": "none"}, "none"), ({}, "mean")):
        records = examined(TargetSubject(target, "MSELoss", fixed=fixed))
        by_reduction = values_by_reduction(records)
        wanted = "agree" if fixed else "disagree"
        assert by_reduction.pop(agreeing) == wanted
        assert set(by_reduction.values()) == {"unsupported"}
    assert "has no parameter 'reduction'" in records[0].message or "shape" in records[0].message


def test_an_instance_computes_what_it_was_made_with(module: Path) -> None:
    records = examined(TargetSubject(f"{module}:summing", "MSELoss"))
    assert values_by_reduction(records) == {
        "none": "unsupported",
        "mean": "unsupported",
        "sum": "agree",
    }


def test_parameters_are_effective_and_those_that_it_lacks_are_unsupported(module: Path) -> None:
    subject = TargetSubject(f"{module}:by_place", "MSELoss")
    assert outcomes(examined(subject, "legacy")) == {"agree"}
    [record, *_] = examined(subject, "weighted")
    assert (record.outcome, record.message) == (
        "unsupported",
        "their_losses.py:by_place has no parameter 'weight'",
    )
    everything = TargetSubject(f"{module}:of_anything", "MSELoss")
    assert outcomes(examined(everything, "weighted")) == {"agree"}


def test_what_it_lacks_is_asked_before_truth_is_computed(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = TargetSubject(f"{module}:by_place", "MSELoss", features_lacked=["broadcast", "empty"])
    monkeypatch.setattr("lossproof.judging.calls.prepare_call", None)
    assert examined(subject, "broadcast")[0].message.endswith("does not broadcast its arguments")
    assert examined(subject, "empty")[0].message.endswith("takes no empty arrays")
    assert outcomes(examined(subject, "weighted")) == {"unsupported"}


def test_a_gradient_that_it_does_not_compute_is_unsupported(module: Path) -> None:
    records = examined(TargetSubject(f"{module}:without_graph", "MSELoss"), with_modes=False)
    by_quantity = {str(record.quantity): record.outcome for record in records}
    assert by_quantity == {
        "value": "agree",
        "gradient:input": "unsupported",
        "gradient:target": "unsupported",
        "vjp:input": "unsupported",
        "vjp:target": "unsupported",
        "unchanged": "agree",
    }
    records = examined(TargetSubject(f"{module}:by_input_only", "MSELoss"))
    by_quantity = {str(record.quantity): record.outcome for record in records}
    assert by_quantity["vjp:input"] == "agree"
    assert by_quantity["vjp:target"] == "unsupported"


def test_a_kernel_that_writes_into_its_input_is_judged_by_its_numbers(module: Path) -> None:
    records = examined(TargetSubject(f"{module}:greedy", "MSELoss"))
    contiguous = [record for record in records if record.layout == "contiguous"]
    by_quantity = {str(record.quantity): record.outcome for record in contiguous}
    assert by_quantity.pop("unchanged") == "disagree"
    assert {by_quantity[name] for name in ("value", "gradient:input", "vjp:input")} == {"agree"}


def test_a_kernel_that_says_that_it_writes_into_its_input_follows_another_convention(module: Path) -> None:
    subject = TargetSubject(f"{module}:greedy", "MSELoss", features_lacked=["unchanged"])
    unchanged = [record for record in examined(subject) if record.quantity == "unchanged"]
    assert outcomes(unchanged) == {"other convention"}


def test_a_kernel_that_is_missing_for_a_dtype_is_unsupported(module: Path) -> None:
    subject = TargetSubject(f"{module}:halves", "MSELoss")
    assert outcomes(examined(subject, dtype="float16")) == {"unsupported"}
    assert outcomes(examined(subject, dtype="float32")) == {"agree"}


@pytest.mark.parametrize("library", ["numpy", "dlpack"])
def test_other_arrays_than_tensors_are_handed_over(module: Path, library: str) -> None:
    subject = TargetSubject(f"{module}:with_{library}", "MSELoss", library)
    assert "bfloat16" not in subject.dtypes
    for dtype in subject.dtypes:
        records = examined(subject, dtype=dtype)
        assert outcomes([one for one in records if one.quantity in ("value", "unchanged")]) == {"agree"}
        assert outcomes([one for one in records if one.quantity.argument]) == {"unsupported"}


def test_gradients_may_come_from_a_backward_pass_of_its_own(module: Path) -> None:
    right = TargetSubject(f"{module}:with_numpy", "MSELoss", "numpy", "with_numpy_backward")
    assert outcomes(examined(right)) == {"agree"}
    half = TargetSubject(f"{module}:with_numpy", "MSELoss", "numpy", f"{module}:named_backward")
    by_argument = {record.quantity.argument: record.outcome for record in examined(half)}
    assert by_argument == {"": "agree", "input": "agree", "target": "unsupported"}
    wrong = TargetSubject(f"{module}:with_numpy", "MSELoss", "numpy", "wrong_backward")
    failed = [record for record in examined(wrong) if record.outcome.is_failing]
    assert {record.quantity for record in failed} >= {"gradient:input", "vjp:target"}
    assert all(fails_as_told(record) for record in failed)


def test_its_programs_import_it_and_fail_as_long_as_it_is_wrong(module: Path) -> None:
    subject = TargetSubject(f"{module}:off_by_one", "MSELoss")
    failed = [record for record in examined(subject) if record.outcome.is_failing]
    assert failed
    assert all(fails_as_told(record) for record in failed)
    snippet = (failed[0].detail or {})["snippet"]
    assert snippet.splitlines()[0] == "from their_losses import off_by_one"
    assert "result = off_by_one(input, target, reduction='none')" in snippet
    module.write_text(MODULE.replace("reduction=reduction) + 1", "reduction=reduction)"))
    del sys.modules["their_losses"]
    assert {outcome_of(record) for record in failed} == {"passes"}


@pytest.mark.parametrize("name", ["greedy", "Loss", "Nested.loss"])
def test_each_program_runs(module: Path, name: str) -> None:
    subject = TargetSubject(f"{module}:{name}", "MSELoss")
    call = make_call(CASES["plain"], "float32", "mean")
    assert subject.programs is not None
    for quantity in ("value", "unchanged"):
        scope: dict[str, object] = {}
        exec(subject.programs.of_call(call, quantity).text(), scope)
        assert float(scope["result"]) == 1.5  # type: ignore[arg-type]  # a tensor of one number


def test_an_error_that_another_formula_may_have_is_close_but_not_if_that_is_refused(module: Path) -> None:
    module.write_text(
        "def nearly(input, target, reduction):\n"
        "    losses = (input - target) ** 2\n"
        "    return losses * (1 + 5 * 2**-52) if reduction == 'none' else getattr(losses, reduction)()\n"
    )
    case = cases_of(
        "loss: MSELoss\ncases:\n"
        "  - {id: one, title: one, rounded: true, args: {input: [1.1], target: [0.3]},\n"
        "     reductions: [none]}"
    )["one"]
    subject = TargetSubject(f"{module}:nearly", "MSELoss")
    for is_strict, outcome in ((False, Outcome.CLOSE), (True, Outcome.DISAGREE)):
        records = Examiner(is_strict=is_strict).examine(case, subject, "float64")
        value = next(record for record in records if record.quantity == "value")
        assert 1 < (value.error_over_budget or 0) < 2
        assert value.outcome == outcome
        assert fails_as_told(replace_outcome(value))


def replace_outcome(record: Record) -> Record:
    """The record as if it disagreed: its program is the same."""
    return Record.from_data({**vars(record), "outcome": "disagree"})


REFUSALS = cases_of(
    """\
loss: NLLLoss
cases:
  - id: beyond
    title: an index out of range
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    reductions: [none]
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
  - id: batch
    title: more targets than rows
    args: {input: [[1, 2], [1, 3]], target: [0, 1, 1]}
    reductions: [none]
    raises: {when: call, kind: shape, torch: {type: ValueError, match: "batch_size"}}
"""
)


def test_refusing_in_any_words_is_enough_and_an_index_that_is_accepted_is_a_defect(module: Path) -> None:
    module.write_text(
        "def refusing(input, target, reduction):\n"
        "    raise ArithmeticError('not me')\n"
        "def accepting(input, target, reduction):\n"
        "    return input.sum(1)\n"
    )
    for name, index, shape in (("refusing", "agree", "agree"), ("accepting", "disagree", "accepts")):
        subject = TargetSubject(f"{module}:{name}", "NLLLoss")
        for case, outcome in (("beyond", index), ("batch", shape)):
            [record] = Examiner().examine(REFUSALS[case], subject, "float64")
            assert (record.quantity, record.outcome) == ("raises", outcome)
            if outcome != "agree":
                assert fails_as_told(replace_outcome(record))


def test_claims_about_the_modules_of_torch_are_not_asked_of_it(module: Path) -> None:
    named = {"subject": f"{module}:by_name", "loss": "MSELoss"}
    trials = select(whole_corpus(), "", "", "", "cpu", **named).trials
    assert {trial.case.loss for trial in trials} == {"MSELoss"}
    assert all(trial.case.module is None for trial in trials)
    assert any(case.module is not None and case.loss == "MSELoss" for case in whole_corpus().cases)


def test_another_process_imports_the_function_anew(module: Path) -> None:
    subject = TargetSubject(f"{module}:by_name", "MSELoss", fixed={"reduction": "sum"})
    again = pickle.loads(pickle.dumps(subject))
    assert (again.name, again.dtypes) == (subject.name, subject.dtypes)
    call = make_call(CASES["plain"], "float64", "sum")
    assert again.run(call).value == subject.run(call).value == np.array(6.0)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("losses", "'losses' names no function; write package.module:name or path/to/file.py:name"),
        ("none.py:f", "there is no file none.py; name a file that exists"),
        ("no_such_package.m:f", "there is no module 'no_such_package' here"),
        ("their_losses.py:by_nam", "has no 'by_nam'; did you mean 'by_name'"),
        ("their_losses.py:not_a_function", "is of type int, which cannot be called; name a function"),
    ],
)
def test_a_function_that_is_not_there_is_said_to_be_so(
    module: Path, monkeypatch: pytest.MonkeyPatch, target: str, said: str
) -> None:
    monkeypatch.chdir(module.parent)
    with pytest.raises(TargetError) as caught:
        load(target)
    assert said in str(caught.value)


def test_what_a_module_raises_when_it_is_imported_is_not_hidden(module: Path) -> None:
    module.write_text("import no_such_library")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load(f"{module}:f")
    module.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        load(f"{module}:f")
    module.write_text("def f(): ...")
    assert callable(load(f"{module}:f"))

"""A function of somebody's own is called in other ways as well; one that is wrong in one way is caught."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from examined_cases import cases_of
from snippet_runs import fails_as_told

from lossproof.adapters.features import FEATURES_OF_WAYS
from lossproof.adapters.target import TargetSubject
from lossproof.adapters.tested import TestedSubject
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.records.record import Record
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.modes.table import WAYS_OF_OTHERS

CASES = cases_of(
    """\
loss: MSELoss
cases:
  - id: matrix
    title: an error that is not symmetric
    args: {input: [[0.5, -1, 3], [2, 0.25, 1]], target: [[0.75, 1, 1], [2.5, 3, 4]]}
    reductions: [none]
    dtypes: [float32]
  - id: equal
    title: an error of 0
    args: {input: [1, 2], target: [1, 2]}
    dtypes: [float32]
  - id: turned
    title: a matrix and its transpose
    args: {input: [[1, 2], [4, 8]], target: {permute: [[1, 2], [4, 8]], dims: [1, 0]}}
    dtypes: [float32]
"""
)
CASES |= cases_of(
    """\
loss: CrossEntropyLoss
cases:
  - id: shifted
    title: scores to which a one can be added
    args: {input: [[0.5, -1, 3], [2, 0.25, 1]], target: [0, 2]}
    dtypes: [float32]
  - id: weighted
    title: a sum with weights
    params: {weight: [1, 2, 3]}
    args: {input: [[0.5, -1, 3], [2, 0.25, 1]], target: [0, 2]}
    reductions: [sum]
    dtypes: [float32]
"""
)
RIGHT = """\
import threading
import torch


def reduced(losses, reduction):
    return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[reduction]


class Kernel(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, target):
        ctx.save_for_backward(input - target)
        return (input - target) ** 2

    @staticmethod
    def backward(ctx, upstream):
        (difference,) = ctx.saved_tensors
        gradient = 2 * difference * upstream
        return gradient, -gradient


def mse(input, target, reduction="mean"):
    return reduced(Kernel.apply(input, target), reduction)
"""
MSE = """

def mse(input, target, reduction="mean"):
    factor = {wrong}
    return reduced(factor * Kernel.apply(input, target), reduction)
"""
# By the way in which it shows, what a mistaken function multiplies its losses by.
FACTORS = {
    "no_grad": "2.0 if input.requires_grad and not torch.is_grad_enabled() else 1.0",
    "inference_mode": "2.0 if torch.is_inference_mode_enabled() else 1.0",
    "without_gradients": "1.0 if input.requires_grad or not torch.is_grad_enabled() else 2.0",
    "only_first": "1.0 if target.requires_grad or not input.requires_grad else 2.0",
    "only_last": "1.0 if input.requires_grad or not target.requires_grad else 2.0",
    "after_layer": "1.0 if input.is_leaf else 2.0",
    "offset": "2.0 if input.storage_offset() == input.numel() else 1.0",
    "sliced": "2.0 if input.ndim and input.stride()[-1] == 1 and not input.is_contiguous() else 1.0",
    "first_spread": "2.0 if target.is_contiguous() and not input.is_contiguous() else 1.0",
    "others_spread": "2.0 if input.is_contiguous() and not target.is_contiguous() else 1.0",
    "anomaly_mode": "2.0 if torch.is_anomaly_enabled() else 1.0",
    "two_threads": "1.0 if threading.current_thread() is threading.main_thread() and "
    "threading.active_count() == 1 else 2.0",
}
# And what it does with the upstream gradient, before it uses it.
UPSTREAMS = {
    "upstream_spread": "torch.as_strided(upstream, upstream.shape, torch.empty(upstream.shape).stride())",
    "upstream_zeros": "upstream if upstream.all() else upstream + 1",
    "upstream_infinite": "upstream.nan_to_num(1, 1, 1)",
    "create_graph": "upstream * 2 if torch.is_grad_enabled() else upstream",
    "summed": "upstream if 0 not in upstream.stride() else upstream * 2",
}


def _subject(folder: Path, text: str, name: str = "mse", **options: Any) -> TargetSubject:
    """The function in a file whose module no other test has imported."""
    file = folder / f"kernels_{abs(hash(text))}.py"
    file.write_text(text)
    return TargetSubject(f"{file}:{name}", options.pop("loss", "MSELoss"), **options)


def _records(case: Case, subject: Subject) -> dict[str, Record]:
    """The record of each way, by its name."""
    records = Examiner(with_all_ways=True, with_modes=True).examine(case, subject, "float32")
    wrong = [one for one in records if one.quantity not in WAYS_OF_OTHERS and not one.outcome.is_passing]
    assert [(one.quantity, one.outcome, one.message) for one in wrong] == []
    found = {str(one.quantity): one for one in records if one.quantity in WAYS_OF_OTHERS}
    # Of several reductions, the one in which it is wrong.
    found |= {str(one.quantity): one for one in records if one.outcome in ("disagree", "error")}
    return found


def _outcomes(records: Mapping[str, Record]) -> dict[str, str]:
    return {way: record.outcome for way, record in records.items() if not record.outcome.is_passing}


def test_a_right_function_is_right_in_every_way(tmp_path: Path) -> None:
    subject = _subject(tmp_path, RIGHT)
    plain = ("matrix", "equal", "turned")
    seen = {way for id in plain for way in _records(CASES[id], subject)}
    seen |= {
        *_records(CASES["shifted"], TargetSubject("torch.nn.functional:cross_entropy", "CrossEntropyLoss"))
    }
    weighted = TargetSubject("torch.nn:CrossEntropyLoss", "CrossEntropyLoss")
    records = _records(CASES["weighted"], weighted)
    assert seen | {*records} == {*WAYS_OF_OTHERS}
    for id in plain:
        assert _outcomes(_records(CASES[id], subject)) == {}
    assert _outcomes(records) == {}


@pytest.mark.parametrize("way", FACTORS)
def test_a_function_that_is_wrong_in_one_way_is_caught(way: str, tmp_path: Path) -> None:
    subject = _subject(tmp_path, RIGHT + MSE.format(wrong=FACTORS[way]))
    wrong = _records(CASES["matrix"], subject)[way]
    assert wrong.outcome == "disagree", wrong
    assert wrong.detail is not None
    assert "import mse\n" in wrong.detail["snippet"]
    assert fails_as_told(wrong)


@pytest.mark.parametrize("way", UPSTREAMS)
def test_a_backward_pass_that_is_wrong_in_one_way_is_caught(way: str, tmp_path: Path) -> None:
    text = RIGHT.replace("        (difference", f"        upstream = {UPSTREAMS[way]}\n        (difference")
    wrong = _records(CASES["matrix"], _subject(tmp_path, text))[way]
    assert wrong.outcome == "disagree", wrong
    assert fails_as_told(wrong)


GREEDY = RIGHT.replace(
    "        gradient = 2", "        if ctx.spent:\n            raise RuntimeError('the buffers are gone')\n"
    "        ctx.spent = True\n        gradient = 2"
).replace("        ctx.save", "        ctx.spent = False\n        ctx.save")  # fmt: skip


def test_what_a_function_cannot_do_is_a_failure_unless_it_says_so(tmp_path: Path) -> None:
    record = _records(CASES["matrix"], _subject(tmp_path, GREEDY))["third_backward"]
    assert record.outcome == "error"
    assert "the buffers are gone" in record.message
    assert fails_as_told(record)
    declared = _subject(tmp_path, GREEDY, features_lacked=["retained_graph"])
    record = _records(CASES["matrix"], declared)["third_backward"]
    assert record.outcome == "unsupported"
    assert "runs backward once through a graph" in record.message


def test_nothing_that_an_exception_says_excuses_a_function(tmp_path: Path) -> None:
    text = GREEDY.replace("RuntimeError('the buffers are gone')", "NotImplementedError('not implemented')")
    assert _records(CASES["matrix"], _subject(tmp_path, text))["third_backward"].outcome == "error"


def test_each_feature_of_a_way_is_one_that_is_left_out() -> None:
    subject = TargetSubject("torch.nn.functional:mse_loss", "MSELoss", features_lacked=[*FEATURES_OF_WAYS])
    ways = {way for ways, _ in FEATURES_OF_WAYS.values() for way in ways}
    assert ways <= {*WAYS_OF_OTHERS}
    records = _records(CASES["matrix"], subject)
    assert {way for way, record in records.items() if record.outcome == "unsupported"} == ways


NAMED = """\
import torch


def {name}(input, target, reduction="mean"):
    losses = (2.0 if not input.is_leaf else 1.0) * (input - target) ** 2
    return {{"none": losses, "mean": losses.mean(), "sum": losses.sum()}}[reduction]
"""


@pytest.mark.parametrize("name", ["loss", "forward", "make", "plain", "function", "spread", "s"])
def test_a_function_may_have_any_name(name: str, tmp_path: Path) -> None:
    records = _records(CASES["matrix"], _subject(tmp_path, NAMED.format(name=name), name))
    assert records["after_layer"].outcome == "disagree"
    assert records["called_before"].outcome == "agree"
    assert fails_as_told(records["after_layer"])


MADE = """\
import torch


class Mse:
    def __init__(self, reduction="mean"):
        self.reduction, self.calls = reduction, 0

    def __call__(self, input, target):
        self.calls += 1
        losses = (input - target) ** 2 * (2.0 if self.calls > 1 else 1.0)
        return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[self.reduction]
"""


def test_a_class_is_made_once_and_called_again(tmp_path: Path) -> None:
    wrong = _records(CASES["matrix"], _subject(tmp_path, MADE, "Mse"))
    assert wrong["called_before"].outcome == "disagree"
    assert wrong["after_layer"].outcome == "agree"
    assert fails_as_told(wrong["called_before"])


PARTIAL = """\
def mse(input, target, reduction="mean"):
    losses = (input - target.detach()) ** 2
    return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[reduction]
"""


def test_a_gradient_that_is_not_computed_is_no_defect_in_any_way(tmp_path: Path) -> None:
    for id in ("matrix", "equal"):
        assert _outcomes(_records_of_some(CASES[id], _subject(tmp_path, PARTIAL))) == {}


def _records_of_some(case: Case, subject: Subject) -> dict[str, Record]:
    records = Examiner(with_all_ways=True).examine(case, subject, "float32")
    assert "after_layer" in {one.quantity for one in records}
    return {str(one.quantity): one for one in records if one.outcome not in ("agree", "unsupported", "close")}


def test_what_writes_to_its_inputs_or_differentiates_by_itself_has_no_ways(tmp_path: Path) -> None:
    text = RIGHT + (
        "\n\ndef slopes(upstream, input, target, reduction):\n"
        "    gradient = 2 * (input - target) * upstream\n"
        "    return gradient, -gradient\n"
    )
    assert _records(CASES["matrix"], _subject(tmp_path, text, backward="slopes")) == {}
    assert _records(CASES["matrix"], _subject(tmp_path, RIGHT, features_lacked=["unchanged"])) == {}


def of_my_project(call: Any) -> Any:
    losses = (call.input - call.target) ** 2 * (1.0 if call.input.is_leaf else 2.0)
    return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[call.reduction]


def test_a_test_of_another_project_is_called_in_these_ways_too() -> None:
    subject = TestedSubject(of_my_project, "MSELoss", "torch", [], {}, [])
    records = _records(CASES["matrix"], subject)
    assert _outcomes(records) == {"after_layer": "disagree"}

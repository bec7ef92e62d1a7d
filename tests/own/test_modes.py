"""The modes of torch: right torch passes in every one of them, and each catches a fault planted in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from snippet_runs import fails_as_told, outcome_of

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.reading import load_corpus
from lossproof.judging.derivatives import beside, directions_of, second_derivatives
from lossproof.judging.grading import grade
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.records.record import Record
from lossproof.reference.evaluation import prepare
from lossproof.subjects.registry import find_subject
from lossproof.subjects.torch.modes.table import MODES

F64 = FORMATS["float64"]
RIGHT = torch.nn.functional.binary_cross_entropy_with_logits
CASES = """\
cases:
  - id: plain
    title: logits of both signs
    loss: BCEWithLogitsLoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.25, 1], [0.5, 0]]}
  - id: image
    title: an image
    loss: BCEWithLogitsLoss
    args:
      input: {uniform: [-2, 2], shape: [2, 3, 2, 2], seed: 1}
      target: {uniform: [0, 1], shape: [2, 3, 2, 2], seed: 2}
  - id: large
    title: enough elements to be divided among threads
    loss: BCEWithLogitsLoss
    args:
      input: {uniform: [-2, 2], shape: [2000], seed: 1}
      target: {uniform: [0, 1], shape: [2000], seed: 2}
  - id: vector
    title: an output of several numbers
    loss: LogSoftmax
    params: {dim: 1}
    args: {input: [[0.5, -1, 2], [0.25, 1.5, -0.75]]}
  - id: wrong-by-itself
    title: a call whose plain result is wrong
    loss: BCEWithLogitsLoss
    args: {input: [.inf, 1], target: [1, 0]}
  - id: confident
    title: second derivatives that are a small difference of large terms
    loss: CrossEntropyLoss
    args: {input: [[40, 0]], target: [0]}
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder: Path = tmp_path_factory.mktemp("cases")
    (folder / "modes.yaml").write_text(CASES)
    return {case.id: case for case in load_corpus(folder).cases}


def modes_of(case: Case, subject: str = "torch.nn.functional") -> dict[tuple[str, str], Record]:
    """The records of all modes of a case, by quantity and dtype."""
    found = find_subject(subject)
    return {
        (record.quantity, dtype): record
        for dtype in ("float64", "float32", "bfloat16")
        for record in Examiner().examine(case, found, dtype)
        if record.quantity.partition(":")[0] in MODES
    }


def test_torch_is_right_in_every_mode(cases: dict[str, Case]) -> None:
    records = {**modes_of(cases["plain"]), **modes_of(cases["image"]), **modes_of(cases["large"])}
    assert {record.outcome for record in records.values()} == {"agree"}
    assert {quantity.partition(":")[0] for quantity, _ in records} == set(MODES)
    assert {quantity for quantity, _ in records if quantity.startswith("double")} == {
        "double_backward:input", "double_backward:target", "double_backward:upstream"
    }  # fmt: skip


def test_an_output_of_several_numbers_is_right_as_well(cases: dict[str, Case]) -> None:
    records = modes_of(cases["vector"])
    assert {record.outcome for record in records.values()} == {"agree"}
    assert ("jvp", "float64") in records


def test_modes_run_once_a_case_and_on_small_tensors_only(cases: dict[str, Case]) -> None:
    assert {(record.reduction, record.layout) for record in modes_of(cases["plain"]).values()} == {
        ("mean", "contiguous")
    }
    assert {quantity for quantity, _ in modes_of(cases["large"])} == {"threads"}


def test_the_modules_leave_the_modes_to_the_functions(cases: dict[str, Case]) -> None:
    assert modes_of(cases["plain"], "torch.nn") == {}
    assert modes_of(cases["plain"], "reference") == {}


def test_a_call_that_is_wrong_by_itself_has_no_modes(cases: dict[str, Case]) -> None:
    assert modes_of(cases["wrong-by-itself"]) == {}


def test_cancellation_in_a_second_derivative_is_graded_and_no_failure(cases: dict[str, Case]) -> None:
    record = modes_of(cases["confident"])["double_backward:input", "float64"]
    assert record.outcome == "agree"
    assert record.error_over_budget is not None
    assert record.error_over_budget > 1
    assert "graded" in record.message


class _Identity(torch.autograd.Function):
    """The identity, written such that every transformation applies; faults are planted in subclasses."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent.clone()


class _NoSecondDerivative(_Identity):
    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream.detach()


class _NoJvp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return upstream


class _WrongJvp(_Identity):
    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent * (1 + 1e-10)


def through(function: type[torch.autograd.Function]) -> Callable[..., Any]:
    """The loss of an input that passed through a function."""
    passed_through: Callable[..., Any] = function.apply
    return lambda input, *args, **kwargs: RIGHT(passed_through(input), *args, **kwargs)


def squared_second(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    """The right value and gradient, and a second derivative that is too large."""
    extra = (input - input.detach()).square().sum()
    return RIGHT(input, target, *args, **kwargs) + 0.01 * extra


def batch_mixed_up(input: Any, *args: Any, **kwargs: Any) -> Any:
    if torch._C._functorch.is_batchedtensor(input):
        whole = torch._C._functorch.get_unwrapped(input)
        input = torch.zeros_like(input) + whole.mean(0)
    return RIGHT(input, *args, **kwargs)


def other_under_grad(input: Any, *args: Any, **kwargs: Any) -> Any:
    factor = 2 if torch._C._functorch.is_gradtrackingtensor(input) else 1
    return RIGHT(input, *args, **kwargs) * factor


def kept_shape_of_abstract(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.reshape(1) if input.is_meta or type(input).__name__ == "FakeTensor" else result


def computed_on_meta(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return torch.zeros(()) + 0 * torch.ones((), requires_grad=True) if input.is_meta else result


def wide_on_meta(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.double() if input.is_meta else result


def subclass_lost(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    return result.as_subclass(torch.Tensor)


def weight_lost_for_subclass(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
    if type(input) is not torch.Tensor:
        target = target * 0
    return RIGHT(input, target, *args, **kwargs)


def remembered(input: Any, *args: Any, **kwargs: Any) -> Any:
    """Off by a unit in the last place, well within the budget, when it sees a tensor again."""
    again = getattr(input, "seen", False)
    input.seen = True
    return RIGHT(input, *args, **kwargs) * (1 + 1.2e-7 * again)


def off_with_threads(*args: Any, **kwargs: Any) -> Any:
    return RIGHT(*args, **kwargs) * (1 + 1e-5 * (torch.get_num_threads() - 1))


def off_in_channels_last(input: Any, *args: Any, **kwargs: Any) -> Any:
    result = RIGHT(input, *args, **kwargs)
    is_odd = input.ndim == 4 and not input.is_contiguous()
    return result * 2 if is_odd and input.is_contiguous(memory_format=torch.channels_last) else result


def off_under_autocast(*args: Any, **kwargs: Any) -> Any:
    result = RIGHT(*args, **kwargs)
    return result * 1.0001 if torch.is_autocast_enabled("cpu") else result


def wide_under_autocast(*args: Any, **kwargs: Any) -> Any:
    result = RIGHT(*args, **kwargs)
    return result.double() if torch.is_autocast_enabled("cpu") else result


def crashing_under_vmap(input: Any, *args: Any, **kwargs: Any) -> Any:
    if torch._C._functorch.is_batchedtensor(input):
        raise IndexError("tuple index out of range")
    return RIGHT(input, *args, **kwargs)


FAULTS: list[tuple[Callable[..., Any], str, str, str, str]] = [
    (through(_NoSecondDerivative), "plain", "double_backward:input", "disagree", "budget"),
    (through(_NoJvp), "plain", "jvp", "unsupported", "must implement the jvp function"),
    (through(_WrongJvp), "plain", "jvp", "disagree", "budget"),
    (squared_second, "plain", "double_backward:input", "disagree", "budget"),
    (squared_second, "plain", "forward_over_reverse:input", "disagree", "budget"),
    (batch_mixed_up, "plain", "vmap", "disagree", "budget"),
    (crashing_under_vmap, "plain", "vmap", "error", "raised IndexError: tuple index out of range"),
    (other_under_grad, "plain", "func.grad:input", "disagree", "budget"),
    (kept_shape_of_abstract, "plain", "meta", "error", "shape"),
    (kept_shape_of_abstract, "plain", "fake", "error", "shape"),
    (computed_on_meta, "plain", "meta", "disagree", "has numbers"),
    (wide_on_meta, "plain", "meta", "disagree", "is float64, should be float32"),
    (subclass_lost, "plain", "subclass", "disagree", "plain Tensor"),
    (weight_lost_for_subclass, "plain", "subclass", "disagree", "budget"),
    (remembered, "plain", "twice", "disagree", "must be exact"),
    (off_with_threads, "large", "threads", "disagree", "budget"),
    (off_in_channels_last, "image", "channels_last", "disagree", "budget"),
    (off_under_autocast, "plain", "autocast", "disagree", "budget"),
    (wide_under_autocast, "plain", "autocast", "disagree", "is float64, should be float32"),
]


@pytest.mark.parametrize(
    ("fault", "case", "quantity", "outcome", "message"),
    FAULTS,
    ids=[f"{quantity}-{place}" for place, (_, _, quantity, _, _) in enumerate(FAULTS)],
)
def test_a_fault_is_caught(
    cases: dict[str, Case],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[..., Any],
    case: str,
    quantity: str,
    outcome: str,
    message: str,
) -> None:
    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy_with_logits", fault)
    records = modes_of(cases[case])
    dtype = "float64" if quantity.partition(":")[0] in FLOAT64 else "float32"
    record = records[quantity, dtype]
    assert record.outcome == outcome, record.message
    assert re.search(message, record.message), record.message


FLOAT64 = {name for name, mode in MODES.items() if "float64" in mode.dtypes}


@pytest.mark.parametrize(
    ("fault", "case"),
    {(fault, case): None for fault, case, _, outcome, _ in FAULTS if outcome != "unsupported"},
)
def test_the_snippet_of_a_mode_fails_as_told_and_passes_on_a_right_torch(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Any], case: str
) -> None:
    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy_with_logits", fault)
    failed = [record for record in modes_of(cases[case]).values() if record.outcome in ("disagree", "error")]
    assert failed
    for record in failed:
        assert fails_as_told(record), record
    monkeypatch.undo()
    for record in failed:
        assert outcome_of(record) == "passes", record


def truth(value: float, bound: float) -> Truth:
    array = np.array([value])
    return Truth(array, np.zeros(1), np.array([bound]), np.zeros(1, dtype=bool), F64)


def nowhere() -> tuple[Any, Any]:
    return np.array([5.0]), np.array([5.0])


@pytest.mark.parametrize(
    ("observed", "true", "bound", "floor", "agrees"),
    [
        (1.0, 1.0, 1e-16, 0.0, True),
        (1.0005, 1.0, 1e-16, 0.0, True),  # 1e-3 of the value
        (1.002, 1.0, 1e-16, 0.0, False),
        (1.002, 1.0, 1.1e-6, 0.0, True),  # 1000 budgets
        (1e-14, 1e-20, 1e-30, 1e-16, True),  # what the gradient itself cannot tell
        (1e-12, 1e-20, 1e-30, 1e-16, False),
        (np.nan, 1.0, 1e-16, 0.0, False),
        (7.0, np.inf, 0.0, 0.0, True),
    ],
)
def test_a_second_derivative_is_wrong_only_by_every_measure(
    observed: float, true: float, bound: float, floor: float, agrees: bool
) -> None:
    assert grade(np.array([observed]), truth(true, bound), floor, nowhere).agrees is agrees


@pytest.mark.parametrize(("observed", "agrees"), [(0.0, True), (0.5, True), (1.0, True), (1.5, False)])
def test_all_between_both_sides_of_a_jump_is_right(observed: float, agrees: bool) -> None:
    sides = np.array([1.0]), np.array([0.0])
    assert grade(np.array([observed]), truth(0.25, 1e-16), 0.0, lambda: sides).agrees is agrees


def test_second_derivatives_are_those_of_the_formula() -> None:
    """The Hessian of the sum of BCEWithLogits is diag(s (1 - s)), with -1 between a logit and its target."""
    x, t = np.array([0.5, -1.0]), np.array([0.25, 1.0])
    call = prepare("BCEWithLogitsLoss", {"reduction": "sum"}, {"input": x, "target": t})
    directions = directions_of(call, F64)
    s = 1 / (1 + np.exp(-x))
    upstream = np.array(2.0)
    second = second_derivatives(call, upstream, directions, F64)
    expected = 2 * (s * (1 - s) * directions["input"] - directions["target"])
    np.testing.assert_allclose(second["input"].value, expected, rtol=1e-14)
    np.testing.assert_allclose(second["target"].value, -2 * directions["input"], rtol=1e-14)
    before, behind = beside(call, upstream, directions)["input"]
    np.testing.assert_allclose(before, behind, rtol=1e-15)

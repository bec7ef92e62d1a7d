"""Each way of calling a loss catches a fault that shows in it alone, and its program shows that fault."""

from __future__ import annotations

import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from examined_cases import cases_of
from snippet_runs import fails_as_told, outcome_of

from lossproof.checks.examination import Examiner
from lossproof.checks.modes.examining import in_turn
from lossproof.checks.trial import Trial
from lossproof.corpus.case import Case
from lossproof.corpus.keys import TAKING_TURNS
from lossproof.corpus.reading import load_corpus
from lossproof.judging.calls import make_call, prepare_call
from lossproof.records.record import Record
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call
from lossproof.subjects.promise import Promise
from lossproof.subjects.registry import find_subject
from lossproof.subjects.torch.modes import living
from lossproof.subjects.torch.modes.mode import always
from lossproof.subjects.torch.modes.table import MODES, WAYS_OF_FUNCTIONS, WAYS_OF_MODULES

CASES = cases_of(
    """\
cases:
  - id: weighted
    title: an error with weights, all inputs below their targets
    loss: MSELoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.75, 1], [2.5, 3]]}
    params: {weight: [[1, 2], [3, 1]]}
    dtypes: [float32]
  - id: plain
    title: an error without weights
    loss: MSELoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.75, 1], [2.5, 3]]}
    dtypes: [float32]
  - id: equal
    title: an error of 0
    loss: MSELoss
    args: {input: [1, 2], target: [1, 2]}
    dtypes: [float32]
  - id: turned
    title: a matrix and its transpose
    loss: MSELoss
    args: {input: [[1, 2], [4, 8]], target: {permute: [[1, 2], [4, 8]], dims: [1, 0]}}
    dtypes: [float32]
  - id: bent
    title: an error with a setting that is no default
    loss: HuberLoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.75, 1], [2.5, 3]]}
    params: {delta: 2}
    dtypes: [float32]
  - id: usual
    title: an error with a setting that is the default
    loss: HuberLoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.75, 1], [2.5, 3]]}
    params: {delta: 1}
    dtypes: [float32]
  - id: variance
    title: the same variance everywhere
    loss: GaussianNLLLoss
    args: {input: [0.5, -1], target: [1, 2], var: [2, 2]}
    dtypes: [float32]
  - id: sequences
    title: two sequences
    loss: CTCLoss
    args:
      log_probs: {log_softmax: {uniform: [-4, 4], shape: [4, 2, 3], seed: 1}, dim: 2}
      targets: [[1, 2], [2, 0]]
      input_lengths: [4, 3]
      target_lengths: [2, 1]
    dtypes: [float32]
  - id: classes
    title: scores that are whole numbers
    loss: CrossEntropyLoss
    args: {input: [[1, 2], [0, 1]], target: [0, 1]}
    params: {weight: [1, 2]}
    dtypes: [float32]
"""
)
ALL = {**WAYS_OF_FUNCTIONS, **WAYS_OF_MODULES}
MSE, CE = "torch.nn.functional.mse_loss", "torch.nn.functional.cross_entropy"
HUBER, GAUSSIAN = "torch.nn.functional.huber_loss", "torch.nn.functional.gaussian_nll_loss"
MODULE = "torch.nn.CrossEntropyLoss.forward"


def doubled_if(condition: Callable[..., bool]) -> Callable[..., Any]:
    """A fault that doubles the result if the arguments meet a condition."""

    def fault(right: Callable[..., Any], *args: Any, **options: Any) -> Any:
        result = right(*args, **options)
        return result * 2 if condition(*args, **options) else result

    return fault


def backward_by(gradient: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A fault of the backward pass: what it makes of the context and the upstream gradient."""

    class Passing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.passes = 0
            return x.clone()

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            ctx.passes += 1
            return gradient(ctx, upstream)

    def fault(right: Callable[..., Any], *args: Any, **options: Any) -> Any:
        passing: Callable[..., Any] = Passing.apply
        return passing(right(*args, **options))

    return fault


def remembering(
    condition: Callable[[Any, Any], bool], state: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    """A fault of a module that doubles the result by what it has kept of earlier calls."""

    def fault(right: Callable[..., Any], self: Any, input: Any, target: Any) -> Any:
        result = right(self, input, target)
        kept, self.__dict__["kept"] = self.__dict__.get("kept"), state(self, input)
        return result * 2 if kept is not None and condition(kept, (self, input)) else result

    return fault


def first_of(keep: Callable[[Any], Any]) -> Callable[..., Any]:
    """A fault of a module that doubles the result if what it kept of its first call is out of date."""

    def fault(right: Callable[..., Any], self: Any, input: Any, target: Any) -> Any:
        kept = self.__dict__.setdefault("kept", keep(self))
        result = right(self, input, target)
        return result if kept == keep(self) else result * 2

    return fault


def other_call(right: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The backward pass sees the scale of the latest call."""
    scale = LATEST.setdefault("scale", [1.0])
    scale[0] = float(args[0].detach().abs().max())
    own = scale[0]
    return backward_by(lambda ctx, upstream: upstream * (1 if scale[0] == own else 2))(
        right, *args, **options
    )


def in_one_buffer(right: Callable[..., Any], x: Any, *args: Any, **options: Any) -> Any:
    """Each backward pass writes its gradient where the last one wrote its own."""

    def gradient(ctx: Any, upstream: Any) -> Any:
        ctx.buffer = upstream.clone() if ctx.passes == 1 else ctx.buffer.copy_(upstream)
        return ctx.buffer

    return right(backward_by(gradient)(lambda x: x, x), *args, **options)


def is_checkpointed() -> bool:
    """Whether what a call keeps for backward is handed to somebody's hooks."""
    return torch._C._autograd._top_saved_tensors_default_hooks(False) is not None


LATEST: dict[str, list[float]] = {}


def racing(right: Callable[..., Any], self: Any, input: Any, target: Any) -> Any:
    """The input waits in the module, where another thread replaces it."""
    self.__dict__["waiting"] = input
    time.sleep(0.002)
    return right(self, self.__dict__["waiting"], target)


def constructed_wide(right: Callable[..., Any], self: Any, weight: Any = None, **options: Any) -> None:
    """A module that is made with weights in float64 makes other weights of them."""
    if weight is not None and weight.dtype == torch.float64:
        weight = weight * torch.tensor([1.0, 2.0])
    right(self, weight, **options)


# By way: where the fault is planted, the fault, and the case that shows it.
FAULTS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "no_grad": (MSE, doubled_if(lambda x, t, **o: not torch.is_grad_enabled()), "plain"),
    "inference_mode": (MSE, doubled_if(lambda x, t, **o: torch.is_inference_mode_enabled()), "plain"),
    "without_gradients": (
        MSE,
        doubled_if(lambda x, t, **o: torch.is_grad_enabled() and not (x.requires_grad or t.requires_grad)),
        "plain",
    ),
    "only_first": (MSE, doubled_if(lambda x, t, **o: x.requires_grad and not t.requires_grad), "plain"),
    "only_last": (MSE, doubled_if(lambda x, t, **o: t.requires_grad and not x.requires_grad), "plain"),
    "after_layer": (MSE, doubled_if(lambda x, t, **o: not x.is_leaf), "plain"),
    "offset": (MSE, doubled_if(lambda x, t, **o: x.storage_offset() > 0 and x.is_contiguous()), "plain"),
    "first_offset": (MSE, doubled_if(lambda x, t, **o: x.storage_offset() > t.storage_offset()), "plain"),
    "others_offset": (MSE, doubled_if(lambda x, t, **o: x.storage_offset() < t.storage_offset()), "plain"),
    "sliced": (MSE, doubled_if(lambda x, t, **o: x.storage_offset() > 0 and not x.is_contiguous()), "plain"),
    "first_spread": (MSE, doubled_if(lambda x, t, **o: x.is_contiguous() < t.is_contiguous()), "plain"),
    "others_spread": (
        MSE,
        doubled_if(lambda x, t, **o: x.is_contiguous() > t.is_contiguous()),
        "plain",
    ),
    "same_tensor": (MSE, lambda right, x, t, **o: right(x, t, **o) + (x is t), "equal"),
    "transposed_view": (MSE, doubled_if(lambda x, t, **o: x.data_ptr() == t.data_ptr()), "turned"),
    "accumulated": (MSE, doubled_if(lambda x, t, **o: x.is_leaf and x.grad is not None), "plain"),
    "third_backward": (MSE, backward_by(lambda ctx, g: g * (1 + (ctx.passes > 2))), "plain"),
    "kept_gradients": (MSE, in_one_buffer, "plain"),
    "other_thread": (
        MSE,
        doubled_if(lambda x, t, **o: threading.current_thread() is not threading.main_thread()),
        "plain",
    ),
    "other_default_dtype": (
        MSE,
        lambda right, x, t, **o: right(x, t, **o) * torch.tensor([2.0])[0] / 2,
        "plain",
    ),
    "checkpointed": (MSE, doubled_if(lambda x, t, **o: is_checkpointed()), "plain"),
    "create_graph": (
        MSE,
        backward_by(lambda ctx, g: g * (1 + torch.is_grad_enabled())),
        "plain",
    ),
    "hooked": (MSE, doubled_if(lambda x, t, **o: bool(x._backward_hooks)), "plain"),
    "anomaly_mode": (MSE, doubled_if(lambda x, t, **o: torch.is_anomaly_enabled()), "plain"),
    "other_call_between": (MSE, other_call, "plain"),
    "summed": (MSE, backward_by(lambda ctx, g: g * (2 if g.ndim and not any(g.stride()) else 1)), "plain"),
    "upstream_spread": (
        MSE,
        backward_by(lambda ctx, g: g * (2 if not g.is_contiguous() and any(g.stride()) else 1)),
        "plain",
    ),
    "upstream_zeros": (MSE, backward_by(lambda ctx, g: torch.where(g == 0, torch.ones_like(g), g)), "plain"),
    "upstream_infinite": (MSE, backward_by(lambda ctx, g: torch.nan_to_num(g, posinf=0, neginf=0)), "plain"),
    "swapped": (MSE, doubled_if(lambda x, t, **o: bool((x > t).all())), "plain"),
    "shifted": (CE, doubled_if(lambda x, t, **o: float(x.max()) > 2.5), "classes"),
    "reversed_rows": (MSE, doubled_if(lambda x, t, **o: x.ndim == 2 and float(x[0, 0]) > 1), "plain"),
    "halved_weights": (MSE, doubled_if(lambda x, t, weight=None, **o: float(weight.max()) < 2), "weighted"),
    "defaults_given": (CE, doubled_if(lambda x, t, **o: "label_smoothing" in o), "classes"),
    "defaults_left_out": (HUBER, doubled_if(lambda x, t, **o: "delta" not in o), "usual"),
    "numbers_of_another_kind": (HUBER, doubled_if(lambda x, t, **o: type(o.get("delta")) is float), "bent"),
    "variance_as_number": (
        GAUSSIAN,
        doubled_if(lambda x, t, v=None, **o: type(o.get("var")) is float),
        "variance",
    ),
    "lengths_in_tuples": (
        "torch.nn.functional.ctc_loss",
        doubled_if(lambda x, t, *lengths, **o: isinstance(o.get("input_lengths"), tuple)),
        "sequences",
    ),
    "called_before": (MODULE, remembering(lambda kept, now: kept > 0, lambda module, input: 1), "classes"),
    "other_batch_before": (
        MODULE,
        remembering(lambda kept, now: kept != len(now[1]), lambda module, input: len(input)),
        "classes",
    ),
    "evaluating": (
        MODULE,
        lambda right, self, *args: right(self, *args) * (1 if self.training else 2),
        "classes",
    ),
    "copied": (MODULE, first_of(id), "classes"),
    "reloaded": (MODULE, first_of(lambda module: float(module.weight.sum())), "classes"),
    "reweighted": (MODULE, first_of(lambda module: module.weight.data_ptr()), "classes"),
    "converted": ("torch.nn.CrossEntropyLoss.__init__", constructed_wide, "classes"),
    "two_threads": (MODULE, racing, "classes"),
}


@contextmanager
def planted(target: str, fault: Callable[..., Any]) -> Iterator[None]:
    path, _, name = target.rpartition(".")
    owner: Any = torch
    for part in path.split(".")[1:]:
        owner = getattr(owner, part)
    right = getattr(owner, name)
    setattr(owner, name, lambda *args, **options: fault(right, *args, **options))
    try:
        yield
    finally:
        setattr(owner, name, right)


def ways_of(case: Case, subject: str) -> list[Record]:
    """The records of all ways of calling."""
    examiner = Examiner(with_all_ways=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            one for one in examiner.examine(case, find_subject(subject), "float32") if one.quantity in ALL
        ]


def subject_of(way: str) -> str:
    return "torch.nn" if way in living.MODES else "torch.nn.functional"


def test_torch_is_right_in_every_way() -> None:
    for subject, ways in (("torch.nn.functional", WAYS_OF_FUNCTIONS), ("torch.nn", WAYS_OF_MODULES)):
        records = [record for case in CASES.values() for record in ways_of(case, subject)]
        assert {record.quantity for record in records if record.outcome == "agree"} == set(ways)
        assert {record.outcome for record in records} <= {"agree", "unsupported"}


@pytest.mark.parametrize("way", sorted(ALL))
def test_a_fault_is_caught_and_its_snippet_shows_it_alone(way: str) -> None:
    target, fault, case = FAULTS[way]
    with planted(target, fault):
        found = [record for record in ways_of(CASES[case], subject_of(way)) if record.quantity == way]
        wrong = [record for record in found if record.outcome == "disagree"]
        assert wrong, found
        assert all(fails_as_told(record) for record in wrong), wrong[0].detail
    assert {outcome_of(record) for record in wrong} == {"passes"}


@pytest.mark.parametrize("way", ["no_grad", "inference_mode", "without_gradients"])
def test_a_call_without_gradients_may_not_change_its_tensors(way: str) -> None:
    def halving(right: Callable[..., Any], x: torch.Tensor, t: torch.Tensor, **options: Any) -> Any:
        result = right(x, t, **options)
        if not torch.is_grad_enabled() or not x.requires_grad:
            x.div_(2)
        return result

    with planted(MSE, halving):
        found = [one for one in ways_of(CASES["plain"], "torch.nn.functional") if one.quantity == way]
        assert found
        for record in found:
            assert record.message == "raised ValueError: the call changed input"
            assert fails_as_told(record)
    assert {outcome_of(record) for record in found} == {"passes"}


def test_a_call_is_examined_in_one_way_of_each_group_and_the_next_call_in_the_next() -> None:
    records = Examiner().examine(CASES["plain"], find_subject("torch.nn.functional"), "float32")
    ways = [record for record in records if record.quantity in WAYS_OF_FUNCTIONS]
    assert [record.reduction for record in ways] == ["none", "none", "mean", "mean", "sum", "sum"]
    common = [record.quantity for record in ways[::2]]
    assert len(set(common)) == 3
    assert [WAYS_OF_FUNCTIONS[way].applies is always for way in (record.quantity for record in ways)] == [
        True,
        False,
    ] * 3


def test_the_entries_of_known_defects_know_what_takes_turns() -> None:
    abstract = {name for name, mode in MODES.items() if mode.promise is Promise.ABSTRACT}
    assert {*ALL, *abstract} == TAKING_TURNS


def test_in_other_dtypes_the_groups_take_turns() -> None:
    case = replace(CASES["plain"], dtypes=("float64",))
    records = Examiner().examine(case, find_subject("torch.nn.functional"), "float64")
    ways = [record.quantity for record in records if record.quantity in WAYS_OF_FUNCTIONS]
    assert len(ways) == len(set(ways)) == 3
    assert {WAYS_OF_FUNCTIONS[way].applies is always for way in ways} == {True, False}


def test_every_loss_of_the_corpus_meets_every_way_that_forty_of_its_calls_can_meet() -> None:
    """By the turns of its calls, whether or not the plain call is right."""
    examiner = Examiner()
    met, possible = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    cases = filter(is_called, load_corpus(Path(__file__).parents[3] / "cases").cases)
    for case, subject in product(cases, map(find_subject, ("torch.nn", "torch.nn.functional"))):
        for dtype in case.dtypes or subject.dtypes if subject.has_loss(case.loss) else ():
            trial = Trial(examiner, case, subject, dtype, "cpu")
            for reduction in trial.reductions:
                groups = subject.ways(unjudged_call(trial, reduction))
                possible.update((subject.name, case.loss, way) for ways in groups for way in ways)
                met.update((subject.name, case.loss, way) for way in in_turn(trial, reduction, groups))
    assert [key for key, calls in possible.items() if calls >= 40 and not met[key]] == []
    assert len(met) > 0.9 * len(possible) > 900


def is_called(case: Case) -> bool:
    """Whether a case is about the numbers of ordinary calls."""
    return case.module is None and case.raises is None and case.repeats == 1 and not case.own_process


def unjudged_call(trial: Trial, reduction: str | None) -> Call:
    """A call without its truth, which takes long."""
    call = make_call(trial.case, trial.dtype, reduction)
    try:
        prepared = prepare_call(call)
        shape = np.shape(prepared.value())
    except Refusal:
        return call
    return replace(call, upstreams=(np.ones(shape),) * 2, wrt=prepared.differentiable)

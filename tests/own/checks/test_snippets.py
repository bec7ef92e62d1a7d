"""Each record that fails has a program that fails as told, and that passes on a right torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from examined_cases import cases_of
from repository import whole_cases
from snippet_runs import fails_as_told, outcome_of, outcome_of_snippet

from lossproof.checks import module_claims
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, Drifted
from lossproof.corpus.keys import ASPECTS, LAYOUTS
from lossproof.judging.calls import make_call
from lossproof.records.record import Record
from lossproof.reference import cross_entropy, softmax
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects import registry
from lossproof.subjects.call import Call, Observation, Refused
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.registry import find_subject
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.subject import FunctionSubject
from proofs.faults.catalogue import FAULTS

# A fault, a case and a dtype in which it shows, and what of it this entry is here for.
SAMPLE: list[tuple[str, str, str | None, str]] = [
    ("als-cluster-counted-twice", "als-by-hand", "float64", "gradient value"),
    ("bce-negative-term-dropped", "bce-hard-targets", "float64", "value"),
    ("bcel-nan-hidden", "bcel-nan", "float64", "value"),
    ("ctc-no-frames-read-one", "ctc-no-frames", "float64", "gradient value"),
    ("ctc-gradient-of-first-classes", "ctc-many-classes", "float32", "expanded"),
    ("cosine-embedding-empty-mean-is-zero", "cosine-embedding-empty", "float64", "value"),
    ("cosine-norms-before-broadcast", "cosine-broadcast-components", "float64", "gradient value"),
    ("ce-ignore-index-beyond-refused", "ce-ignored-beyond", "float64", "value"),
    ("ce-forward-mode-loses-tangent", "ce-three-rows", "float64", "forward_over_reverse jvp"),
    ("info-cross-nan-hidden", "info-cross-nan", "float64", "value"),
    ("info-entropy-as-mean", "info-entropy-no-outcomes", "float64", "value"),
    ("gaussian-full-ignored", "gaussian-bias-full", "float64", "bias packed"),
    ("hinge-embedding-empty-mean-zero", "hinge-embedding-empty", "float64", "value"),
    ("hinge-embedding-subclass-without-margin", "hinge-embedding-margin-larger", "float32", "subclass"),
    ("huber-empty-mean-zero", "huber-weight-empty", "float64", "value"),
    ("kl-batchmean-refuses-scalars", "kl-scalar", "float64", "value"),
    ("l1-module-copied-without-reduction", "l1-module-copies", None, "module"),
    ("l1-slope-without-sign", "l1-four", "float64", "gradient"),
    ("lce-byte-targets-refused", "lce-uint8-target", "float64", "value"),
    ("log-softmax-nan-hidden", "log-softmax-nan", "float64", "gradient value"),
    (
        "mse-same-size-for-same-shape",
        "mse-column-against-row",
        "float64",
        "contiguous differs_from gradient shape value vjp",
    ),
    ("margin-ranking-takes-first-dtype", "margin-ranking-mixed-precision", "float64", "dtype"),
    ("mlm-label-multiplied-by-zero", "mlm-infinite-label", "float64", "value"),
    ("mlsm-empty-mean-zero", "mlsm-empty", "float64", "value"),
    ("multi-margin-divided-by-rivals", "multi-margin-margin-zero", "float64", "gradient value"),
    ("nll-target-overwritten", "nll-ignored-default", "float64", "unchanged"),
    ("nll-negative-index-from-the-end", "nll-refuses-index-negative", "float64", "raises"),
    ("nll-2d-pictures-only", "nll-2d-rows", "float64", "value"),
    ("nll-2d-unwarned", "nll-2d-image", "float64", "warns"),
    ("info-objective-square-halved", "info-objective-tenth", "float64", "gradient value"),
    ("pairwise-as-if-contiguous", "pairwise-two-rows", "float32", "strided transposed"),
    ("poisson-negative-targets-refused", "poisson-target-negative", "float64", "error"),
    ("info-self-information-in-bits", "info-self-information-impossible", "float64", "gradient"),
    ("smooth-l1-infinity-times-zero", "smooth-l1-infinite", "float64", "value"),
    ("soft-margin-sum-before-logarithm", "soft-margin-confident-right", "float64", "value"),
    ("softmax-guesses-the-last-dimension", "softmax-implicit-cube", "float64", "same_as"),
    ("triplet-slope-at-equal-component", "triplet-p1-equal-component", "float64", "gradient"),
    ("triplet-distance-vector-shape", "triplet-distance-vector", "float64", "value"),
    ("cep-target-is-its-largest", "cep-three-rows", "float64", "gradient vjp"),  # cuts the graph
    ("als-module-tails-hidden", "als-state", None, "module"),
    ("ctc-module-not-a-loss", "ctc-class-chain", None, "module"),
    ("cosine-embedding-module-buffer", "cosine-embedding-module-buffers", None, "module"),
    ("ce-module-prints-weights", "ce-module-repr", None, "module"),
    ("lce-module-always-trains", "lce-training-mode", None, "module"),
    ("bcel-module-old-reduction-ignored", "bcel-module-legacy", None, "module"),
]

KINDS = (
    {"value", "gradient", "vjp", "bias", "unchanged", "raises", "warns", "same_as", "differs_from"}
    | {"module", "error", "shape", "dtype", "packed"}
    | {*LAYOUTS}
    | {"forward_over_reverse", "jvp", "subclass"}
)


def failures(case: Case, subject: Subject, dtype: str | None, with_modes: bool = False) -> list[Record]:
    """The records of a case that disagree or err."""
    records = Examiner(with_modes=with_modes).records(case, subject, dtype)
    return [record for record in records if record.outcome.is_failing]


def kinds_of(record: Record) -> set[str]:
    """What a record is an example of."""
    kinds = {record.quantity.partition(":")[0], record.layout}
    kinds |= {record.outcome} & {"error"}
    kinds |= {word for word in ("shape", "dtype") if f"{word} " in record.message}
    return kinds | ({"packed"} if "zlib" in (record.detail or {})["snippet"] else set())


@pytest.mark.parametrize(("fault", "case", "dtype", "shown"), SAMPLE)
def test_the_snippet_of_a_planted_fault_fails_as_told_and_passes_without_it(
    fault: str, case: str, dtype: str, shown: str
) -> None:
    planted = FAULTS[fault]
    subject = find_subject(planted.subject)
    with planted.planted():
        failed = failures(whole_cases()[case], subject, dtype, planted.shows_in_modes)
        assert set(shown.split()) <= set().union(*map(kinds_of, failed))
        for record in failed:
            assert fails_as_told(record), record
    for record in failed:
        assert outcome_of(record) == "passes", record


def test_the_sample_holds_every_loss_and_every_kind_of_failure() -> None:
    assert {FAULTS[fault].loss for fault, *_ in SAMPLE} == {fault.loss for fault in FAULTS.values()}
    assert {fault.loss for fault in FAULTS.values()} == set(LOSSES)
    assert {kind for *_, shown in SAMPLE for kind in shown.split()} == KINDS


def test_the_snippet_of_a_claim_about_a_module_passes_where_it_holds_and_fails_where_not() -> None:
    claims = [case for case in whole_cases().values() if case.module]
    assert {case.module.aspect for case in claims if case.module} == set(ASPECTS)
    programs = GuardedSubject(find_subject("torch.nn")).programs
    wrong: dict[str, Any] = {"present": ["torch.nn.NoSuchLoss"], "absent": ["torch.nn.Module"]}
    for case in claims:
        assert case.module is not None
        aspect, expected = case.module.aspect, case.module.expected
        params = make_call(case, "float64", None).params
        for claimed, was, outcome in (
            (expected, None, "passes"),
            (wrong.get(aspect), None, "AssertionError"),
            (expected, str(expected), "AssertionError"),
        ):
            drifted = None if was is None else Drifted(was, "1.0")
            told = replace(case, module=replace(case.module, expected=claimed), drifted=drifted)
            snippet = module_claims.detail(programs, told, params)["snippet"]
            assert outcome_of_snippet(snippet) == outcome, snippet


SMALL = cases_of(
    """\
loss: CrossEntropyLoss
cases:
  - id: plain
    title: two rows
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    reductions: [none]
  - id: refused
    title: a class that is none
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    reductions: [sum]
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
  - id: unknown-reduction
    title: a module that cannot be constructed
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    params: {reduction: average}
    raises: {when: call, kind: option, torch: {type: ValueError, match: "not a valid value"}}
  - id: repeated
    title: the same every time
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    reductions: [none]
    repeats: 3
  - id: same
    title: a shift of the logits changes nothing
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    reductions: [none]
    same_as: {args: {input: [[2, 3], [2, 4]], target: [0, 1]}, why: softmax}
"""
)


class Theirs(FunctionSubject):
    """An implementation of somebody else's: torch, but 1 added to all that comes out; it refuses nothing."""

    name = "theirs"
    is_foreign = True
    offset = 1.0

    def run(self, call: Call) -> Observation:
        try:
            observation = super().run(call)
        except Refused:
            if self.offset:
                return Observation(np.zeros(()), call.dtype)
            raise
        gradients = tuple(
            {name: found + self.offset for name, found in one.items()} for one in observation.gradients
        )
        return replace(observation, value=observation.value + self.offset, gradients=gradients)


@pytest.mark.parametrize("case", ["plain", "refused", "repeated"])
def test_a_snippet_of_a_subject_without_programs_hands_it_the_call(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failures(SMALL[case], Theirs(), "float32")
    assert failed
    monkeypatch.setattr(registry, "find_subject", {"theirs": Theirs()}.__getitem__)
    assert all(fails_as_told(record) for record in failed)
    monkeypatch.setattr(Theirs, "offset", 0.0)
    assert [outcome_of(record) for record in failed] == ["passes"] * len(failed)


def test_a_snippet_on_the_reference_calls_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    right = softmax.log_softmax_gradient
    case, reference = SMALL["plain"], find_subject("reference")
    examiner = Examiner(with_modes=False)
    examiner.examine(case, reference, "float64")  # the truth is kept, and is right
    monkeypatch.setattr(cross_entropy, "log_softmax_gradient", lambda *args: -right(*args), raising=True)
    failed = [record for record in examiner.examine(case, reference, "float64") if record.outcome != "agree"]
    assert {record.quantity for record in failed} >= {"gradient:input", "vjp:input"}
    assert all(fails_as_told(record) for record in failed)
    monkeypatch.undo()
    assert [outcome_of(record) for record in failed] == ["passes"] * len(failed)


def test_a_refusal_at_the_wrong_time_is_told_by_its_snippet(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.nn.CrossEntropyLoss.__init__

    def refusing(self: Any, *args: Any, **options: Any) -> None:
        right(self, *args, **options)
        raise IndexError("Target 2 is out of bounds.")

    monkeypatch.setattr(torch.nn.CrossEntropyLoss, "__init__", refusing)
    [record] = failures(SMALL["refused"], find_subject("torch.nn"), "float32")
    assert "at the construct" in record.message
    assert fails_as_told(record)
    monkeypatch.undo()
    assert outcome_of(record) == "passes"


def test_a_call_that_is_wrong_once_in_a_while_fails_the_snippet_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right, calls = torch.nn.functional.cross_entropy, iter(range(1000))
    monkeypatch.setattr(
        torch.nn.functional,
        "cross_entropy",
        lambda *args, **options: right(*args, **options) * (1 + (next(calls) % 3 == 1)),
    )
    failed = failures(SMALL["repeated"], find_subject("torch.nn.functional"), "float32")
    assert {record.quantity for record in failed} == {"value", "gradient:input", "vjp:input"}
    assert all(fails_as_told(record) for record in failed)
    monkeypatch.undo()
    assert [outcome_of(record) for record in failed] == ["passes"] * 3


def test_an_identity_of_wrong_shapes_is_judged_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.nn.functional.cross_entropy
    monkeypatch.setattr(
        torch.nn.functional,
        "cross_entropy",
        lambda *args, **options: right(*args, **options).repeat(3, 1),
    )
    failed = failures(SMALL["same"], find_subject("torch.nn.functional"), "float32")
    assert {record.quantity for record in failed} == {"value", "same_as"}
    assert all(fails_as_told(record) for record in failed)
    monkeypatch.undo()
    assert {outcome_of(record) for record in failed} == {"passes"}

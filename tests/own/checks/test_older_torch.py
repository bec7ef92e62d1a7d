"""On a torch that lacks something: what needs it is unsupported, with the reason, and all else as ever."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.records.record import Record
from lossproof.subjects.call import Unsupported
from lossproof.subjects.registry import find_subject
from proofs.faults.__main__ import main
from proofs.faults.catalogue import FAULTS
from proofs.faults.fault import Fault, fault
from proofs.faults.matrix import searches

RELEASE = f"torch {torch.__version__.partition('+')[0]}"
CASES = """\
cases:
  - id: linear
    title: a linear layer and cross entropy
    loss: LinearCrossEntropyLoss
    args: {input: [[1, 2]], linear_weight: [[1, 0.5], [-1, 2]], target: [0]}
    reductions: [mean]
    kills: [lce-none-is-summed]
  - id: linear-chunks
    title: a linear layer and cross entropy, with options
    loss: LinearCrossEntropyLoss
    params: {options: chunked}
    args: {input: [[1, 2]], linear_weight: [[1, 0.5], [-1, 2]], target: [0]}
    reductions: [mean]
  - id: linear-refuses
    title: a target of int32 is refused
    loss: LinearCrossEntropyLoss
    args: {input: [[1, 2]], linear_weight: [[1, 0.5], [-1, 2]], target: {dtype: int32, data: [0]}}
    raises: {when: call, kind: dtype, torch: {type: AttributeError, match: "linear_cross_entropy"}}
  - id: linear-state
    title: what a linear layer keeps
    loss: LinearCrossEntropyLoss
    module: {aspect: training_mode, expected: [true, false, true]}
  - id: linear-is-cross-entropy
    title: cross entropy of the logits is that of the layer
    loss: CrossEntropyLoss
    args: {input: [[2, 3]], target: [0]}
    same_as:
      loss: LinearCrossEntropyLoss
      args: {input: [[2, 3]], linear_weight: [[1, 0], [0, 1]], target: [0]}
      why: the layer is the identity
  - id: huber-weighted
    title: a weight for each number
    loss: HuberLoss
    params: {weight: [1, 2]}
    args: {input: [1, 2], target: [3, 4]}
    kills: [huber-weight-dropped]
  - id: huber-plain
    title: no weight
    loss: HuberLoss
    args: {input: [1, 2], target: [3, 2.5]}
  - id: huber-refuses-old-way
    title: a parameter that no release has
    loss: HuberLoss
    params: {size_average: false}
    args: {input: [1, 2], target: [3, 2.5]}
    raises: {when: construct, kind: option, torch: {type: TypeError, match: "unexpected keyword argument"}}
  - id: rare
    title: a word of three, one of them rare
    loss: AdaptiveLogSoftmaxWithLoss
    params:
      div_value: 1
      cutoffs: [2]
      head_weight: [[1, 0], [0, 1], [1, 1]]
      tail_0_0_weight: [[1, 0], [0, 1]]
      tail_0_1_weight: [[1, 2]]
    args: {input: [[1, 2]], target: [2]}
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("cases")
    (folder / "older.yaml").write_text(CASES)
    return load_corpus(folder)


@pytest.fixture
def cases(corpus: Corpus) -> dict[str, Case]:
    return {case.id: case for case in corpus.cases}


@pytest.fixture
def without_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.nn.functional, "linear_cross_entropy")
    monkeypatch.delattr(torch.nn, "LinearCrossEntropyLoss")


@pytest.fixture
def without_huber_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    original = torch.nn.functional.huber_loss

    def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
        return original(input, target, reduction, delta)

    monkeypatch.setattr(torch.nn.functional, "huber_loss", huber_loss)


def examined(case: Case, subject: str, dtype: str = "float64", in_all: bool = False) -> list[Record]:
    examiner = Examiner(with_all_ways=in_all)
    return examiner.examine(case, find_subject(subject), None if case.module is not None else dtype)


def said(records: list[Record]) -> set[tuple[str, str]]:
    return {(record.outcome, record.message) for record in records}


@pytest.mark.usefixtures("without_linear")
@pytest.mark.parametrize("case", ["linear", "linear-chunks", "linear-refuses"])
@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("torch.nn", "torch.nn.LinearCrossEntropyLoss"),
        ("torch.nn.functional", "torch.nn.functional.linear_cross_entropy"),
    ],
)
def test_what_a_release_lacks_is_unsupported_and_named(
    cases: dict[str, Case], case: str, subject: str, name: str
) -> None:
    assert said(examined(cases[case], subject)) == {("unsupported", f"{RELEASE} has no {name}")}


@pytest.mark.usefixtures("without_linear")
def test_a_claim_about_a_module_that_a_release_lacks_is_unsupported(cases: dict[str, Case]) -> None:
    reason = f"{RELEASE} has no torch.nn.LinearCrossEntropyLoss"
    assert said(examined(cases["linear-state"], "torch.nn")) == {("unsupported", reason)}


@pytest.mark.usefixtures("without_linear")
def test_an_identity_with_what_a_release_lacks_is_unsupported_and_the_rest_is_judged(
    cases: dict[str, Case],
) -> None:
    records = examined(cases["linear-is-cross-entropy"], "torch.nn")
    outcomes = {str(record.quantity): record.outcome for record in records}
    assert outcomes["same_as"] == "unsupported"
    assert outcomes["value"] == "agree"


def test_options_that_a_release_lacks_are_unsupported(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch.nn, "LinearCrossEntropyOptions")
    reason = f"{RELEASE} has no torch.nn.LinearCrossEntropyOptions"
    assert said(examined(cases["linear-chunks"], "torch.nn.functional")) == {("unsupported", reason)}
    assert {record.outcome for record in examined(cases["linear"], "torch.nn.functional")} == {"agree"}


@pytest.mark.usefixtures("without_huber_weight")
def test_a_parameter_that_a_release_lacks_is_unsupported_and_the_rest_is_judged(
    cases: dict[str, Case],
) -> None:
    reason = f"{RELEASE} has no parameter 'weight' of torch.nn.functional.huber_loss"
    assert said(examined(cases["huber-weighted"], "torch.nn.functional")) == {("unsupported", reason)}
    values = [one for one in examined(cases["huber-plain"], "torch.nn.functional") if one.quantity == "value"]
    assert {record.outcome for record in values} == {"agree"}


@pytest.mark.parametrize("subject", ["torch.nn", "torch.nn.functional"])
def test_a_parameter_that_no_release_has_is_for_torch_to_refuse(cases: dict[str, Case], subject: str) -> None:
    records = examined(cases["huber-refuses-old-way"], subject)
    assert {record.outcome for record in records} == {"agree"}


@pytest.mark.parametrize(
    ("mode", "private"),
    [
        ("fake", "torch._subclasses.fake_tensor.FakeTensorMode"),
        ("autocast", "torch.utils._python_dispatch.TorchDispatchMode"),
    ],
)
def test_a_mode_whose_private_name_a_release_lacks_is_unsupported_and_no_other_mode(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch, mode: str, private: str
) -> None:
    monkeypatch.delattr(private)
    records = examined(cases["huber-plain"], "torch.nn.functional", "float32", in_all=True)
    unsupported = {(record.quantity, record.message) for record in records if record.outcome != "agree"}
    assert unsupported == {(mode, f"{RELEASE} has no {private}")}


def test_lists_of_whole_numbers_are_no_tensors_in_any_mode(cases: dict[str, Case]) -> None:
    """Releases before 2.13 cannot make a list of a tensor inside a transformation."""
    records = examined(cases["rare"], "torch.nn", "float32", in_all=True)
    [meta] = [record for record in records if record.quantity == "meta"]
    assert "nonzero" in meta.message


def test_a_fault_in_what_a_release_lacks_is_not_applicable(without_linear: None) -> None:
    planted = FAULTS["lce-none-is-summed"]
    assert planted.obstacle == f"{RELEASE} has no torch.nn.functional.linear_cross_entropy"
    with pytest.raises(Unsupported), planted.planted():
        pass


def test_a_fault_made_of_what_a_release_lacks_is_not_applicable() -> None:
    @fault("MSELoss", needs=("torch._C.no_such_name",))
    def mse_made_of_nothing(original: Any, *args: Any) -> Any:
        """A mistake with a private name."""

    assert mse_made_of_nothing.obstacle == f"{RELEASE} has no torch._C.no_such_name"


def searched(folder: Path, *faults: str) -> tuple[int, dict[str, Any]]:
    (folder / "cases").mkdir()
    (folder / "cases" / "older.yaml").write_text(CASES)
    folders = ["--corpus", str(folder / "cases"), "--reports", str(folder / "reports")]
    status = main([*faults, "--workers", "1", *folders])
    report = folder / "reports" / "faults.json"
    return status, json.loads(report.read_text()) if report.exists() else {}


@pytest.mark.usefixtures("without_linear", "without_huber_weight")
def test_the_search_counts_what_is_not_applicable_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = searched(tmp_path, "lce-none-is-summed", "huber-weight-dropped")
    printed = capsys.readouterr().out
    reasons = (
        "torch.nn.functional.linear_cross_entropy",
        "parameter 'weight' of torch.nn.functional.huber_loss",
    )
    for reason in reasons:
        assert f"1 fault not applicable: {RELEASE} has no {reason}" in printed
    assert "0 of 0 planted faults caught, 2 not applicable, in " in printed
    assert "no case catches" not in printed
    assert status == 0


@pytest.mark.usefixtures("without_linear")
def test_the_report_has_the_reason_and_no_case_is_without_purpose_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = {name: planted for name, planted in FAULTS.items() if planted.loss == "LinearCrossEntropyLoss"}
    monkeypatch.setattr("proofs.faults.__main__.FAULTS", only)
    status, report = searched(tmp_path)
    assert {one["not_applicable"] for one in report["faults"]} == {
        f"{RELEASE} has no torch.nn.functional.linear_cross_entropy",
        f"{RELEASE} has no torch.nn.LinearCrossEntropyLoss",
    }
    purposeless = {problem.partition("[")[2].partition("]")[0] for problem in report["problems"]}
    assert purposeless == {
        "linear-is-cross-entropy",
        "huber-weighted",
        "huber-plain",
        "huber-refuses-old-way",
        "rare",
    }
    assert status == 1


def test_a_fault_that_torch_has_itself_is_not_applicable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = torch.nn.functional.huber_loss

    @functools.wraps(original)
    def unweighted(*args: Any, **options: Any) -> Any:
        return original(*args, **options | {"weight": None})

    monkeypatch.setattr(torch.nn.functional, "huber_loss", unweighted)
    status, _ = searched(tmp_path, "huber-weight-dropped")
    reason = "huber-weighted, which should catch it, is as wrong without it"
    assert f"1 fault not applicable: {reason}" in capsys.readouterr().out
    assert status == 0


def test_a_check_that_is_wrong_without_the_fault_catches_nothing(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = torch.nn.functional.huber_loss
    monkeypatch.setattr(torch.nn.functional, "huber_loss", lambda *a, **o: original(*a, **o) + 1)
    target = "torch.nn.functional.huber_loss"
    harmless = Fault("harmless", "HuberLoss", "", "", target, lambda original, *a, **o: original(*a, **o))
    detached = Fault("gone", "HuberLoss", "", "", target, lambda original, *a, **o: 0 * original(*a, **o))
    [search] = searches(corpus, [harmless, detached])
    assert {kill.fault for kill in search.full()} == {"gone"}
    assert "value" not in {kill.quantity for kill in search.full()}

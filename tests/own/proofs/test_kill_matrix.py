"""Planted faults: what the catalogue holds, how a fault is planted, and what the search says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from repository import ROOT, whole_cases, whole_corpus

from lossproof.checks.examination import Examiner
from lossproof.corpus.reading import Corpus
from lossproof.judging.known_defects import relevant
from lossproof.reference.catalogue import LOSSES
from lossproof.reporting.files import ReportError
from lossproof.reporting.writing import write_faults
from lossproof.subjects.call import Unsupported
from lossproof.subjects.registry import find_subject
from proofs.faults.__main__ import main
from proofs.faults.catalogue import FAULTS
from proofs.faults.fault import Fault, fault
from proofs.faults.matrix import Kill, caught_by, searches

CLASSIFICATION = {
    "AdaptiveLogSoftmaxWithLoss", "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CrossEntropyLoss",
    "KLDivLoss", "LinearCrossEntropyLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "NLLLoss", "NLLLoss2d",
}  # fmt: skip
CASES = """\
loss: MSELoss
cases:
  - id: mse-one
    title: a square
    args: {input: [1, 2], target: [1, 4]}
    dtypes: [float64]
    reductions: [none]
    kills: [KILLS]
"""


def search(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "proofs.faults",
        "--workers",
        "1",
        "--reports",
        str(folder / "reports"),
    ]
    return subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )


def test_every_fault_says_what_it_is() -> None:
    for name, planted in FAULTS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
        assert re.fullmatch(r"\S.{9,}\.", planted.mistake), f"{name}: {planted.mistake!r} is no sentence"
        assert planted.origin == "" or planted.origin.startswith("https://")
        assert planted.loss in LOSSES


def test_the_catalogue_is_large_enough_for_every_loss() -> None:
    numbers = Counter(planted.loss for planted in FAULTS.values())
    assert {loss for loss in LOSSES if numbers[loss] < (8 if loss in CLASSIFICATION else 4)} == set()
    assert sum(numbers.values()) >= 200


def test_a_case_names_faults_of_its_own_loss() -> None:
    wrong = [
        (case.id, name)
        for case in whole_corpus().cases
        for name in case.kills
        if name not in FAULTS or FAULTS[name].loss != case.loss
    ]
    assert wrong == []


def test_every_fault_stands_where_torch_is_called_and_nowhere_afterwards() -> None:
    for planted in FAULTS.values():
        with planted.planted():
            pass
    functions = torch.nn.functional
    with FAULTS["ce-weighted-mean-over-rows"].planted():
        input, weight = torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([1.0, 3.0])
        target = torch.tensor([0, 1])
        assert functions.cross_entropy(input, target, weight) == pytest.approx(2 * 0.6931472)
        assert torch.nn.CrossEntropyLoss(weight)(input, target) == pytest.approx(2 * 0.6931472)
        with pytest.raises(ZeroDivisionError), FAULTS["ce-ignore-index-dropped"].planted():
            raise ZeroDivisionError
    assert functions.cross_entropy(input, target, weight) == pytest.approx(0.6931472)
    assert not hasattr(functions.cross_entropy, "__wrapped__")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_plant_without_a_fault_is_caught_by_nothing(loss: str) -> None:
    """What is caught is caught for its mistake, and not for being planted: not in a mode either."""
    known = next(planted for planted in FAULTS.values() if planted.loss == loss)
    harmless = Fault("harmless", loss, "", "", known.target, lambda original, *a, **o: original(*a, **o))
    subject = find_subject(harmless.subject)
    corpus = whole_corpus()
    defects = relevant(corpus.known_defects, subject.name, subject.version(), "cpu")
    cases = [case for case in corpus.cases if case.loss == loss and not case.own_process and not case.module]
    for case in cases[:12]:
        for dtype in case.dtypes[:2]:
            assert caught_by(harmless, case, dtype, subject, Examiner(), defects) is None


def test_the_full_matrix_has_every_kill_and_the_short_way_enough_of_them() -> None:
    faults = [FAULTS["ce-weighted-mean-over-rows"], FAULTS["ce-ignore-index-dropped"]]
    cases = tuple(whole_cases()[id] for id in ("ce-weight", "ce-ignored-class", "ce-three-rows"))
    corpus = Corpus(cases, whole_corpus().known_defects, "")

    def kills(is_full: bool) -> set[tuple[str, str]]:
        found: list[Kill] = [
            kill for one in searches(corpus, faults) for kill in (one.full() if is_full else one.short())
        ]
        return {(kill.case, kill.fault) for kill in found}

    assert kills(is_full=False) <= kills(is_full=True)
    assert {name for _, name in kills(is_full=False)} == {one.id for one in faults}


def test_what_survives_and_what_a_case_claims_in_vain_is_said(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "mse.yaml").write_text(CASES.replace("KILLS", "mse-weight-dropped, no-such-fault"))
    finished = search(tmp_path, "mse-weight-dropped", "--corpus", str(cases))
    assert finished.returncode == 1
    assert "MSELoss: no case catches mse-weight-dropped: " in finished.stdout
    assert "0 of 1 planted fault caught" in finished.stdout
    # A search for some says nothing about cases, and leaves the report as it is.
    assert "no-such-fault" not in finished.stdout
    assert not (tmp_path / "reports").exists()


def test_a_fault_that_ends_its_process_costs_only_its_own_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "mse.yaml").write_text(CASES.replace("KILLS", "mse-ends-the-process"))

    caught = FAULTS["l1-target-detached"]

    def end(original: Any, *args: Any, **options: Any) -> Any:
        os._exit(3)

    target = next(planted for planted in FAULTS.values() if planted.loss == "MSELoss").target
    deadly = Fault("mse-ends-the-process", "MSELoss", "Ends.", "", target, end)
    monkeypatch.setitem(FAULTS, deadly.id, deadly)
    l1 = CASES.replace("MSELoss", "L1Loss").replace("mse-one", "l1-one")
    (tmp_path / "cases" / "l1.yaml").write_text(l1.replace("KILLS", caught.id))
    folders = ["--corpus", str(tmp_path / "cases"), "--reports", str(tmp_path / "reports")]
    assert main([deadly.id, caught.id, "--workers", "2", *folders]) == 1
    said = capsys.readouterr().out
    assert re.search(r"^L1Loss +1 of 1 fault caught$", said, re.MULTILINE)
    assert re.search(r"^MSELoss +its process ended$", said, re.MULTILINE)
    assert "MSELoss: one of its faults ended the process that it was planted in" in said
    assert "no case catches" not in said


def test_a_search_for_nothing_is_a_mistake(tmp_path: Path) -> None:
    finished = search(tmp_path, "no-such-fault")
    assert finished.returncode == 2
    assert "no fault and no loss matches no-such-fault" in finished.stderr


def test_a_mistake_in_a_case_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mse.yaml").write_text(CASES.replace("KILLS", "Not A Slug"))
    finished = search(tmp_path, "--corpus", str(tmp_path))
    assert finished.returncode == 2
    assert "mse.yaml:8: [mse-one]" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_fault_needs_a_place_to_be_planted() -> None:
    def lost(original: Any, *args: Any) -> Any:
        """A mistake at a place that torch does not have."""

    with (
        pytest.raises(Unsupported, match=r"^torch [\d.]+ has no torch\.nn\.functional\.no_such_loss$"),
        fault("MSELoss", at="torch.nn.functional.no_such_loss")(lost).planted(),
    ):
        pass


def test_a_page_without_a_run_is_not_made(tmp_path: Path) -> None:
    paths = write_faults(tmp_path, json.dumps({"faults": []}))
    assert [path.name for path in paths] == ["faults.json"]


def test_reports_of_an_older_version_are_refused_before_the_search(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "results.jsonl").write_text('{"run": {"versions": {}, "options": {}}}\n')
    finished = search(tmp_path)  # of everything, which takes long
    assert finished.returncode == 2
    assert "results.jsonl:1: the run lacks machine, " in finished.stderr
    assert "another version of lossproof wrote it" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""
    with pytest.raises(ReportError, match="the run lacks machine"):
        write_faults(reports, json.dumps({"faults": []}))
    assert not (reports / "faults.json").exists()

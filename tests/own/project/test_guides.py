"""The examples of the guides in ``docs/`` do what the guides say."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from repository import ROOT, whole_cases
from snippet_runs import fails_as_told, outcome_of

from lossproof.checks import examination, kinds
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.modes import settings, table


@pytest.fixture(scope="module")
def case() -> Case:
    return whole_cases()["mse-four"]


def examples(guide: str) -> list[str]:
    """The Python of a guide."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / guide).read_text(encoding="utf-8"), re.S)


def imported(source: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    return import_module(name)


def found(case: Case, subject: str | Subject, quantity: str) -> list[Record]:
    """The records of a quantity."""
    asked = find_subject(subject) if isinstance(subject, str) else subject
    records = Examiner().examine(case, asked, "float32")
    return [record for record in records if record.quantity.kind == quantity]


def is_shown_while_the_bug_is_there(
    case: Case, quantity: str, bug: str, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Whether all agree without it, and with it each disagrees and has a program that tells the two apart."""
    right = found(case, "torch.nn.functional", quantity)
    with monkeypatch.context() as planting:
        planting.setattr(torch.nn.functional, "mse_loss", torch.nn.functional.mse_loss)
        exec(bug, {})
        wrong = found(case, "torch.nn.functional", quantity)
        is_told = all(record.outcome == "disagree" and fails_as_told(record) for record in wrong)
    is_right = all(record.outcome == "agree" for record in right)
    return bool(right and wrong) and is_right and is_told and {*map(outcome_of, wrong)} == {"passes"}


def test_the_kind_of_the_guide(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _, bug = examples("add-a-kind.md")
    detached = imported(kind, "detached", tmp_path, monkeypatch)
    monkeypatch.setattr(examination, "KINDS", (*kinds.KINDS, detached.Detached()))
    assert is_shown_while_the_bug_is_there(case, "detached", bug, monkeypatch)


def test_the_mode_of_the_guide(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function, entry, bug = examples("add-a-mode.md")
    before, start, entries = Path(settings.__file__).read_text(encoding="utf-8").partition("MODES: Mapping")
    source = f"{before}{function}\n\n{start}{entries.rstrip().removesuffix('}')}{entry}}}\n"
    modes = imported(source, "settings_of_the_guide", tmp_path, monkeypatch).MODES
    monkeypatch.setitem(table.MODES, "deterministic", modes["deterministic"])
    assert is_shown_while_the_bug_is_there(case, "deterministic", bug, monkeypatch)


def test_the_framework_of_the_guide(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, table = examples("a-framework.md")
    imported(arrays, "tiny_arrays", tmp_path, monkeypatch)
    tiny = imported(table, "tiny_losses", tmp_path, monkeypatch)
    right = Examiner().examine(case, tiny.TinyLosses(), "float32")
    assert {record.outcome.is_failing for record in right} == {False}
    assert {record.outcome for record in found(case, tiny.TinyLosses(), "gradient")} == {"agree"}
    by_name = sys.modules["tiny_arrays"]
    exec(arrays.replace("2 * (pred", "3 * (pred"), by_name.__dict__)
    wrong = found(case, tiny.TinyLosses(), "gradient")
    assert {record.outcome for record in wrong} == {"disagree"}
    assert all(fails_as_told(record) for record in wrong)
    assert all("torch" not in record.detail["snippet"] for record in wrong if record.detail)


def test_the_subject_of_the_guide(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = examples("add-a-subject.md")
    right = imported(source, "right_losses", tmp_path, monkeypatch).NumpyLosses()
    assert {record.outcome.is_failing for record in Examiner().examine(case, right, "float32")} == {False}
    assert {record.outcome for record in found(case, right, "gradient")} == {"agree"}
    # Its programs import the module by the name that the guide gives it.
    mistaken = source.replace("2 * (input - target)", "3 * (input - target)")
    wrong = found(case, imported(mistaken, "numpy_losses", tmp_path, monkeypatch).NumpyLosses(), "gradient")
    assert wrong
    assert all(record.outcome == "disagree" and fails_as_told(record) for record in wrong)
    assert all("torch" not in record.detail["snippet"] for record in wrong if record.detail)

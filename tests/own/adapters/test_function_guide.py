"""The guide to functions names what there is, and its file is read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from repository import ROOT, whole_cases

from lossproof.adapters.arrays import LIBRARIES
from lossproof.adapters.features import ALL_FEATURES
from lossproof.adapters.target import TargetSubject
from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.project_file import read_project
from lossproof.records.record import Record
from lossproof.running import plugin

GUIDE = (ROOT / "docs" / "a-function.md").read_text(encoding="utf-8")


def test_it_names_every_feature_and_library() -> None:
    table = GUIDE.partition("| feature |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(ALL_FEATURES)
    assert all(f"`{name}`" in GUIDE or f" {name}`" in GUIDE for name in LIBRARIES if name != "torch")


def test_it_names_only_options_that_there_are() -> None:
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    known = {name for group in parser._groups for option in group.options for name in option.names()}
    assert set(re.findall(r"--[a-z][a-z-]+", GUIDE)) - known == {"--help"}


def test_its_function_has_the_two_mistakes_that_it_names_and_conforms_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, lines, *_ = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    first, second = lines.splitlines(keepends=True)
    (tmp_path / "guide_kernels.py").write_text(function)
    before, after = function.split("    kept =")
    after = after.replace("    picked =", f"{second}    picked =", 1)
    (tmp_path / "guide_mended.py").write_text(f"{before}{first}    kept ={after}")
    monkeypatch.setattr("sys.path", [*sys.path])
    cases = whole_cases()
    failing = {
        name: {
            id
            for id in (
                "ce-offset",
                "ce-uint8-target",
                "d004-2-ignored-infinite-logits",
                "ce-refuses-index-beyond",
            )
            if any(record.outcome.is_failing for record in _examined(cases[id], tmp_path / f"{name}.py"))
        }
        for name in ("guide_kernels", "guide_mended")
    }
    assert failing == {
        "guide_kernels": {"ce-uint8-target", "d004-2-ignored-infinite-logits"},
        "guide_mended": set(),
    }


def _examined(case: Case, file: Path) -> list[Record]:
    lacked = ("probabilities", "unbatched", "images")
    subject = TargetSubject(f"{file}:cross_entropy", "CrossEntropyLoss", features_lacked=lacked)
    return Examiner(with_modes=False, with_illustrations=False).examine(case, subject, "float32")


def test_its_project_file_is_read() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)
    project = read_project(text, list(whole_cases()))
    assert project.options["subject"] == "kernels.py:cross_entropy"
    assert {entry.pattern for entry in project.entries} == {"ce-ignored-*", ""}

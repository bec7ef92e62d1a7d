"""The guide to functions names what there is, and its file is read."""

from __future__ import annotations

import re

import pytest
from repository import ROOT, whole_cases

from lossproof.adapters.arrays import LIBRARIES
from lossproof.adapters.features import FEATURES
from lossproof.corpus.project_file import read_project
from lossproof.running import plugin

GUIDE = (ROOT / "docs" / "a-function.md").read_text(encoding="utf-8")


def test_it_names_every_feature_and_library() -> None:
    table = GUIDE.partition("| feature |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(FEATURES)
    assert all(f"`{name}`" in GUIDE or f" {name}`" in GUIDE for name in LIBRARIES if name != "torch")


def test_it_names_only_options_that_there_are() -> None:
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    known = {name for group in parser._groups for option in group.options for name in option.names()}
    assert set(re.findall(r"--[a-z][a-z-]+", GUIDE)) - known == {"--help"}


def test_its_project_file_is_read() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)
    project = read_project(text, list(whole_cases()))
    assert project.options["subject"] == "kernels.py:cross_entropy"
    assert {entry.pattern for entry in project.entries} == {"ce-ignored-*", ""}

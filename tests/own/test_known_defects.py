"""Known defects: what they excuse, where they hold, and that the list cannot go stale in either direction."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import Any

import pytest

from lossproof.corpus.case import KnownDefect
from lossproof.judging.known_defects import KNOWN_DEFECT, covers, excuse, relevant, unmatched
from lossproof.judging.record import Record

ENTRY = KnownDefect(
    case="one",
    subject="torch.*",
    dtypes=(),
    reductions=(),
    quantities=(),
    versions="",
    platform="",
    device="",
    observed="nan",
    expected="0",
    why="the kernel divides by zero",
    kind="defect",
    link="",
    file="cases/known-defects.yaml",
    line=7,
)
RECORD = Record(
    case="one",
    title="a case",
    loss="CrossEntropyLoss",
    subject="torch.nn",
    dtype="float32",
    device="cpu",
    layout="contiguous",
    reduction="mean",
    quantity="value",
    outcome="disagree",
    error_over_budget=3.0,
    source=None,
    file="cases/x.yaml",
    line=3,
    message="the result is nan",
    detail={"snippet": "import torch"},
)
SELECTED = [("one", "torch.nn", "float32")]


def entry(**changes: Any) -> KnownDefect:
    return replace(ENTRY, **changes)


def record(**changes: Any) -> Record:
    return replace(RECORD, **changes)


def is_relevant(defect: KnownDefect, subject: str = "torch.nn", version: str = "2.13.0") -> bool:
    return relevant([defect], subject, version, "cpu") == [defect]


@pytest.mark.parametrize(
    ("versions", "version", "holds"),
    [
        ("", "2.13.0", True),
        (">=2.0", "2.13.0", True),
        (">=2.0,<2.13", "2.13.0", False),
        ("==2.13.0", "2.13.0+cpu", True),
        ("==2.13.0", "2.13.0+cu126", True),
        ("===2.13.0", "2.13.0+cpu", True),
        ("<=2.13.0", "2.13.0+cpu", True),
        ("!=2.13.0", "2.13.0+cpu", False),
        (">=2.13", "2.14.0.dev20260101+cpu", True),
        ("<2.13", "2.9.1", True),
    ],
)
def test_an_entry_holds_for_its_versions(versions: str, version: str, holds: bool) -> None:
    assert is_relevant(entry(versions=versions), version=version) is holds


@pytest.mark.parametrize(
    ("pattern", "subject", "holds"),
    [
        ("torch.*", "torch.nn", True),
        ("torch.*", "torch.nn.functional", True),
        ("torch.nn", "torch.nn", True),
        ("torch.nn", "torch.nn.functional", False),
        ("torch.*", "reference", False),
    ],
)
def test_a_wildcard_speaks_of_both_torch_subjects(pattern: str, subject: str, holds: bool) -> None:
    assert is_relevant(entry(subject=pattern), subject) is holds
    assert covers(entry(subject=pattern), record(subject=subject)) is holds


def test_an_entry_holds_on_its_platform_and_device() -> None:
    assert is_relevant(entry(platform=platform.system().lower(), device="cpu"))
    assert not is_relevant(entry(platform="plan9"))
    assert not is_relevant(entry(device="cuda"))
    assert relevant([entry(device="cuda")], "torch.nn", "2.13.0", "cuda")


@pytest.mark.parametrize(
    ("narrowing", "changes", "covered"),
    [
        ({}, {}, True),
        ({}, {"case": "two"}, False),
        ({"dtypes": ("float32", "float16")}, {}, True),
        ({"dtypes": ("float16",)}, {}, False),
        ({"reductions": ("mean",)}, {}, True),
        ({"reductions": ("sum",)}, {}, False),
        ({"reductions": ("none",)}, {"reduction": None}, True),
        ({"reductions": ("mean",)}, {"reduction": None}, False),
        ({"quantities": ("value", "same_as")}, {}, True),
        ({"quantities": ("value",)}, {"quantity": "gradient:input"}, False),
        ({"quantities": ("gradient:input",)}, {"quantity": "gradient:input"}, True),
        ({"layouts": ("transposed",)}, {}, False),
        ({"layouts": ("transposed",)}, {"layout": "transposed"}, True),
    ],
)
def test_an_entry_covers_what_it_is_narrowed_to(
    narrowing: dict[str, Any], changes: dict[str, Any], covered: bool
) -> None:
    assert covers(entry(**narrowing), record(**changes)) is covered


@pytest.mark.parametrize("outcome", ["disagree", "error"])
def test_what_is_known_to_be_wrong_is_excused(outcome: str) -> None:
    other = record(case="two", outcome=outcome)
    known = record(outcome=outcome)
    records, gone = excuse([known, known, other], [ENTRY])
    assert gone == []
    assert records[0].outcome == KNOWN_DEFECT
    assert records[0].message == "the result is nan (known: the kernel divides by zero)"
    # One program an entry is enough to reproduce the defect.
    assert [excused.detail for excused in records] == [{"snippet": "import torch"}, None, other.detail]
    assert records[2] == other


def test_what_is_listed_as_wrong_and_is_right_is_a_problem() -> None:
    right = record(outcome="agree", message="")
    records, gone = excuse([right], [ENTRY])
    assert records == [right]
    assert len(gone) == 1
    for part in ("cases/known-defects.yaml:7:", "[one]", "torch.nn", "float32", "value", "mean", "remove"):
        assert part in gone[0]


def test_each_check_that_is_right_again_is_named() -> None:
    """An entry that is wrong in half of what it covers must be narrowed, and its sentences say to what."""
    records = [record(), record(outcome="agree", reduction="sum"), record(outcome="agree", dtype="float64")]
    excused, gone = excuse(records, [ENTRY])
    assert [one.outcome for one in excused] == [KNOWN_DEFECT, "agree", "agree"]
    assert [" (sum" in gone[0], "float64" in gone[1], len(gone)] == [True, True, 2]


def test_what_a_subject_does_not_support_is_neither_excused_nor_gone() -> None:
    unsupported = record(outcome="unsupported")
    assert excuse([unsupported], [ENTRY]) == ([unsupported], [])


def test_without_entries_nothing_changes() -> None:
    records = [record(), record(outcome="agree")]
    assert excuse(records, []) == (records, [])


def test_an_entry_that_meets_no_record_is_a_problem() -> None:
    idle = entry(quantities=("gradient:weight",))
    sentences = unmatched([ENTRY, idle], [record()], SELECTED)
    assert len(sentences) == 1
    assert "cases/known-defects.yaml:7: [one]" in sentences[0]
    assert "matches no check" in sentences[0]


@pytest.mark.parametrize(
    "selected",
    [
        [],
        [("two", "torch.nn", "float32")],
        [("one", "reference", "float32")],
        [("one", "torch.nn", "float64")],
    ],
)
def test_an_entry_that_was_not_selected_is_not_blamed(selected: list[tuple[str, str, str]]) -> None:
    idle = entry(dtypes=("float32",), quantities=("gradient:weight",))
    assert unmatched([idle], [], SELECTED) != []
    assert unmatched([idle], [], selected) == []


def test_entries_and_records_may_come_as_iterators() -> None:
    entries = [entry(quantities=("value",)), entry(quantities=("nothing",)), entry(quantities=("value",))]
    assert len(unmatched(iter(entries), iter([record()]), iter(SELECTED))) == 1

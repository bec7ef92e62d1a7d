"""Known defects: where they hold, what they cover, and that the list cannot go stale in either direction."""

from __future__ import annotations

import platform
from typing import Any

import pytest
from defect_specimens import ENTRY, entry, record

from lossproof.corpus.case import KnownDefect
from lossproof.judging.known_defects import (
    as_data,
    blame,
    by_case,
    covers,
    excuse,
    relevant,
    unmatched_entries,
)
from lossproof.records.outcome import Outcome

SELECTED = [("one", "torch.nn", "float32")]


def is_relevant(defect: KnownDefect, subject: str = "torch.nn", version: str = "2.13.0") -> bool:
    return relevant([defect], subject, version, "cpu") == [defect]


@pytest.mark.parametrize(
    ("since", "until", "version", "holds"),
    [
        ("", "", "2.13.0", True),
        ("2.0", "", "2.13.0", True),
        ("2.0", "2.12", "2.13.0", False),
        ("2.13.0", "2.13.0", "2.13.0+cpu", True),
        ("2.13", "2.13", "2.13.1+cu126", True),
        ("2.13.1", "", "2.13.0", False),
        ("2.13.1", "", "2.13.1", True),
        ("", "2.13.0", "2.13.1", False),
        ("", "2.13", "2.14.0", False),
        ("2.13", "", "2.14.0.dev20260101+cpu", True),
        ("", "2.13", "2.14.0.dev20260101+cpu", False),
        ("", "2.12", "2.9.1", True),
        ("2.10", "", "2.9.1", False),
        ("2.13.0", "", "2.13", True),
        ("2.13.0.1", "", "2.13.0", False),
    ],
)
def test_an_entry_holds_from_its_first_release_to_its_last(
    since: str, until: str, version: str, holds: bool
) -> None:
    assert is_relevant(entry(since=since, until=until), version=version) is holds


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


def test_an_entry_is_about_subjects_and_not_about_printed_numbers() -> None:
    assert not covers(entry(subject="*"), record(subject=None))


def test_entries_are_found_by_their_case() -> None:
    first, second, other = entry(line=1), entry(line=2), entry(case="two")
    assert by_case([first, other, second]) == {"one": [first, second], "two": [other]}


def test_reports_hold_an_entry_with_what_was_observed_in_words() -> None:
    data = as_data(ENTRY)
    assert (data["case"], data["line"], data["observed"]) == ("one", 7, str(ENTRY.observed))


@pytest.mark.parametrize("outcome", ["disagree", "error"])
def test_what_is_known_to_be_wrong_is_excused(outcome: str) -> None:
    other = record(case="two", outcome=outcome)
    known = record(outcome=outcome)
    records, gone = excuse([known, known, other], [ENTRY])
    assert gone == []
    assert records[0].outcome == Outcome.KNOWN_DEFECT
    assert records[0].message == "the result is nan (known: the kernel divides by zero)"
    assert records[0].cause == "the kernel divides by zero"
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
    assert [one.outcome for one in excused] == [Outcome.KNOWN_DEFECT, "agree", "agree"]
    assert [" (sum" in gone[0], "float64" in gone[1], len(gone)] == [True, True, 2]


def test_what_a_subject_does_not_support_is_neither_excused_nor_gone() -> None:
    unsupported = record(outcome="unsupported")
    assert excuse([unsupported], [ENTRY]) == ([unsupported], [])


def test_without_entries_nothing_changes() -> None:
    records = [record(), record(outcome="agree")]
    assert excuse(records, []) == (records, [])


def test_an_entry_that_meets_no_record_is_a_problem() -> None:
    idle = entry(quantities=("gradient:weight",))
    assert unmatched_entries([ENTRY, idle], [record()], SELECTED) == [idle]
    assert blame(idle).startswith("cases/known-defects.yaml:7: [one] this known defect matches no check; ")


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
    assert unmatched_entries([idle], [], SELECTED) != []
    assert unmatched_entries([idle], [], selected) == []


def test_an_entry_about_a_mode_that_takes_turns_is_not_blamed() -> None:
    waiting = entry(quantities=("no_grad", "meta"))
    assert unmatched_entries([waiting], [record()], SELECTED) == []
    assert unmatched_entries([entry(quantities=("no_grad", "jvp"))], [record()], SELECTED) != []


def test_entries_and_records_may_come_as_iterators() -> None:
    entries = [entry(quantities=("value",)), entry(quantities=("nothing",)), entry(quantities=("value",))]
    assert len(unmatched_entries(iter(entries), iter([record()]), iter(SELECTED))) == 1

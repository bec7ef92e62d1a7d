"""Known defects: what they excuse, where they hold, and that the list cannot go stale in either direction."""

from __future__ import annotations

import math
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from defect_specimens import ENTRY

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import KnownDefect
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.observed import Observed
from lossproof.corpus.reading import load_corpus
from lossproof.judging.known_defects import blame, covers, excuse, relevant, unmatched
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject

CASES = Path(__file__).parents[2] / "cases"

RECORD = Record(
    case="one",
    title="a case",
    loss="CrossEntropyLoss",
    subject="torch.nn",
    dtype="float32",
    device="cpu",
    layout="contiguous",
    reduction="mean",
    quantity=Quantity("value"),
    outcome=Outcome.DISAGREE,
    error_over_budget=3.0,
    source=None,
    file="cases/x.yaml",
    line=3,
    message="the result is nan",
    detail={"snippet": "import torch"},
    came_out=["nan"],
)
SELECTED = [("one", "torch.nn", "float32")]


def entry(**changes: Any) -> KnownDefect:
    return replace(ENTRY, **changes)


def record(**changes: Any) -> Record:
    return Record.from_data(vars(RECORD) | changes)


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


@pytest.mark.parametrize("outcome", ["disagree", "error"])
def test_what_is_known_to_be_wrong_is_excused(outcome: str) -> None:
    other = record(case="two", outcome=outcome)
    known = record(outcome=outcome)
    records, gone = excuse([known, known, other], [ENTRY])
    assert gone == []
    assert records[0].outcome == Outcome.KNOWN_DEFECT
    assert records[0].message == "the result is nan (known: the kernel divides by zero)"
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
    assert unmatched([ENTRY, idle], [record()], SELECTED) == [idle]
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
    assert unmatched([idle], [], SELECTED) != []
    assert unmatched([idle], [], selected) == []


def test_entries_and_records_may_come_as_iterators() -> None:
    entries = [entry(quantities=("value",)), entry(quantities=("nothing",)), entry(quantities=("value",))]
    assert len(unmatched(iter(entries), iter([record()]), iter(SELECTED))) == 1


def numbers(*texts: str) -> Observed:
    return Observed(tuple(map(parse_numeral, texts)))


@pytest.mark.parametrize(
    ("known", "came_out", "is_known"),
    [
        (numbers(".nan"), ["nan"], True),
        (numbers(".nan"), ["0.0"], False),
        (numbers(".nan"), ["nan", "7.0"], False),
        (numbers(".inf"), ["inf"], True),
        (numbers(".inf"), ["-inf"], False),
        (numbers(".inf"), ["7.0"], False),
        (numbers("-.inf", ".nan"), ["nan", "-inf"], True),
        (numbers("0"), ["-0.0"], True),
        (numbers("0"), ["1e-300"], False),
        (numbers("0.52"), ["0.5224"], True),
        (numbers("0.5224"), ["0.5225"], False),
        (numbers("0.5224"), ["0.52244"], True),
        (numbers("7"), ["7.0000001"], False),
        (numbers("7"), ["inf"], False),
        (numbers("7"), ["IndexError: 7"], False),
        (Observed(("RuntimeError",)), ["RuntimeError: grad_input must be contiguous"], True),
        (Observed(("RuntimeError: grad",)), ["RuntimeError: grad_input must be contiguous"], True),
        (Observed(("RuntimeError: grad",)), ["RuntimeError: another"], False),
        (Observed(("RuntimeError",)), ["IndexError: grad_input must be contiguous"], False),
        (Observed(("RuntimeError",)), ["7.0"], False),
        (Observed(("accepted",)), ["accepted"], True),
        (Observed(("accepted",)), ["ValueError: no"], False),
        (Observed(("float32",)), ["float64"], False),
        (Observed((parse_numeral("0.5"), "shape [3]")), ["shape [3]"], True),
        (Observed(("varies",)), ["anything"], True),
        (Observed((), parse_numeral("3")), ["0.1", "0.2"], True),
        (Observed((), parse_numeral("2")), ["0.1", "0.2"], False),
        (numbers("1"), [], False),
    ],
)
def test_nothing_but_what_is_on_record_is_excused(
    known: Observed, came_out: list[str], is_known: bool
) -> None:
    wrong = record(came_out=came_out)
    (judged,), gone = excuse([wrong], [entry(observed=known)])
    assert gone == []
    assert judged.outcome == (Outcome.KNOWN_DEFECT if is_known else "disagree")
    if not is_known:
        told = f"a defect is known here, but {known} is on record for it, not {', '.join(came_out)}"
        assert told in judged.message or not came_out
        assert "cases/known-defects.yaml:7" in judged.message


def test_an_exception_in_the_place_of_a_number_is_no_known_defect() -> None:
    error = record(outcome="error", came_out=["RuntimeError: no"], message="raised RuntimeError: no")
    (judged,), _ = excuse([error], [ENTRY])
    assert judged.outcome == "error"


def test_of_several_entries_any_may_explain_what_came_out() -> None:
    other = entry(observed=numbers("7"), line=9, why="another")
    (judged,), _ = excuse([record(came_out=["7.0"])], [ENTRY, other])
    assert judged.message.endswith("(known: another)")


def test_an_overflow_in_the_place_of_a_defect_is_the_end_of_it() -> None:
    _, gone = excuse([record(outcome="overflowed", came_out=[])], [ENTRY])
    assert len(gone) == 1


@pytest.mark.parametrize("number", [7.0, 0.0, math.nan, None])
def test_another_wrong_value_of_torch_fails_the_run(
    number: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """soft_margin_loss of -89 is known to be infinite in single precision, with a gradient of nan."""
    corpus = load_corpus(CASES)
    case = next(case for case in corpus.cases if case.id == "soft-margin-overflow-single")
    subject = find_subject("torch.nn.functional")
    entries = relevant(corpus.known_defects, subject.name, subject.version(), "cpu")

    def outcomes() -> set[str]:
        records, gone = excuse(Examiner(with_modes=False).examine(case, subject, "float32"), entries)
        assert gone == []
        return {one.outcome for one in records}

    assert outcomes() == {"agree", Outcome.KNOWN_DEFECT}
    original = torch.nn.functional.soft_margin_loss

    def faulty(input: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        if number is None:
            raise ValueError("another exception")
        result = original(input, *rest, **options)
        return torch.where(torch.isfinite(result), result, number)

    monkeypatch.setattr(torch.nn.functional, "soft_margin_loss", faulty)
    assert outcomes() & {"disagree", "error"}


@pytest.mark.parametrize(("off", "is_known"), [(3, True), (4, True), (2, False), (12, False)])
def test_no_other_number_of_elements_is_excused(off: int, is_known: bool) -> None:
    wrong = record(came_out=["nan"], off=off)
    (judged,), _ = excuse([wrong], [entry(elements=(3, 4))])
    assert judged.outcome == (Outcome.KNOWN_DEFECT if is_known else "disagree")
    if not is_known:
        told = f"but nan in 3 or 4 elements is on record for it, not nan in {off}"
        assert told in judged.message


def test_of_many_numbers_the_count_and_the_sum_are_on_record() -> None:
    """Half of the numbers halved: each is still one of many, but they add up to something else."""
    true = np.linspace(1.0, 2.0, 24)
    truth = Truth(true, np.zeros(24), np.full(24, 1e-6), np.zeros(24, dtype=int), FORMATS["float32"])
    wrong, worse = 2 * true, np.where(np.arange(24) < 12, true / 2, 2 * true)
    first, other = compare(wrong, truth), compare(worse, truth)
    assert first.came_out == ("24 numbers that add up to 72",)
    known = entry(observed=Observed(first.came_out), elements=(24,))
    outcomes = [
        excuse([record(came_out=list(one.came_out), off=one.off)], [known])[0][0].outcome
        for one in (first, other)
    ]
    assert outcomes == [Outcome.KNOWN_DEFECT, "disagree"]

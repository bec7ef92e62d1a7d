"""A known defect excuses what was observed of it, and no other result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from defect_specimens import ENTRY, entry, record
from repository import whole_cases, whole_corpus

from lossproof.checks.examination import Examiner
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.observed import Observed, sums_in_words
from lossproof.judging.known_defects import excuse, relevant
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.subjects.registry import find_subject


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
        instead = ", ".join(came_out) or "no number"
        assert f"a defect is known here, but {known} is on record for it, not {instead} (" in judged.message
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
    case = whole_cases()["soft-margin-overflow-single"]
    subject = find_subject("torch.nn.functional")
    entries = relevant(whole_corpus().known_defects, subject.name, subject.version(), "cpu")

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


def test_numbers_of_both_signs_are_added_up_apart() -> None:
    """Where they cancel, their sum is what rounding left, which another processor rounds otherwise."""
    balanced = np.concatenate([np.linspace(1.0, 2.0, 12), -np.linspace(1.0, 2.0, 12)])
    assert sums_in_words(balanced) == "24 numbers that add up to 18 above zero and -18 below"


@pytest.mark.parametrize(
    ("came_out", "is_known"),
    [
        ("24 numbers that add up to 1.805 above zero and -18 below", True),
        ("24 numbers that add up to 1.806 above zero and -18 below", True),
        ("24 numbers that add up to 1.808 above zero and -18 below", False),
        ("25 numbers that add up to 1.805 above zero and -18 below", False),
        ("24 numbers that add up to 1.805", False),
        ("24 numbers that add up to nan", False),
        ("24 rows that add up to 1.805 above zero and -18 below", False),
        ("", False),
    ],
)
def test_sums_are_known_by_their_digits_give_or_take_one(came_out: str, is_known: bool) -> None:
    known = Observed(("24 numbers that add up to 1.805 above zero and -18 below",))
    assert known.explains([came_out], None) is is_known


@pytest.mark.parametrize(
    ("known", "came_out", "is_known"),
    [("inf", "inf", True), ("inf", "1.805", False), (".inf", "inf", False), (".inf", "1.805", False)],
)
def test_an_infinite_sum_is_known_by_its_word(known: str, came_out: str, is_known: bool) -> None:
    observed = Observed((f"24 numbers that add up to {known}",))
    assert observed.explains([f"24 numbers that add up to {came_out}"], None) is is_known

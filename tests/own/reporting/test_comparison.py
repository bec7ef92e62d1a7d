"""Two runs side by side: what changed, what got more or less accurate, what is new, what is gone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, HOSTILE, PLAIN, RUN, WRONG

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.comparison import Comparison, compare
from lossproof.reporting.comparison_text import comparison_lines


def compared(
    old: Sequence[Record], new: Sequence[Record], before: Run = PLAIN, after: Run = PLAIN
) -> Comparison:
    return compare(before, old, after, new)


def of_accuracy(was: float | None, now: float | None, outcome: str = "agree") -> dict[str, int]:
    old, new = (replace(AGREES, outcome=Outcome(outcome), error_over_budget=share) for share in (was, now))
    counts = compared([old], [new]).counts
    return {kind: number for kind, number in counts.items() if number}


def test_a_run_is_the_same_as_itself() -> None:
    records = [AGREES, DISAGREES, replace(ERRS, reduction="sum"), replace(DEFECT, dtype="float16")]
    comparison = compared(records, records)
    assert comparison.counts == {
        "changed": 0,
        "more accurate": 0,
        "less accurate": 0,
        "new": 0,
        "gone": 0,
        "same": 4,
    }
    assert comparison.status == 0
    assert comparison_lines(comparison)[0] == "Nothing got worse."


@pytest.mark.parametrize(
    ("was", "now", "status"),
    [
        ("agree", "disagree", 1),
        ("agree", "error", 1),
        ("agree", "unsupported", 1),
        ("agree", "known defect", 0),
        ("known defect", "disagree", 1),
        ("unsupported", "error", 1),
        ("unsupported", "agree", 0),
        ("disagree", "agree", 0),
        ("disagree", "known defect", 0),
        ("known defect", "unsupported", 0),
    ],
)
def test_what_changed_outcome_is_told_and_what_fails_now_is_worse(was: str, now: str, status: int) -> None:
    comparison = compared([replace(AGREES, outcome=Outcome(was))], [replace(AGREES, outcome=Outcome(now))])
    assert (comparison.counts["changed"], comparison.status) == (1, status)
    text = "\n".join(comparison_lines(comparison))
    assert f"ce-weighted-mean: 1 check {was} -> {now} (torch.nn; float32; value)" in text


@pytest.mark.parametrize("field", ["case", "subject", "dtype", "device", "layout", "reduction", "quantity"])
def test_each_part_of_the_key_tells_checks_apart(field: str) -> None:
    change: dict[str, Any] = {field: "other"}
    other = replace(AGREES, **change)
    comparison = compared([AGREES, other], [AGREES, replace(other, outcome=Outcome.ERROR)])
    (changed,) = comparison.changed
    assert getattr(changed.check, field) == "other"
    assert comparison.same == 1


def test_a_title_or_a_line_that_moved_is_no_difference() -> None:
    assert compared([AGREES], [replace(AGREES, title="new", line=99, message="x")]).same == 1


def test_two_checks_of_one_key_are_compared_one_by_one() -> None:
    comparison = compared([AGREES, AGREES, AGREES], [AGREES, WRONG])
    assert comparison.counts["same"] == comparison.counts["changed"] == comparison.counts["gone"] == 1


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (0.2, 0.6, "less accurate"),
        (0.6, 0.2, "more accurate"),
        (0.0, 0.26, "less accurate"),
        (3.0, math.inf, "less accurate"),
        (math.nan, 3.0, "more accurate"),
        (0.0, 0.25, "same"),  # a quarter of the budget is luck
        (1e-17, 0.2, "same"),
        (0.5, 1.0, "same"),  # not more than twice
        (0.9, 0.5, "same"),
        (math.inf, math.inf, "same"),
        (math.nan, math.nan, "same"),
        (None, 0.9, "same"),
        (None, None, "same"),
    ],
)
def test_accuracy_is_a_factor_beyond_luck(was: float | None, now: float | None, kind: str) -> None:
    outcome = "disagree" if 3.0 in (was, now) else "agree"
    assert of_accuracy(was, now, outcome) == {kind: 1}


def test_grades_and_known_defects_are_no_accuracy() -> None:
    assert of_accuracy(0.9, 2e15) == {"same": 1}
    assert of_accuracy(3.0, 4e9) == {"same": 1}
    assert of_accuracy(3.0, 4e9, "known defect") == {"same": 1}


def test_only_a_run_that_should_have_a_check_lacks_it() -> None:
    def without(old: Record, **limits: str) -> dict[str, int]:
        run = replace(PLAIN, options={**PLAIN.options, **limits})
        counts = compared([AGREES, old], [AGREES], after=run).counts
        assert counts == compared([AGREES], [AGREES, old], before=run).counts | {
            "new": counts["new"],
            "gone": counts["gone"],
        }
        # Seen from the other side, what is gone is new.
        assert compared([AGREES], [AGREES, old], before=run).counts["new"] == counts["gone"]
        return {"gone": counts["gone"]}

    nll = replace(AGREES, case="nll-plain", subject="mine", dtype="float16")
    assert without(nll) == {"gone": 1}
    assert without(nll, cases="ce-*") == {"gone": 0}
    assert without(nll, cases="ce-*, nll-*") == {"gone": 1}
    assert without(nll, subjects="torch.nn,reference") == {"gone": 0}
    assert without(nll, subjects="torch.nn, mine") == {"gone": 1}
    assert without(nll, dtypes="float32") == {"gone": 0}
    assert without(nll, dtypes="float16") == {"gone": 1}
    assert without(replace(nll, layout="strided"), dtypes="float16") == {"gone": 0}
    assert without(nll, device="cuda") == {"gone": 0}
    printed = replace(AGREES, subject=None, dtype=None, quantity=Quantity("printed"))
    assert without(printed, subjects="torch.nn", dtypes="float32") == {"gone": 1}
    module = replace(AGREES, dtype=None, quantity=Quantity("module"))
    assert without(module, dtypes="float32") == {"gone": 1}


def test_what_an_interrupted_run_did_not_reach_is_not_gone() -> None:
    after = replace(PLAIN, complete=False)
    comparison = compared([AGREES, replace(AGREES, case="b")], [AGREES], after=after)
    assert (comparison.counts["gone"], comparison.status) == (0, 0)
    assert comparison.notes == ["1 check not counted as gone: the new run was interrupted."]


def test_what_is_gone_is_worse_and_what_is_new_is_not() -> None:
    other = replace(AGREES, case="other")
    assert compared([AGREES, other], [AGREES]).status == 1
    assert compared([AGREES], [AGREES, other, replace(WRONG, case="new")]).status == 0


def test_runs_without_a_check_in_common_say_so() -> None:
    comparison = compared([AGREES], [replace(AGREES, device="cuda")])
    assert comparison_lines(comparison)[0] == "The two runs have no check in common."


def test_the_worst_comes_first() -> None:
    names = ["mended", "still", "unsupported", "worse"]
    outcomes = [("disagree", "agree"), ("error", "disagree"), ("agree", "unsupported"), ("agree", "error")]
    old = [
        replace(AGREES, case=name, outcome=Outcome(was))
        for name, (was, _) in zip(names, outcomes, strict=True)
    ]
    new = [
        replace(AGREES, case=name, outcome=Outcome(now))
        for name, (_, now) in zip(names, outcomes, strict=True)
    ]
    data = compared(old, new).data()
    assert [one["case"] for one in data["changed"]] == ["unsupported", "worse", "still", "mended"]
    shares = [("a", 0.1, 0.3), ("b", 0.1, 0.9), ("c", 0.6, 0.1), ("d", 0.1, 0.6), ("e", 0.9, 0.1)]
    old = [replace(AGREES, case=name, error_over_budget=was) for name, was, _ in shares]
    new = [replace(AGREES, case=name, error_over_budget=now) for name, _, now in shares]
    assert [one["case"] for one in compared(old, new).data()["accuracy"]] == ["b", "d", "a", "e", "c"]
    added = compared([], [AGREES, replace(WRONG, case="wrong")]).data()["added"]
    assert [one["case"] for one in added] == ["wrong", "ce-weighted-mean"]
    gone = compared([replace(WRONG, case="wrong"), AGREES], []).data()["gone"]
    assert [one["case"] for one in gone] == ["ce-weighted-mean", "wrong"]


def test_plain_data_is_cut_and_its_counts_are_not() -> None:
    old = [replace(AGREES, case=f"case-{number}") for number in range(1200)]
    new = [replace(record, outcome=Outcome.DISAGREE) for record in old[:600]]
    data = compared(old, new).data()
    assert [len(data[name]) for name in ("changed", "accuracy", "added", "gone")] == [500, 0, 0, 500]
    assert (data["counts"]["changed"], data["counts"]["gone"]) == (600, 600)
    assert data["changed"][0] == {
        "case": "case-0",
        "loss": "CrossEntropyLoss",
        "subject": "torch.nn",
        "dtype": "float32",
        "device": "cpu",
        "layout": "contiguous",
        "reduction": "mean",
        "quantity": "value",
        "was": "agree",
        "is": "disagree",
    }
    assert data["old"] == {"python": "3.11.7", "torch": "2.13.0", "started": RUN.started}


def test_thousands_of_checks_are_a_few_dozen_lines() -> None:
    old = [
        replace(
            AGREES,
            case=f"case-{number // 10}",
            loss=f"Loss{number % 30}",
            quantity=Quantity(f"q{number}"),
        )
        for number in range(4000)
    ]
    lines = comparison_lines(compared(old, [replace(record, outcome=Outcome.DISAGREE) for record in old]))
    assert lines[0] == "4,000 checks fare worse."
    assert 30 < len(lines) < 50
    (line,) = [line for line in lines if "Loss0:" in line]
    assert "134 checks agree -> disagree in 134 cases, such as case-0 (" in line
    assert line.endswith("(torch.nn; float32; 134 quantities)")


def test_even_with_a_thousand_losses() -> None:
    old = [replace(AGREES, case=f"case-{number}", loss=f"Loss{number}") for number in range(1000)]
    lines = comparison_lines(compared(old, []))
    assert len(lines) < 50
    assert lines[-1] == "  and 960 more groups of checks"


def test_a_few_cases_have_a_line_each() -> None:
    half = replace(AGREES, dtype="float16", subject="torch.nn.functional", layout="strided")
    old = [AGREES, half, replace(AGREES, case="b")]
    new = [
        WRONG,
        replace(half, outcome=Outcome.DISAGREE),
        replace(AGREES, case="b", error_over_budget=0.9),
    ]
    lines = comparison_lines(compared(old, new))
    both = "torch.nn, torch.nn.functional; float32, float16; contiguous, strided; value"
    assert f"  ce-weighted-mean: 2 checks agree -> disagree ({both})" in lines
    assert "  b: 1 check: 0.25 -> 0.9 (torch.nn; float32; value)" in lines
    assert lines[0] == "2 checks fare worse."


def test_versions_that_differ_are_named() -> None:
    after = replace(PLAIN, versions={"python": "3.11.7", "torch": "2.14.0", "mine": "1"}, started="later")
    lines = comparison_lines(compared([AGREES], [AGREES], after=after))
    assert lines[2].startswith("torch 2.13.0 -> 2.14.0, mine none -> 1 (old run 2026-01-02")


def test_nothing_reaches_the_terminal_unseen() -> None:
    hostile = replace(AGREES, case=HOSTILE, subject="a\nb\x1b[31m")
    after = replace(PLAIN, versions={HOSTILE: HOSTILE}, started=HOSTILE)
    for line in comparison_lines(compared([hostile], [replace(hostile, outcome=Outcome.ERROR)], after=after)):
        assert line.isprintable() or not line

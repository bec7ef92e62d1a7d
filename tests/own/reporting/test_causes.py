"""Known defects are counted by cause, and what did not pass by its number is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corpus_specimens import IN_ORDER, complaints_about, load
from page_reader import page_data
from report_specimens import AGREES, DEFECT, RUN, result_of

from lossproof.records import record
from lossproof.records.outcome import Outcome
from lossproof.records.record import Run
from lossproof.reporting.causes import causes, kinds_in_words, report_of
from lossproof.reporting.digest import verdict
from lossproof.reporting.markdown import summary_markdown
from lossproof.reporting.rules import RULES
from lossproof.reporting.summary import summary_lines
from lossproof.reporting.writing import write_reports

ENTRY: dict[str, Any] = {"case": "a", "subject": "torch.*", "why": "it wraps around", "kind": "defect"}
LINK = "https://github.com/pytorch/pytorch/issues/1"
ENTRIES = [
    ENTRY,
    ENTRY | {"case": "b", "link": LINK},
    ENTRY | {"why": "0 log 0", "kind": "convention", "searched": "xlogy gradient; 2026-11-29"},
    ENTRY | {"why": "nan is not greater", "kind": "undefined"},
    ENTRY | {"why": "it wraps around", "kind": "undefined"},
]
KNOWN = replace(RUN, known_defects=ENTRIES)
OVERFLOWED = replace(AGREES, outcome=Outcome.OVERFLOWED, rule="overflow", error_over_budget=None)


def lines(run: Run, *records: Any) -> str:
    return "\n".join(summary_lines(run, [result_of(*records)], []))


class TestCauses:
    def test_entries_of_one_kind_with_one_reason_are_one_cause(self) -> None:
        found = causes(ENTRIES)
        assert [(cause["kind"], cause["why"], cause["entries"]) for cause in found] == [
            ("defect", "it wraps around", [0, 1]),
            ("undefined", "nan is not greater", [3]),
            ("undefined", "it wraps around", [4]),
            ("convention", "0 log 0", [2]),
        ]

    def test_each_says_where_it_was_reported_or_who_looked(self) -> None:
        assert [report_of(cause) for cause in causes(ENTRIES)] == [
            LINK,
            "nobody has looked for a report yet",
            "nobody has looked for a report yet",
            "no report found (searched: xlogy gradient; 2026-11-29)",
        ]

    def test_kinds_are_told_apart(self) -> None:
        assert kinds_in_words(causes(ENTRIES)) == "1 defect, 2 undefined results, 1 convention"

    def test_the_verdict_counts_causes(self) -> None:
        told = verdict(KNOWN, [AGREES, DEFECT, DEFECT]).sentence
        assert told.endswith("2 show one of 4 known causes (1 defect, 2 undefined results, 1 convention).")
        one = verdict(replace(RUN, known_defects=ENTRIES[:2]), [AGREES, DEFECT]).sentence
        assert one.endswith("1 shows a known cause (1 defect).")
        assert "4 known causes" in lines(KNOWN, AGREES, DEFECT)

    def test_the_page_and_the_summary_list_them(self, tmp_path: Path) -> None:
        write_reports(tmp_path, KNOWN, [result_of(AGREES, DEFECT)])
        found = page_data(tmp_path / "report.html")["causes"]
        assert [cause["links"] for cause in found] == [[LINK], [], [], []]
        text = (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert f"- defect: it wraps around: {LINK}" in text
        assert "- undefined: nan is not greater: nobody has looked for a report yet" in text

    def test_an_address_with_markup_in_it_is_no_link(self) -> None:
        entry = ENTRY | {"link": "https://a.example/)<img src=x>"}
        assert "<img" not in summary_markdown(replace(RUN, known_defects=[entry]), [AGREES], None)

    def test_a_file_says_how_a_report_was_searched_for(self, tmp_path: Path) -> None:
        entry = (
            "defects:\n  - {case: one, subject: torch.nn, observed: '1', expected: '2', why: so, "
            "kind: defect, searched: 'byte target; 2026-11-29'}\n"
        )
        (defect,) = load(tmp_path, x=IN_ORDER, known_defects=entry).known_defects
        assert defect.searched == "byte target; 2026-11-29"
        empty = entry.replace("'byte target; 2026-11-29'", "''")
        (told,) = complaints_about(tmp_path, x=IN_ORDER, known_defects=empty)
        assert "searched is an empty text" in told.problem


class TestOverflowed:
    def test_it_is_a_state_of_its_own_in_the_verdict(self) -> None:
        told = verdict(RUN, [AGREES, OVERFLOWED])
        assert told.conforms
        assert told.sentence == (
            "Everything conforms: in 1 case, 1 check agrees, 1 overflowed where the formula does."
        )

    def test_a_run_that_only_overflowed_shows_nothing(self) -> None:
        told = verdict(RUN, [OVERFLOWED])
        assert not told.conforms
        assert "none agrees" in told.sentence

    def test_it_is_counted_by_loss_and_dtype_everywhere(self, tmp_path: Path) -> None:
        half = replace(OVERFLOWED, dtype="float16")
        kink = replace(AGREES, dtype="bfloat16", rule="kink")
        records = [AGREES, OVERFLOWED, half, half, replace(half, loss="MSELoss"), kink]
        write_reports(tmp_path, RUN, [result_of(*records)])
        found = page_data(tmp_path / "report.html")["overflowed"]
        assert [(one["loss"], one["dtype"], one["count"]) for one in found] == [
            ("CrossEntropyLoss", "float16", 2),
            ("CrossEntropyLoss", "float32", 1),
            ("MSELoss", "float16", 1),
        ]
        told = "CrossEntropyLoss float16 2, CrossEntropyLoss float32 1, MSELoss float16 1"
        assert told in (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert told in lines(RUN, *records)


class TestRules:
    def test_what_passed_by_a_rule_is_counted_with_what_it_means(self, tmp_path: Path) -> None:
        kink = replace(AGREES, rule="kink")
        records = [AGREES, kink, replace(kink, dtype="float64"), replace(AGREES, rule="tie"), OVERFLOWED]
        write_reports(tmp_path, RUN, [result_of(*records)])
        found = page_data(tmp_path / "report.html")["rules"]
        assert [(one["rule"], one["total"]) for one in found] == [("kink", 2), ("tie", 1)]
        assert all(one["means"].endswith(".") for one in found)
        assert [(one["dtype"], one["count"]) for one in found[0]["by"]] == [("float32", 1), ("float64", 1)]
        assert "**kink**, 2 checks: The formula has a kink" in summary_markdown(RUN, records, None)
        assert "passed by a rule, not by the number: kink 2, tie 1" in lines(RUN, *records)

    def test_where_all_passed_by_their_numbers_nothing_is_said_of_rules(self) -> None:
        assert "rule" not in lines(RUN, AGREES)
        assert "by a rule" not in summary_markdown(RUN, [AGREES], None)

    @pytest.mark.parametrize("rule", RULES)
    def test_a_rule_is_explained_in_a_sentence(self, rule: str) -> None:
        assert RULES[rule][0].isupper()
        assert RULES[rule].endswith(".")

    def test_checks_can_be_searched_by_their_rule(self, tmp_path: Path) -> None:
        write_reports(tmp_path, RUN, [result_of(AGREES, replace(AGREES, rule="tie"))])
        assert page_data(tmp_path / "report.html")["columns"]["rule"]["table"] == ["", "tie"]


def test_every_rule_of_the_judge_has_a_meaning() -> None:
    assert {"overflow", *RULES} == set(record.RULES)

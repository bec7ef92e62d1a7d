"""What a CI page shows of a run: ``summary.md`` as GitHub renders it, and ``badge.json`` for shields.io."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from report_specimens import AGREES, DEFECT, DISAGREES, ERRS, HOSTILE, RUN, UNSUPPORTED, result_of

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.comparison import compare
from lossproof.reporting.markdown import summary_markdown
from lossproof.reporting.writing import write_reports

SYNTAX = (
    "| a | **b** _c_ `d` ``e`` [f](http://g.example) ![h](i.png) <img src=j> <!-- k --> &amp; ~~l~~ "
    "https://m.example www.n.example # o $p$ :smile: </code> @q \\| \n\n# r\n- s\n```\n<details>"
)
SYNTAX_SHOWN = " ".join(SYNTAX.split())
HOSTILE_SHOWN = r"""</script><img src=x onerror="alert(1)"> <!-- \x1b[2J\x00\ud800\ufffe\u202egnp.exe ]]>"""
LIMIT = 1024 * 1024


class Page(HTMLParser):
    """Rendered Markdown: its tags, its cells and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not attrs, f"<{tag}> has attributes: {attrs}"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


def summary(folder: Path, run: Run, records: Sequence[Record], old: Sequence[Record] | None = None) -> str:
    comparison = None if old is None else compare(replace(run, versions={}), old, run, records)
    write_reports(folder, run, [result_of(*records)], comparison)
    content = (folder / "summary.md").read_bytes()
    assert len(content) < LIMIT
    return content.decode("utf-8")


def rendered(markdown: str) -> Page:
    return Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def everywhere(text: str) -> tuple[Run, list[Record]]:
    """A run and a failing record that say the text wherever they can."""
    names = (
        "case",
        "title",
        "loss",
        "subject",
        "dtype",
        "layout",
        "reduction",
        "quantity",
        "message",
        "file",
    )
    said: dict[str, Any] = dict.fromkeys(names, text)
    run = replace(RUN, problems=[text], versions={text: text}, options={})
    return run, [Record.from_data(vars(DISAGREES) | said)]


def badge(folder: Path, run: Run, *records: Record) -> dict[str, Any]:
    write_reports(folder, run, [result_of(*records)])
    told: dict[str, Any] = json.loads((folder / "badge.json").read_text(encoding="utf-8"))
    assert told["schemaVersion"] == 1
    assert told["label"] == "lossproof"
    assert set(told) == {"schemaVersion", "label", "message", "color"}
    return told


class TestSummary:
    def test_it_begins_with_the_verdict(self, tmp_path: Path) -> None:
        assert summary(tmp_path, RUN, [AGREES]).startswith(
            "## ✓ Everything conforms: in 1 case, 1 check agrees."
        )
        assert summary(tmp_path, RUN, [DISAGREES]).startswith("## ✗ Not everything conforms: of 1 check,")

    def test_the_table_has_a_row_a_loss_and_a_column_a_subject(self, tmp_path: Path) -> None:
        nll = replace(AGREES, loss="NLLLoss", error_over_budget=0.75)
        records = [
            AGREES,
            replace(AGREES, dtype="float64", error_over_budget=0.5),
            DEFECT,
            replace(UNSUPPORTED, subject="mine"),
            nll,
            replace(nll, outcome=Outcome.DISAGREE, error_over_budget=math.inf),
            replace(ERRS, subject="mine", loss="NLLLoss"),
        ]
        page = rendered(summary(tmp_path, RUN, records))
        assert page.rows == [
            ["loss", "mine", "torch.nn"],
            ["CrossEntropyLoss", "\N{EN DASH}", "◆ 0.5 (◆ 1)"],
            ["NLLLoss", "! (! 1)", "✗ inf (✗ 1)"],
        ]

    def test_what_disagrees_has_file_line_and_message(self, tmp_path: Path) -> None:
        page = rendered(summary(tmp_path, RUN, [DISAGREES, AGREES, ERRS]))
        assert "ce-weighted-mean, cases/losses/cross_entropy.yaml:12: the weighted mean divides" in page.text
        assert "✗ torch.nn, float32, mean, gradient:input: off by 0.2428" in page.text
        assert "! torch.nn, float32, mean, value: RuntimeError: no kernel" in page.text

    def test_twenty_cases_are_shown_and_the_rest_is_counted(self, tmp_path: Path) -> None:
        records = [replace(DISAGREES, case=f"case-{number // 5}", line=number // 5) for number in range(150)]
        text = rendered(summary(tmp_path, RUN, records)).text
        assert [f"case-{number}, " in text for number in range(30)] == [True] * 20 + [False] * 10
        assert text.count("off by 0.2428") == 20 * 3
        assert text.count("and 2 more checks of this case") == 20
        assert "and 10 more cases" in text

    def test_problems_and_interruptions_are_said(self, tmp_path: Path) -> None:
        problems = [f"Entry {number} matches nothing." for number in range(25)]
        text = rendered(summary(tmp_path, replace(RUN, complete=False, problems=problems), [AGREES])).text
        assert "interrupted" in text
        assert "problem: Entry 19 matches nothing." in text
        assert "and 5 more problems" in text

    def test_an_empty_run_has_a_summary(self, tmp_path: Path) -> None:
        assert "Nothing was checked." in rendered(summary(tmp_path, RUN, [])).text

    @pytest.mark.parametrize(
        ("hostile", "shown"), [(HOSTILE, HOSTILE_SHOWN), (SYNTAX, SYNTAX_SHOWN)], ids=["hostile", "syntax"]
    )
    def test_what_titles_say_is_shown_as_it_is(self, tmp_path: Path, hostile: str, shown: str) -> None:
        page, tame = (rendered(summary(tmp_path, *everywhere(text))) for text in (hostile, "tame"))
        assert page.text.count(shown) == tame.text.count("tame") == 14
        assert [len(row) for row in page.rows] == [len(row) for row in tame.rows] == [2, 2]

    @pytest.mark.parametrize("text", ["tame", HOSTILE, SYNTAX], ids=["tame", "hostile", "syntax"])
    def test_no_title_breaks_out(self, tmp_path: Path, text: str) -> None:
        run, records = everywhere(text)
        old = [replace(records[0], outcome=Outcome.AGREE), replace(records[0], device=text)]
        page = rendered(summary(tmp_path, run, records, old))
        assert page.tags == {
            "h2", "h3", "p", "ul", "li", "strong", "code", "br", "table", "thead", "tbody", "tr", "th", "td",
        }  # fmt: skip
        assert [len(row) for row in page.rows] == [2, 2]
        assert "1 check fares worse and 1 check is gone." in page.text

    def test_no_link_mention_emoji_or_formula_comes_about(self, tmp_path: Path) -> None:
        text = summary(
            tmp_path, RUN, [replace(DISAGREES, title="https://a.example www.b.c @d :smile: $e$ #1")]
        )
        assert not any(sign in text for sign in ("https:", "www.", "@", ":smile", "$", "#1"))

    def test_names_can_be_read_in_the_plain_file(self, tmp_path: Path) -> None:
        text = summary(tmp_path, RUN, [DISAGREES])
        assert "**ce-weighted-mean**, <code>cases/losses/cross_entropy.yaml:12</code>" in text
        assert "torch.nn, float32, mean, gradient:input: <code>off by 0.2428</code>" in text

    @pytest.mark.parametrize("sign", ["a", "<", "\u202e", "\U0001d400", "\n"])
    def test_it_stays_below_githubs_limit_whatever_the_records_hold(self, sign: str) -> None:
        long = sign * 20_000
        records = [
            replace(DISAGREES, case=f"{number}{long}", title=long, message=long, loss=f"{number}{long}")
            for number in range(300)
        ]
        versions = {f"{number}{long}": long for number in range(300)}
        run = replace(RUN, problems=[long] * 300, versions=versions)
        text = summary_markdown(run, records, None)
        assert len(text.encode("utf-8")) < LIMIT
        assert "Not everything conforms" in text

    def test_a_table_beyond_the_limit_is_cut_and_says_so(self) -> None:
        records = [replace(AGREES, loss=f"{number:05}" + "<" * 490) for number in range(3000)]
        text = summary_markdown(RUN, records, None)
        assert len(text.encode("utf-8")) < LIMIT
        assert text.endswith("\n(cut here: see report.html)\n")
        assert "| 00000" in text
        assert "| 02999" not in text


class TestBadge:
    def test_a_run_that_conforms(self, tmp_path: Path) -> None:
        run = replace(RUN, versions={"torch": "2.13.0+cpu"})
        told = badge(
            tmp_path, run, AGREES, replace(AGREES, loss="NLLLoss"), replace(UNSUPPORTED, loss="MSELoss")
        )
        assert (told["message"], told["color"]) == ("conforms: 2 losses, torch 2.13.0", "brightgreen")

    def test_known_defects_are_not_passed_over(self, tmp_path: Path) -> None:
        told = badge(tmp_path, RUN, AGREES, DEFECT)
        assert told["message"] == "conforms but for known defects: 1 loss, torch 2.13.0"

    def test_a_run_of_no_package_names_none(self, tmp_path: Path) -> None:
        assert badge(tmp_path, replace(RUN, tested=[]), AGREES)["message"] == "conforms: 1 loss"

    @pytest.mark.parametrize(
        ("records", "changes", "message", "colour"),
        [
            ([AGREES, DISAGREES, DISAGREES, ERRS], {}, "2 checks disagree", "red"),
            ([AGREES, DISAGREES], {"complete": False}, "1 check disagrees", "red"),
            ([AGREES, ERRS], {}, "1 check ends in an error", "red"),
            ([AGREES], {"complete": False}, "interrupted", "lightgrey"),
            ([AGREES], {"problems": ["An entry matches nothing."]}, "1 problem", "orange"),
            ([UNSUPPORTED], {}, "nothing checked", "orange"),
            ([], {}, "nothing checked", "orange"),
        ],
    )
    def test_a_run_that_does_not(
        self, tmp_path: Path, records: list[Record], changes: dict[str, Any], message: str, colour: str
    ) -> None:
        told = badge(tmp_path, replace(RUN, **changes), *records)
        assert (told["message"], told["color"]) == (message, colour)

    def test_nothing_unseen_reaches_it(self, tmp_path: Path) -> None:
        assert badge(tmp_path, replace(RUN, versions={"torch": HOSTILE}), AGREES)["message"].isprintable()

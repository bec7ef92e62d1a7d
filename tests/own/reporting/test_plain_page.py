"""What the page says where no script runs: in mail, in a preview, under a strict content policy."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from report_specimens import AGREES, DISAGREES, ERRS, HOSTILE, RUN, UNSUPPORTED

from lossproof.records.record import Record, Run
from lossproof.reporting.page import report_html


class Shown(HTMLParser):
    """The text of a page that a reader without scripts sees."""

    def __init__(self, run: Run, *records: Record) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.title = self.icon = ""
        self._inside: list[str] = []
        self.feed(report_html(run, records))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br"):
            self._inside.append(tag)
        if tag == "link":
            self.icon = unquote(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self._inside:
            self.title += data
        elif not {"script", "style"} & {*self._inside}:
            self.parts.append(data)


def test_verdict_counts_and_versions() -> None:
    shown = Shown(RUN, AGREES)
    assert "✓ Everything conforms: in 1 case, 1 check agrees." in shown.text
    assert "1 ✓ agree 0 ↥ overflowed" in shown.text
    assert "torch 2.13.0 · python 3.11.7 · 2026-01-02 03:04" in shown.text


def test_how_many_checks_ran() -> None:
    assert "1 check ran." in Shown(RUN, AGREES).text
    assert "Of 2 checks, 1 ran and 1 is unsupported." in Shown(RUN, AGREES, UNSUPPORTED).text


def test_what_fails_with_what_it_shares_and_the_worst_cases_first() -> None:
    worst = [replace(DISAGREES, case=f"case-{number}", error_over_budget=2.0**number) for number in range(30)]
    infinite = replace(DISAGREES, case="infinite", error_over_budget=math.inf)
    shown = Shown(RUN, AGREES, ERRS, *worst, infinite)
    assert "CrossEntropyLoss : 32 checks in 32 of 32 cases".replace("32 of 32", "32") in shown.text
    named = re.findall(r"case-\d+|infinite", shown.text.partition("The worst 20 cases")[2])
    assert named == ["infinite", *(f"case-{number}" for number in range(29, 10, -1))]
    assert (
        "cases/losses/cross_entropy.yaml:12 · error / budget inf ✗ gradient:input mean: off by 0.2428"
        in shown.text
    )


@pytest.mark.parametrize(
    ("run", "records", "title", "colour"),
    [
        (RUN, [AGREES], "✓ conforms · lossproof", "#1a6b3c"),
        (replace(RUN, options={"losses": "NLLLoss"}), [AGREES], "✓ conforms in part · lossproof", "#1a6b3c"),
        (RUN, [AGREES, DISAGREES], "✗ 1 check fails · lossproof", "#b3261e"),
        (replace(RUN, problems=["a", "b"]), [AGREES], "✗ 2 problems · lossproof", "#b3261e"),
        (replace(RUN, complete=False), [AGREES], "✗ interrupted · lossproof", "#b3261e"),
        (RUN, [], "✗ nothing checked · lossproof", "#b3261e"),
    ],
)
def test_title_and_icon_say_whether_it_passed(
    run: Run, records: list[Record], title: str, colour: str
) -> None:
    shown = Shown(run, *records)
    assert shown.title == title
    assert colour in shown.icon


def test_problems_news_an_interruption_and_a_part_are_told() -> None:
    run = replace(RUN, problems=["too little"], news=["gone"], complete=False, options={"cases": "ce-*"})
    text = Shown(run, AGREES).text
    for words in (
        "too little",
        "gone",
        "The run was interrupted",
        "Only a part of the suite ran: cases ce-*.",
    ):
        assert words in text


def test_what_a_subject_says_is_text() -> None:
    hostile = replace(DISAGREES, case=HOSTILE, title=HOSTILE, loss=HOSTILE, message=HOSTILE)
    page = report_html(replace(RUN, problems=[HOSTILE]), [hostile])
    assert page.count("<script") == 3
    assert "<img" not in page

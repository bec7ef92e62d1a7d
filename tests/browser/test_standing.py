"""The page's table of releases: what changed is seen at once, what never did when it is asked for."""

from __future__ import annotations

import pytest
from looking import VIEWS, View, Visit
from playwright.sync_api import Locator, expect

pytest_plugins = ["visits"]

AGREES = "\N{EN DASH}"
NARROW = View(390, "light")
each_width = pytest.mark.parametrize("view", [VIEWS[0], NARROW], ids=lambda view: str(view.width))


def cells(table: Locator, row: str) -> list[str]:
    texts: list[str] = table.get_by_role("row", name=row).get_by_role("cell").all_inner_texts()
    return texts


@each_width
def test_what_changed_stands_there_with_its_reason(visit: Visit, view: View) -> None:
    section = visit("faulty", view, "#history").locator("#history")
    expect(section.get_by_role("table")).to_have_count(2)
    defects, conventions = section.get_by_role("table").all()
    assert cells(defects, "changed with the release") == ["", "1", "1"]
    assert cells(defects, "the bound is not checked (undefined)") == [AGREES, "◆", AGREES]
    assert cells(conventions, "on the bound") == ["1", "1", "0"]
    reasons = section.locator("h3:last-of-type ~ ul > li").all()
    assert [reason.inner_text().split("\n")[0] for reason in reasons] == [
        "Not explained yet.",
        "A bound is checked. Reported: https://github.com/pytorch/pytorch/pull/1",
        "The other side is taken. No report found. Searched: clamp bound; 2026-11-29.",
    ]
    assert [reason.locator("li").inner_text() for reason in reasons] == [
        "the bound is not checked: came",
        "the bound is not checked: went",
        "on the bound: 0, was 1",
    ]


@each_width
def test_what_never_changed_is_folded_away(visit: Visit, view: View) -> None:
    section = visit("faulty", view, "#history").locator("#history")
    expect(section.get_by_text("eps is 0 in float16")).to_have_count(0)
    section.get_by_text("1 cause that no release changed").click()
    table = section.locator("details details").get_by_role("table")
    expect(table).to_be_visible()  # the row is made when the fold opens
    assert cells(table, "eps is 0 in float16") == ["", "◆", "◆"]
    expect(table.get_by_role("cell").nth(1)).to_have_attribute("title", "not known: no check of it runs")


def test_a_run_without_releases_on_record_has_no_such_section(visit: Visit) -> None:
    expect(visit("clean").locator("#history")).to_have_count(0)

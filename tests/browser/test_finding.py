"""Everything is found in ten seconds: by eye, by keyboard, on a phone, on paper, and without the script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from looking import VIEWS, View, Visit
from playwright.sync_api import Browser, Page, expect

pytest_plugins = ["visits"]

NARROW = View(390, "light")
each_width = pytest.mark.parametrize("view", [VIEWS[0], NARROW], ids=lambda view: str(view.width))

# Every number in what is shown whose signs stand on more than one line; those in names are no numbers.
BROKEN_NUMBERS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.checkVisibility() || node.parentElement.closest("script, style")) continue;
    for (const match of node.textContent.matchAll(/(?<![\\w.-])[-+]?\\d[\\d.,]*(e[-+]?\\d+)?/g)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].replace(/[.,]$/, "").length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) found.push(match[0]);
    }
  }
  return found;
}"""

FONT_SIZES = """() => [...new Set([...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility())
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((one) => getComputedStyle(one).fontSize))]"""

TAB_STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]
  .filter((one) => one.tabIndex >= 0 && one.checkVisibility()).length"""


@pytest.mark.parametrize("name", ["clean", "faulty"])
@each_width
def test_text_has_five_sizes(visit: Visit, name: str, view: View) -> None:
    page = visit(name, view)
    assert len(page.evaluate(FONT_SIZES)) <= 5
    page.locator("#checks tbody a.open").first.click()
    assert len(page.evaluate(FONT_SIZES)) <= 5


def test_all_parts_end_at_one_right_edge(visit: Visit) -> None:
    page = visit("faulty")
    edges = [
        page.locator(part).first.evaluate("one => Math.round(one.getBoundingClientRect().right)")
        for part in (
            "h1",
            "#contents",
            ".matrix",
            ".card.failure",
            "#failures > .quiet",
            ".correction",
            ".scroller",
        )
    ]
    assert max(edges) - min(edges) <= 1, edges


@pytest.mark.parametrize("name", ["clean", "faulty", "states", "large"])
def test_the_tab_key_stops_less_than_150_times(visit: Visit, name: str) -> None:
    assert visit(name).evaluate(TAB_STOPS) < 150


def test_the_first_stop_skips_to_the_results(visit: Visit) -> None:
    page = visit("faulty")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the results")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_arrow_keys_move_in_the_table_of_losses(visit: Visit) -> None:
    page = visit("faulty")
    table = page.get_by_role("grid", name="Losses by subject and dtype")
    cell = table.get_by_role("link", name=re.compile("^MSELoss, torch.nn.functional, float16"))
    cell.focus()
    page.keyboard.press("ArrowRight")
    expect(
        table.get_by_role("link", name=re.compile("^MSELoss, torch.nn.functional, float32"))
    ).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(
        table.get_by_role("link", name=re.compile("^CrossEntropyLoss, torch.nn.functional, float16"))
    ).to_be_focused()
    page.keyboard.press("Home")
    expect(table.get_by_role("link", name="CrossEntropyLoss", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    assert not table.evaluate("one => one.contains(document.activeElement)")


@each_width
def test_the_navigation_stays_in_sight_with_counts_and_leads_back_to_the_top(
    visit: Visit, view: View
) -> None:
    page = visit("faulty", view, "#checks")
    bar = page.get_by_role("navigation", name="Sections")
    expect(bar).to_be_in_viewport()
    expect(bar.get_by_role("link", name=re.compile(r"^Disagree [\d,]+$"))).to_have_count(1)
    top = bar.get_by_role("link", name="✗ Top")
    top.click()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    expect(visit("clean", view).get_by_role("link", name="✓ Top")).to_be_visible()


def test_the_heads_of_the_tables_stay_in_sight(visit: Visit) -> None:
    page = visit("clean")
    page.set_viewport_size({"width": 1280, "height": 330})
    page.locator("#matrix .matrix").first.locator("tbody tr").last.scroll_into_view_if_needed()
    expect(page.locator("#matrix thead").first).to_be_in_viewport()


def test_what_nobody_needs_at_first_is_closed_until_it_is_asked_for(visit: Visit) -> None:
    page = visit("clean")
    for name in ("budget", "defects", "run"):
        expect(page.locator(f"#{name} > details")).not_to_have_attribute("open", "")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=re.compile("^Defects")).click()
    expect(page.locator("#defects > details")).to_have_attribute("open", "")
    expect(page.locator("#defects-title")).to_be_focused()
    expect(page.locator("#defects article, #defects details.group").first).to_be_visible()
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=re.compile("^Losses")).click()
    expect(page.locator("#matrix-title")).to_be_focused()
    expect(page.locator("#matrix .reading")).not_to_have_attribute("open", "")


def test_failures_come_by_loss_with_what_they_share(visit: Visit) -> None:
    page = visit("faulty")
    first, second = page.locator("#failures > details.loss").all()
    expect(first).to_have_attribute("open", "")
    expect(first.locator("summary").first).to_contain_text(re.compile(r"CrossEntropyLoss.*\d+ checks in \d+"))
    expect(second.locator("summary").first).to_contain_text("MSELoss")
    rows = page.locator("#matrix tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows[:2]] == ["CrossEntropyLoss", "MSELoss"]


def test_a_case_has_one_card_and_its_subjects_share_a_line(visit: Visit) -> None:
    page = visit("faulty", address="#failures")
    cards = page.locator("#failures details.failure")
    titles = cards.locator("h4").all_inner_texts()
    assert len(titles) == len(set(titles)) > 3
    expect(cards.filter(has_text="on torch.nn and torch.nn.functional").first).to_be_visible()
    expect(page.locator("#failures .check .facts").first).to_contain_text("torch.nn and torch.nn.functional")


@each_width
def test_the_layout_and_what_is_unsupported_stand_in_the_row(visit: Visit, view: View) -> None:
    page = visit("states", view, "?outcome=unsupported&quantity=value#checks")
    expect(page.locator("#checks tbody .c-why").first).to_have_text("no kernel")
    page = visit("clean", view, "?search=strided&quantity=value#checks")
    expect(page.locator("#checks tbody .c-layout").first).to_have_text("strided")


@pytest.mark.parametrize(
    "address", ["", "#failures", "#documents", "?search=gradient&outcome=disagree#checks"]
)
def test_no_number_breaks_on_a_phone(visit: Visit, address: str) -> None:
    page = visit("faulty", NARROW, address)
    for heading in page.locator("#documents .document summary").all():
        heading.click()
    assert page.evaluate(BROKEN_NUMBERS) == []
    if "checks" in address:
        page.locator("#checks tbody a.open").first.click()
        assert page.evaluate(BROKEN_NUMBERS) == []


def plain(browser: Browser, path: Path, view: View) -> Page:
    """The page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": view.width, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    return page


@each_width
def test_without_scripts_the_verdict_and_the_worst_cases_are_there(
    browser: Browser, reports: dict[str, Path], view: View
) -> None:
    page = plain(browser, reports["faulty"], view)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Not everything conforms")
    expect(page.locator("#counts")).to_contain_text("disagree")
    expect(page.get_by_role("heading", name=re.compile(r"worst 20 cases|^\d+ cases"))).to_be_visible()
    assert page.locator("#plain ol > li").count() > 5
    expect(page.locator("#plain ul > li").first).to_contain_text(
        re.compile(r"CrossEntropyLoss: \d+ checks in")
    )
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["width"] <= view.width
    page.context.close()


def test_with_scripts_they_stand_there_once(visit: Visit) -> None:
    page = visit("faulty")
    expect(page.locator("#plain")).to_have_count(0)
    expect(page.get_by_role("heading", name="What disagrees")).to_have_count(1)


def test_the_tab_says_pass_or_fail(visit: Visit) -> None:
    for name, sign, colour in (("clean", "✓ conforms", "1a6b3c"), ("faulty", "✗ ", "b3261e")):
        page = visit(name)
        assert page.title().startswith(sign)
        assert colour in str(page.locator("link[rel=icon]").get_attribute("href"))


def test_paper_has_the_verdict_the_table_the_failures_and_the_documents(visit: Visit) -> None:
    page = visit("faulty")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for part in ("h1", "#counts", "#matrix", "#failures", "#documents .correction", "#documents .claims"):
        expect(page.locator(part).first).to_be_visible()
    for part in ("#contents", "#checks", "#defects", "#budget", "#run", ".copy"):
        expect(page.locator(part).first).to_be_hidden()
    closed = page.locator("#failures > details:not([open]), .document > details:not([open])")
    expect(closed).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#documents .claims").first).to_be_hidden()


def test_lost_digits_are_counted(visit: Visit) -> None:
    page = visit("clean", address="#digits")
    expect(page.locator("#digits article").first).to_contain_text(
        re.compile(r"torch.nn, float32\s*(all|[\d.]+) of 7\.2 digits, .* of the budget")
    )


def test_the_bar_fades_out_where_it_scrolls(visit: Visit) -> None:
    links = visit("faulty", NARROW).locator("#contents .links")
    expect(links).to_have_class(re.compile("more-right"))
    assert "rgba(0, 0, 0, 0)" in links.evaluate("one => getComputedStyle(one).maskImage")
    links.evaluate("one => one.scrollTo(one.scrollWidth, 0)")
    expect(links).not_to_have_class(re.compile("more-right"))
    expect(visit("faulty").locator("#contents .links")).not_to_have_class(re.compile("more-"))


@each_width
def test_how_many_checks_ran_is_told_where_all_are_counted(visit: Visit, view: View) -> None:
    page = visit("states", view)
    told = re.compile(r"^Of ([\d,]+) checks, [\d,]+ ran and [\d,]+ are unsupported\.$")
    head = page.locator("header #ran")
    expect(head).to_have_text(told)
    expect(page.locator("#checks")).to_contain_text(head.inner_text())
    found = told.match(head.inner_text())
    assert found is not None
    expect(page.locator("#checks .status")).to_have_text(f"{found[1]} checks")


@each_width
def test_the_layout_is_a_filter(visit: Visit, view: View) -> None:
    page = visit("clean", view)
    page.locator("#filter-layout").select_option("strided")
    assert set(page.locator("#checks tbody .c-layout").all_inner_texts()) == {"strided"}
    assert page.url.endswith("?layout=strided#checks")


@each_width
def test_the_search_shows_all_of_its_hint(visit: Visit, view: View) -> None:
    search = visit("clean", view).get_by_role("searchbox")
    search.fill(str(search.get_attribute("placeholder")))
    assert search.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_cells_of_a_row_are_of_one_height(visit: Visit) -> None:
    page = visit("faulty")
    heights = page.locator("#matrix tbody tr").evaluate_all(
        """rows => rows.map((row) => new Set([...row.querySelectorAll(".cell")]
          .map((cell) => Math.round(cell.getBoundingClientRect().height))).size)"""
    )
    assert set(heights) == {1}

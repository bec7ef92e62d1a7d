"""The page as its readers use it: in Chromium, wide and narrow, light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from looking import VIEWS, View, Visit
from made_runs import PLANTED, faults_planted
from playwright.sync_api import Page, expect

# Fixtures; in a conftest.py, they would be a second module of that name to mypy, which knows only one.
pytest_plugins = ["visits"]

PAGES = ("clean", "faulty", "states", "large", "hostile")
NARROW = View(390, "light")
WIDTHS = (VIEWS[0], NARROW)

each_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.width}-{view.scheme}")
each_width = pytest.mark.parametrize("view", WIDTHS, ids=lambda view: str(view.width))


def faults_of(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using the page."""
    violations: Sequence[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{found['id']}: {found['help']}: {found['nodes'][0]['html'][:200]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


def shown_rows(page: Page) -> int:
    """How many checks the table says that it shows."""
    said = page.locator("#checks .status").inner_text()
    return int(re.split(r" of | check", said)[0].replace(",", ""))


def column(page: Page, name: str) -> list[str]:
    texts: list[str] = page.locator(f"#checks tbody .c-{name}").all_inner_texts()
    return texts


def dialog_of(page: Page) -> Any:
    return page.get_by_role("dialog")


@each_view
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(visit: Visit, name: str, view: View) -> None:
    page = visit(name, view)
    assert page.evaluate("document.documentElement.scrollWidth") <= view.width
    assert faults_of(page) == []


@each_view
def test_everybody_can_use_a_case(visit: Visit, view: View) -> None:
    page = visit("faulty", view, "#d002-6-cross-entropy-with-weights")
    expect(dialog_of(page)).to_be_visible()
    assert page.evaluate("document.getElementById('opened').scrollWidth") <= view.width
    assert faults_of(page) == []


@pytest.mark.parametrize(
    ("name", "verdict"), [("clean", "Everything conforms"), ("faulty", "Not everything conforms: of ")]
)
def test_it_opens_with_the_verdict_and_the_table_of_losses(visit: Visit, name: str, verdict: str) -> None:
    page = visit(name)
    expect(page.get_by_role("heading", level=1)).to_contain_text(verdict)
    first, second = page.locator("main > section").all()[:2]
    expect(first).to_have_attribute("id", "matrix")
    expect(second).to_have_attribute("id", "failures" if name == "faulty" else "documents")


@each_width
def test_a_cell_of_the_table_opens_on_its_cases(visit: Visit, view: View) -> None:
    page = visit("faulty", view)
    page.get_by_role("link", name=re.compile(r"^CrossEntropyLoss, torch.nn, float64: disagree; ")).click()
    kept = shown_rows(page)
    assert kept > 0
    assert set(column(page, "loss")) == {"CrossEntropyLoss"}
    assert set(column(page, "subject")) == {"torch.nn"}
    assert set(column(page, "dtype")) == {"float64"}
    assert all("disagree" in outcome for outcome in column(page, "outcome"))
    assert "?loss=CrossEntropyLoss&subject=torch.nn&dtype=float64&outcome=disagree#checks" in page.url
    expect(page.locator("#checks-title")).to_be_in_viewport()
    page.go_back()
    assert shown_rows(page) > kept


@each_width
def test_search_filters_and_sorting_stand_in_the_address(visit: Visit, view: View) -> None:
    page = visit("large", view)
    assert shown_rows(page) == 100_000
    page.get_by_role("searchbox", name="Search").fill("weight value")
    searched = shown_rows(page)
    page.locator("#filter-dtype").select_option("float32")
    page.locator("#filter-outcome").select_option("agree")
    kept = shown_rows(page)
    assert 0 < kept < searched < 100_000
    assert set(column(page, "dtype")) == {"float32"}
    page.get_by_role("button", name="Error / budget").click()
    shares = [float(text) for text in column(page, "share") if re.fullmatch(r"[\d.]+", text)]
    assert shares[0] > 0.1
    assert shares == sorted(shares, reverse=True)
    assert page.url.endswith("?search=weight+value&dtype=float32&outcome=agree&sort=-share#checks")
    again = page.context.new_page()
    again.goto(page.url)
    again.wait_for_selector("#run", state="attached")
    assert shown_rows(again) == kept
    assert column(again, "case") == column(page, "case")
    expect(again.get_by_role("columnheader", name="Error / budget")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_role("button", name="Clear").click()
    assert shown_rows(page) == 100_000
    assert page.url.endswith("?sort=-share#checks")


def test_flags_lead_to_the_cases_that_look_for_the_same(visit: Visit) -> None:
    page = visit("clean", address="#d002-6-cross-entropy-with-weights")
    dialog_of(page).get_by_role("link", name="MeanDenominator").click()
    expect(dialog_of(page)).to_be_hidden()
    assert page.url.endswith("?flag=MeanDenominator#checks")
    assert "d002-6-cross-entropy-with-weights" in column(page, "case")
    assert 0 < shown_rows(page) < 5000


def test_a_filter_that_this_run_lacks_hides_all(visit: Visit) -> None:
    page = visit("clean", address="?loss=NoSuchLoss#checks")
    assert shown_rows(page) == 0
    expect(page.locator("#checks")).to_contain_text("No check matches these filters.")


@each_width
def test_a_failure_shows_which_digits_differ_and_by_how_much(visit: Visit, view: View) -> None:
    page = visit("faulty", view, "#failures")
    card = page.locator("#failures details.failure").first
    expect(card.locator(".expected mark").first).to_be_visible()
    expect(card.locator(".observed mark").first).to_be_visible()
    expect(card.locator(".excess").first).to_contain_text(re.compile(r"times its budget · .* ULP"))
    expect(card).to_contain_text("Which side is right? The expected one")
    expect(card).to_contain_text(re.compile(r"cases/\w+/\w+\.yaml:\d+"))


def test_where_printed_digits_are_not_the_expected_ones_the_reference_is_in_doubt(visit: Visit) -> None:
    page = visit("contested", address="?search=value&outcome=disagree&subject=torch.nn.functional#checks")
    page.locator("#checks tbody a.open").first.click()
    expect(dialog_of(page)).to_contain_text("Which side is right? That is open")


def test_offending_elements_stand_in_a_table(visit: Visit) -> None:
    page = visit("faulty", address="?search=gradient:input&outcome=disagree#checks")
    page.locator("#checks tbody a.open").first.click()
    table = dialog_of(page).get_by_role("table", name=re.compile("beyond (its|their) budget")).first
    expect(table.get_by_role("rowheader").first).to_have_text(re.compile(r"^\[\d+(, \d+)*\]$"))


def test_a_snippet_is_copied_whole_and_fails_as_told(visit: Visit) -> None:
    page = visit("faulty", address="#failures")
    card = page.locator("#failures details.failure").first
    snippet = card.locator(".code:has(.copy)").first
    program = snippet.locator("pre").inner_text()
    snippet.get_by_role("button").click()
    expect(snippet.get_by_role("button")).to_have_text(re.compile("Copied|Selected"))
    # Whether the clipboard is open to a local file is the browser's to say; what is selected can be copied.
    assert page.evaluate("getSelection().toString()").strip() == program.strip()
    exec(program, {})  # with torch as it is, the assertion holds
    with faults_planted(PLANTED), pytest.raises(AssertionError):
        exec(program, {})


@each_width
def test_a_case_shows_steps_curves_and_its_checks(visit: Visit, view: View) -> None:
    page = visit("clean", view, "#d001-2-losses-of-the-samples")
    case = dialog_of(page)
    expect(case.get_by_role("heading", level=2)).to_contain_text("the loss of the first sample")
    expect(case.locator("pre").first).to_contain_text("input = float64")
    expect(case.locator("pre", has_text="exp(-1.9)")).to_have_count(1)
    curves = case.get_by_role("img", name="the two curves coincide")
    expect(curves).to_have_count(2)
    expect(curves.first).to_have_accessible_name(
        re.compile(r"as input\[\d, \d\] goes from .* At the case's point")
    )
    case.get_by_role("button", name=re.compile("^torch.nn, float32, mean: agree")).click()
    expect(case.locator(".check-list li").first).to_contain_text("value")
    page.keyboard.press("Escape")
    expect(case).to_be_hidden()
    # The address follows the event that the dialog is closed.
    expect(page).not_to_have_url(re.compile("#"))


def test_a_curve_of_a_faulty_loss_parts_from_the_truth(visit: Visit) -> None:
    page = visit("faulty", address="#d002-6-cross-entropy-with-weights")
    expect(dialog_of(page).get_by_role("img", name=re.compile("they part most at"))).to_have_count(2)


def test_back_and_forth_open_and_close_cases(visit: Visit) -> None:
    page = visit("clean", address="#documents")
    page.locator("#documents a.case").first.click()
    expect(dialog_of(page)).to_be_visible()
    page.go_back()
    expect(dialog_of(page)).to_be_hidden()
    page.go_forward()
    expect(dialog_of(page)).to_be_visible()


def test_an_unknown_case_is_said_to_be_unknown(visit: Visit) -> None:
    page = visit("clean", address="#no-such-case")
    expect(dialog_of(page)).to_contain_text("no-such-case, of which this run has no check")


def test_the_table_is_used_by_keyboard(visit: Visit) -> None:
    page = visit("clean", address="?search=d001#checks")
    first, second = page.locator("#checks tbody a.open").all()[:2]
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog_of(page)).to_contain_text("This check, on")
    page.keyboard.press("Escape")
    expect(dialog_of(page)).to_be_hidden()


@each_width
def test_wrong_numbers_of_documents_stand_beside_the_true_digits(visit: Visit, view: View) -> None:
    page = visit("clean", view, "#documents")
    part = page.locator("#documents")
    expect(part).to_contain_text(re.compile(r"Of \d+ claims in \d documents:"))
    wrong = part.locator(".correction", has_text="D001-2")
    expect(wrong).to_contain_text("0.4171, 2.0406")
    expect(wrong).to_contain_text("0.41703001627783348261, 2.0406162698146993653")
    assert wrong.locator("mark").all_inner_texts() == ["1", "0"]
    expect(wrong).to_contain_text("Why it is wrong: the first value is 0.41703")
    wrong.get_by_text("Worked steps").click()
    expect(wrong.locator("pre")).to_contain_text("exp(-1.9)")
    part.get_by_role("heading", name="Document 001").click()
    claim = part.get_by_role("row").filter(has=page.get_by_role("rowheader", name="D001-1 "))
    expect(claim).to_contain_text("confirmed")


def test_the_worst_case_of_each_loss_and_dtype_is_marked_and_named(visit: Visit) -> None:
    page = visit("faulty", address="#budget")
    figure = page.get_by_role("figure", name="CrossEntropyLoss")
    strip = figure.get_by_role("img", name=re.compile("^CrossEntropyLoss, float64: "))
    expect(strip).to_have_accessible_name(
        re.compile(r"\d+ beyond the budget, the largest error is .* its budget$")
    )
    figure.locator(".worst-case a").last.click()
    expect(dialog_of(page)).to_be_visible()


def test_a_comparison_names_what_changed(visit: Visit) -> None:
    page = visit("faulty", address="#comparison")
    changed = page.locator("#comparison details", has_text="Changed outcome")
    expect(changed.locator("tbody tr").first).to_contain_text(re.compile("agree.*disagree", re.DOTALL))
    clean = visit("clean")
    expect(clean.locator("#comparison")).to_have_count(0)


def test_known_defects_show_what_comes_out_and_what_should(visit: Visit) -> None:
    page = visit("clean", address="#defects")
    group = page.locator("#defects details.group").first
    group.locator("summary").first.click()
    for label in ("input", "what comes out", "what should"):
        expect(group.get_by_role("group", name=label, exact=True).first).to_be_visible()


def test_planted_faults_name_the_cases_that_catch_them(visit: Visit) -> None:
    page = visit("faulty", address="#faults")
    part = page.locator("#faults")
    expect(part).to_contain_text("1 of 2 faults that were planted in torch, one at a time, are caught.")
    part.locator("details.card", has_text="CrossEntropyLoss").locator("summary").click()
    expect(part).to_contain_text("A row is a fault, a column a case that catches one")
    expect(part.get_by_role("img", name="2 faults by 1 case; the list below says the same")).to_be_visible()
    part.get_by_role("link", name="ce-weight-all-zero").click()
    expect(dialog_of(page)).to_be_visible()


def test_data_are_text_and_nothing_else(visit: Visit) -> None:
    page = visit("hostile")
    page.locator("#failures details.failure summary").first.click()
    page.locator("#checks tbody tr").first.click()
    expect(dialog_of(page)).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img[src]").count() == 0
    assert re.fullmatch(r"✗ \d+ checks fail · lossproof", page.title())


def test_a_hundred_thousand_checks_stay_small(reports: dict[str, Path]) -> None:
    assert reports["large"].stat().st_size < 8_000_000
    data = re.search(r'id="data">(.*?)</script', reports["large"].read_text(encoding="utf-8"), re.DOTALL)
    assert data is not None
    assert sum(json.loads(data[1])["counts"].values()) == 100_000

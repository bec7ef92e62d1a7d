"""What the page says of a check that is neither right nor wrong, and of where a number comes from."""

from __future__ import annotations

import re

import pytest
from looking import VIEWS, View, Visit
from made_runs import NEWS, STANDING
from playwright.sync_api import Locator, Page, expect

from lossproof.reporting.text import share

pytest_plugins = ["visits"]

NARROW = View(390, "light")
WIDTHS = (VIEWS[0], NARROW)
each_width = pytest.mark.parametrize("view", WIDTHS, ids=lambda view: str(view.width))

SHARES = (0.0, 0.125, 0.43219, 0.9949, 0.9997, 1.0, 1.00001, 1.26, 9.95, 99.7, 1234.5, 99_999.4)


def cell(page: Page, name: str) -> Locator:
    """The one cell of the table of losses whose name begins so."""
    return page.get_by_role("link", name=re.compile("^" + re.escape(name)))


def test_shares_are_written_as_in_the_other_reports(visit: Visit) -> None:
    page = visit("clean")
    assert [page.evaluate(f"share({value!r})") for value in SHARES] == [share(value) for value in SHARES]


@each_width
def test_a_cell_is_green_only_where_calls_gave_values(visit: Visit, view: View) -> None:
    page = visit("states", view)
    nothing = cell(page, "MSELoss, torch.nn, bfloat16: nothing ran; 0 of")
    expect(nothing).to_have_class("cell unsupported")
    right = cell(page, "CrossEntropyLoss, reference, float64: conforms; at most")
    expect(right).to_have_class("cell agree")


@each_width
def test_what_overflowed_has_a_sign_and_a_count_of_its_own(visit: Visit, view: View) -> None:
    page = visit("states", view)
    found = cell(page, "MSELoss, torch.nn.functional, float16: overflowed; ")
    expect(found).to_have_accessible_name(re.compile(r"\d+ of \d+ checks overflowed$"))
    expect(found).to_have_class("cell overflowed")
    expect(found.locator(".sign")).to_have_text("↥")
    page.locator("#overflowed summary").click()
    expect(page.locator("#overflowed")).to_contain_text("MSELoss")
    page.locator("#overflowed").get_by_role("link", name=re.compile("^MSELoss, float16: ")).click()
    assert "outcome=overflowed" in page.url
    expect(page.locator("#checks tbody .c-outcome").first).to_have_text("↥ overflowed")


def test_what_torch_lacks_stands_apart_with_its_expression(visit: Visit) -> None:
    page = visit("clean")
    apart = page.get_by_role("grid", name="Expressions by subject and dtype")
    expect(apart).to_contain_text("torch.special.entr(p).sum(-1)")
    expect(cell(page, "Entropy, torch-expressions, float64: conforms")).to_have_count(1)
    expect(page.get_by_role("link", name=re.compile("^Entropy, torch.nn"))).to_have_count(0)


def test_digits_do_not_break_on_a_phone(visit: Visit) -> None:
    page = visit("faulty", NARROW, "?search=gradient:input&outcome=disagree#checks")
    page.locator("#checks tbody a.open").first.click()
    heads = page.get_by_role("dialog").locator(".elements th[scope=col]").all()
    assert heads
    heights = [head.bounding_box() for head in heads]
    assert all(box is not None and box["height"] < 40 for box in heights)


def test_what_passed_by_a_rule_is_told_when_asked(visit: Visit) -> None:
    page = visit("states", address="#rules")
    rule = page.locator("#rules details.card", has_text="kink")
    expect(rule).not_to_have_attribute("open", "")
    rule.locator("summary").click()
    expect(rule).to_contain_text("The formula has a kink here")
    rule.get_by_role("link").first.click()
    assert "rule=kink" in page.url
    expect(visit("clean").locator("#overflowed")).to_have_count(0)


def test_the_page_says_what_the_budget_covers(visit: Visit) -> None:
    page = visit("clean", address="#budget")
    page.get_by_text("What the budget covers").click()
    expect(page.locator("#budget")).to_contain_text("sums are taken in blocks or in pairs")


def test_documents_have_names_and_numbers_say_where_they_stand(visit: Visit) -> None:
    page = visit("clean", address="#documents")
    wrong = page.locator("#documents .correction", has_text="D001-2")
    expect(wrong).to_contain_text("Document 001: One cross entropy, step by step")
    expect(wrong.get_by_role("heading")).to_contain_text("the loss of the first sample rounds to 0.4170")
    expect(wrong.get_by_role("rowheader")).to_contain_text("printed in the document")
    derived = page.locator("#documents .correction", has_text="D001-5")
    expect(derived.get_by_role("rowheader")).to_contain_text("from the document's formula, on our inputs")


def test_an_erratum_of_shape_shows_its_brackets(visit: Visit) -> None:
    page = visit("clean", address="#documents")
    wrong = page.locator("#documents .correction", has_text="D004-1")
    assert wrong.locator("mark").all_inner_texts() == ["[16]", "[3.2]"]


def test_what_drifted_says_what_was_what_is_and_of_what(visit: Visit) -> None:
    page = visit("clean", address="#documents")
    card = page.locator("#documents .correction", has_text="D000-3")
    expect(card).to_contain_text("It was: 8 dictionaries, until torch 1.12")
    expect(card).to_contain_text("It is: 14 dictionaries")


def test_an_erratum_that_two_cases_show_is_told_once(visit: Visit) -> None:
    page = visit("clean", address="#documents")
    wrong = page.locator("#documents .correction", has_text="D002-13")
    expect(wrong.get_by_text("a weighted mean would divide by the sum")).to_have_count(1)
    expect(wrong.locator("a.case")).to_have_count(2)


@each_width
def test_a_release_that_is_not_on_record_is_told_above_the_verdict(visit: Visit, view: View) -> None:
    page = visit("states", view)
    header = page.locator("header")
    expect(header).to_contain_text(re.compile(f"lossproof\\s*{re.escape(STANDING)}\\s*[✓✗]"))
    expect(header.locator("#news li")).to_have_text([NEWS, "met by no check"])
    expect(visit("clean", view).locator("#news")).to_be_hidden()


def test_a_known_defect_says_since_when_and_until_when(visit: Visit) -> None:
    part = visit("states", address="#defects").locator("#defects")
    part.locator("details.group").first.locator("summary").first.click()
    expect(part.locator("article article").first).to_contain_text("since 2.6 until 2.20")


def test_known_defects_come_by_cause_and_say_who_reported_them(visit: Visit) -> None:
    part = visit("clean", address="#defects").locator("#defects")
    expect(part).to_contain_text(re.compile(r"\d+ causes? on record, in \d+ entr"))
    expect(part.get_by_role("heading", level=3).first).to_contain_text("Defects: ")
    part.locator("details.group").first.locator("summary").first.click()
    expect(part.locator("article").first).to_contain_text(re.compile("Reported: |Nobody|No report"))


def test_a_known_defect_shows_both_sides_in_its_own_dtype(visit: Visit) -> None:
    asked = "?loss=BCELoss&outcome=known+defect&quantity=vjp:input&dtype=float16#checks"
    page = visit("clean", address=asked)
    page.locator("#checks tbody a.open").first.click()
    check = page.get_by_role("dialog").locator(".asked")
    expect(check).to_contain_text("The same defect, as its first check showed it: gradient:input")
    for name in ("expected", "observed"):
        expect(check.get_by_role("group", name=name, exact=True)).to_be_visible()
    expect(check.get_by_role("group", name="inputs", exact=True)).to_contain_text("input = float16")
    # The inputs of the case are the same numbers.
    expect(page.get_by_role("group", name=re.compile("^inputs"))).to_have_count(1)


def test_a_check_in_half_says_that_its_inputs_were_rounded(visit: Visit) -> None:
    page = visit("clean", address="?loss=BCELoss&outcome=agree&quantity=value&dtype=float16#checks")
    page.locator("#checks tbody a.open").first.click()
    given = page.get_by_role("dialog").get_by_role("group", name=re.compile("^inputs"))
    expect(given).to_have_accessible_name(
        "inputs of the case, as float64 holds them; this check had each rounded to float16"
    )


def test_what_a_case_looks_for_is_a_sentence(visit: Visit) -> None:
    card = (
        visit("faulty", address="#failures")
        .locator("#failures .why", has_text="Mistakes that this case looks for.")
        .first
    )
    expect(card).to_have_text(re.compile(r"^Mistakes that this case looks for\. [A-Z0-9].*\.$"))


def test_claims_that_a_subject_contradicts_are_listed(visit: Visit) -> None:
    page = visit("faulty")
    page.locator("#documents .legend").get_by_role("link", name="contradicted").click()
    part = page.get_by_role("region", name="Contradicted in this run")
    expect(part.get_by_role("heading")).to_be_focused()
    number = page.locator("#documents .legend li", has_text="contradicted").locator("b").inner_text()
    expect(part.get_by_role("listitem")).to_have_count(int(number))
    claim = part.get_by_role("listitem").filter(has_text="D002-6")
    expect(claim).to_contain_text("by torch.nn and torch.nn.functional: d002-6-cross-entropy-with-weights")
    expect(claim).to_contain_text(
        re.compile(r"torch\.nn, float64, mean, value: the result is 0\.\d+, should be")
    )
    expect(visit("clean").locator("#contradicted")).to_have_count(0)

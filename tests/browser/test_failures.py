"""What the page says of failures: what they share, by how much numbers are off, and which side is right."""

from __future__ import annotations

import re

import pytest
from looking import VIEWS, View, Visit
from playwright.sync_api import Locator, Page, expect

pytest_plugins = ["visits"]

NARROW = View(390, "light")
ERROR = re.compile(r"(?:above|below|times) the true value$")

# The largest share of the budget of each case that a card shows, as the page writes it.
WORST = """() => Object.fromEntries(data.failures.losses.flatMap(({ shown }) => shown).map(({ rows }) => {
  const about = checks.caseOf(rows[0][0]);
  const failing = checks.ofCase(about.case).filter((row) => FAILING.includes(checks.cell("outcome", row)));
  const worst = largest(failing.map(checks.share));
  return [about.title || about.case, worst === null ? "" : budgets(worst)];
}))"""

# The numbers of each block of inputs that the dialog shows, without the dtypes that hold them.
INPUTS = """() => [...document.querySelectorAll("#opened pre[aria-label^=inputs]")]
  .map((block) => block.textContent.replace(/= \\w+ /g, "= "))"""


def wrong_gradient(visit: Visit, view: View = VIEWS[0]) -> Locator:
    """The check of a wrong gradient, in full."""
    page = visit("faulty", view, "?search=gradient:input&outcome=disagree&dtype=float32#checks")
    page.locator("#checks tbody a.open").first.click()
    return page.get_by_role("dialog").locator(".asked")


def cards(page: Page) -> list[Locator]:
    found: list[Locator] = page.locator("#failures details.failure").all()
    return found


def test_each_failing_loss_is_a_link_at_the_top(visit: Visit) -> None:
    page = visit("faulty")
    page.locator("#failures > ul").get_by_role("link", name="MSELoss").click()
    second = page.locator("#failures > details.loss").nth(1)
    expect(second).to_have_attribute("open", "")
    expect(second.get_by_role("heading", name="MSELoss")).to_be_focused()
    expect(second.locator("summary").first).to_be_in_viewport()


def test_a_card_tells_the_layouts_and_the_worst_share(visit: Visit) -> None:
    page = visit("faulty", address="#failures")
    worst = page.evaluate(WORST)
    assert len(cards(page)) > 3
    for card in cards(page):
        summary = card.locator("summary").first
        expect(summary).to_contain_text(re.compile("contiguous|transposed|strided|expanded"))
        title = summary.locator("h4").inner_text()
        if worst[title]:
            expect(summary).to_contain_text("at worst " + worst[title])


def test_the_error_of_a_number_stands_beside_its_share_of_the_budget(visit: Visit) -> None:
    page = visit("faulty", address="#failures")
    expect(page.locator("#failures .excess b").nth(2)).to_have_text(ERROR)
    table = wrong_gradient(visit).get_by_role("table")
    heads = table.get_by_role("columnheader").all_inner_texts()
    assert re.fullmatch("Observed . expected", heads[3])
    for row in table.locator("tbody tr").all():
        expect(row.locator("td").nth(2)).to_have_text(re.compile(r"^-?[\d.]+(e[-+]\d+)?$"))


def test_digits_that_differ_are_marked_wherever_two_numbers_stand_together(visit: Visit) -> None:
    check = wrong_gradient(visit)
    for place in (".message", ".why", ".expected", ".observed"):
        expect(check.locator(f"{place} mark").first).to_be_visible()
    for number in check.locator(".elements td.digits").all():
        expect(number.locator("mark")).to_have_count(1)


@pytest.mark.parametrize(
    ("text", "other", "marked"),
    [
        ("0.6069913", "0.364194746338", "0.6069913"),
        ("0.3641", "0.364194746338", "1"),
        ("0.364194746338", "0.3641", "94746338"),
        ("1.5e-07", "1.5123e-07", "5e-07"),
        ("0.5", "0.50", ""),
    ],
)
def test_of_two_numbers_that_differ_both_have_a_mark(
    visit: Visit, text: str, other: str, marked: str
) -> None:
    page = visit("clean")
    marks = page.evaluate(
        "([text, other]) => digits(text, other).querySelector('mark')?.textContent || ''", [text, other]
    )
    assert marks == marked


def test_which_side_is_right_names_the_numbers(visit: Visit) -> None:
    check = wrong_gradient(visit)
    row = check.locator(".elements tbody tr").first
    expected, observed = row.locator("td.digits").all_inner_texts()
    answer = check.locator(".why", has_text="Which side is right?")
    expect(answer).to_contain_text(f"{expected}. The reference computes it in far more digits")
    expect(answer).to_contain_text(re.compile(rf"torch\.[\w.]+ gives {re.escape(observed)}, [-\d.e]+ t"))
    own = r"own result in float64 agrees with ball arithmetic: its error is [\d.]+ of its budget"
    expect(answer).to_contain_text(re.compile(own))


def test_which_side_is_right_names_the_digits_that_the_case_proves(visit: Visit) -> None:
    page = visit("faulty", address="?search=d002-6-cross-entropy-with-weights+value&outcome=disagree#checks")
    page.locator("#checks tbody a.open").first.click()
    answer = page.get_by_role("dialog").locator(".asked .why", has_text="Which side is right?")
    expect(answer).to_contain_text(
        re.compile(r"certified in ball arithmetic: (printed|stated) [\d.]+, true 0\.36419474633")
    )


def test_an_open_question_names_the_numbers_too(visit: Visit) -> None:
    page = visit("contested", address="?search=value&outcome=disagree&subject=torch.nn.functional#checks")
    page.locator("#checks tbody a.open").first.click()
    answer = page.get_by_role("dialog").locator(".why", has_text="Which side is right?")
    expect(answer).to_contain_text(
        re.compile(r"That is open: torch.nn.functional gives [-\d.]+, and the reference [-\d.]")
    )


@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
def test_the_steps_are_those_of_the_reduction_that_is_looked_at(visit: Visit, reduction: str) -> None:
    page = visit(
        "faulty", address=f"?search=d002-6-cross-entropy-with-weights+value+torch.nn+{reduction}#checks"
    )
    page.locator("#checks tbody tr", has=page.locator(".c-reduction", has_text=reduction)).first.locator(
        "a.open"
    ).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Worked steps, reduction {reduction}")).to_be_visible()
    params = dialog.get_by_role("group", name="params", exact=True)
    expect(params).to_have_count(1)
    expect(params).to_contain_text(f"reduction = '{reduction}'")


def test_a_case_shows_its_inputs_once(visit: Visit) -> None:
    for address in ("#d002-6-cross-entropy-with-weights", "?search=d002-6+value+disagree#checks"):
        page = visit("faulty", address=address)
        if "checks" in address:
            page.locator("#checks tbody a.open").first.click()
        expect(page.get_by_role("dialog").locator(".check").first).to_be_visible()
        inputs = page.evaluate(INPUTS)
        assert len(inputs) == len(set(inputs)) >= 1


def test_paper_has_of_each_failing_loss_what_fails_and_an_example(visit: Visit) -> None:
    page = visit("faulty")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    losses = page.locator("#failures > details.loss").all()
    assert len(losses) > 1
    for loss in losses:
        expect(loss.locator(".common")).to_contain_text(re.compile(r"\d+ checks in \d+"))
        for side in (".expected pre", ".observed pre"):
            expect(loss.locator(side).first).to_be_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#failures > details.loss[open]")).to_have_count(1)


def test_a_table_of_elements_scrolls_on_a_phone_and_shows_that_it_does(visit: Visit) -> None:
    table = wrong_gradient(visit, NARROW).locator(".wide-table")
    expect(table).to_have_class(re.compile("more-right"))
    assert table.evaluate("one => getComputedStyle(one).maskImage") != "none"
    table.evaluate("one => one.scrollTo(one.scrollWidth, 0)")
    expect(table).to_have_class(re.compile("more-left"))
    expect(table).not_to_have_class(re.compile("more-right"))

"""A reader gets where the page leads, and is not misled on the way there."""

from __future__ import annotations

import pytest
from looking import Visit
from playwright.sync_api import Locator, Page, expect

pytest_plugins = ["visits"]

# Of each failing case, the heading of its worked steps, and the reductions with steps that fail; another one
# is made the most instructive.
WORKED = """() => data.failures.losses.flatMap(({ shown }) => shown).map(({ rows }) => {
  const name = checks.caseOf(rows[0][0]).case;
  const failing = checks.ofCase(name).filter((row) => FAILING.includes(checks.cell("outcome", row)));
  const explained = data.explained[name] || {};
  const { calls = {} } = explained;
  const wrong = unique(failing.map((row) => checks.cell("reduction", row) || "")).filter((one) => calls[one]);
  explained.reduction = Object.keys(calls).find((one) => !wrong.includes(one)) ?? explained.reduction;
  drawCase(name);
  const heading = [...dialog.querySelectorAll("h3")].find((one) => one.textContent.startsWith("Worked"));
  return [heading ? heading.textContent : "", wrong];
})"""

CURVE = """(agrees) => curveFigure({
  argument: "input", at: [], reduction: "mean", here: 0, subject: "torch.nn",
  x: [-1, 0, 1], truth: [1, 0, 1], slope: [-1, 0, 1], observed: [1, 0, 1], observed_slope: [-1, 0, 1],
}, agrees).querySelector(".panel-title").textContent"""


def shown(page: Page) -> int:
    """How many checks the table says that it shows."""
    return int(page.locator("#checks .status").inner_text().split()[0].replace(",", ""))


def options(page: Page, name: str) -> list[str]:
    found: list[str] = page.locator(f"#filter-{name} option").all_inner_texts()
    return found


def failing(page: Page, case: str) -> int:
    found: int = page.evaluate(
        "name => checks.ofCase(name).filter((row) => FAILING.includes(checks.cell('outcome', row))).length",
        case,
    )
    return found


def test_the_reduction_is_a_filter(visit: Visit) -> None:
    page = visit("clean")
    page.locator("#filter-reduction").select_option("sum")
    assert set(page.locator("#checks tbody .c-reduction").all_inner_texts()) == {"sum"}
    assert page.url.endswith("?reduction=sum#checks")


def test_a_menu_lists_what_occurs_under_the_other_filters(visit: Visit) -> None:
    page = visit("faulty")
    assert "failing" in options(page, "outcome")
    everything = options(page, "quantity")
    page.locator("#filter-outcome").select_option("failing")
    page.locator("#filter-loss").select_option("MSELoss")
    offered = options(page, "quantity")
    assert 1 < len(offered) < len(everything)
    assert "CrossEntropyLoss" in options(page, "loss")
    for quantity in offered:
        page.locator("#filter-quantity").select_option(label=quantity)
        assert shown(page) > 0


def test_the_search_finds_a_case_by_its_whole_name(visit: Visit) -> None:
    page = visit("faulty", address="?search=case:d002-6-cross-entropy-with-weights#checks")
    assert shown(page) == page.evaluate("checks.ofCase('d002-6-cross-entropy-with-weights').length")
    page.get_by_role("searchbox").fill("case:d002-6-cross")
    assert shown(page) == 0


def test_a_card_leads_to_its_own_failing_checks(visit: Visit) -> None:
    page = visit("faulty")
    link = page.locator(".failure[open]").first.get_by_role("link", name="all checks")
    case = page.locator(".failure[open] .case").first.inner_text()
    link.click()
    assert set(page.locator("#checks tbody .c-case").all_inner_texts()) == {case}
    assert shown(page) == failing(page, case)


@pytest.mark.parametrize(("name", "outcome"), [("faulty", "&outcome=failing"), ("clean", "")])
def test_the_name_of_a_loss_leads_to_its_failures_if_it_has_any(
    visit: Visit, name: str, outcome: str
) -> None:
    page = visit(name)
    page.locator("#matrix").get_by_role("link", name="MSELoss", exact=True).click()
    assert page.url.endswith(f"?loss=MSELoss{outcome}#checks")
    assert shown(page) > 0


def test_a_box_in_a_dialog_counts_failures(visit: Visit) -> None:
    case = "d002-6-cross-entropy-with-weights"
    page = visit("faulty", address="#" + case)
    boxes = page.get_by_role("dialog").locator(".summary .tally")
    assert sum(map(int, boxes.all_inner_texts())) == failing(page, case)


def test_a_case_is_worked_in_a_reduction_that_fails(visit: Visit) -> None:
    worked = visit("faulty").evaluate(WORKED)
    told = [(heading, wrong) for heading, wrong in worked if wrong]
    assert told
    for heading, wrong in told:
        assert heading.removeprefix("Worked steps").removeprefix(", reduction ") in wrong


def test_a_curve_beside_what_fails_says_that_it_agrees(visit: Visit) -> None:
    page = visit("clean")
    assert page.evaluate(CURVE, True) == "The loss (mean), which agrees"
    assert page.evaluate(CURVE, False) == "The loss (mean)"


def test_paper_shows_the_card_of_the_screen_with_its_worked_steps(visit: Visit) -> None:
    page = visit("faulty")

    def examples() -> Locator:
        return page.locator("#failures .failure[open] h4")

    first = examples().first.inner_text()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert examples().first.inner_text() == first
    losses = page.locator("#failures > details.loss")
    expect(examples()).to_have_count(losses.count())
    expect(page.locator(".failure[open] .worked[open] pre").first).to_be_visible()
    sizes = [
        page.locator(f"#matrix .cell {part}").first.evaluate(
            "one => parseFloat(getComputedStyle(one).fontSize)"
        )
        for part in (".tally", ".number")
    ]
    assert sizes[0] <= sizes[1]

"""A million checks: the page stays small, and its times are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import PLANTED, examined, many_checks
from playwright.sync_api import Browser

from lossproof.reporting.page import report_html

pytest_plugins = ["visits"]

CHECKS = 1_000_000
MOST_BYTES = 25_000_000

# How long each filter takes, in milliseconds, and what it then says.
FILTERS = """() => {
  const timed = (name, value) => {
    const control = document.getElementById(name);
    control.value = value;
    const began = performance.now();
    control.dispatchEvent(new Event(name === "search" ? "input" : "change"));
    const took = Math.round(performance.now() - began);
    return [name, took, document.querySelector("#checks .status").textContent];
  };
  return [timed("filter-outcome", "disagree"), timed("filter-dtype", "float32"), timed("filter-dtype", ""),
          timed("filter-outcome", ""), timed("search", "weight value")];
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run, records, _ = many_checks(examined(PLANTED)[1], CHECKS)
    path = tmp_path_factory.mktemp("million") / "report.html"
    path.write_text(report_html(run, records), encoding="utf-8")
    return path


def test_a_million_checks(browser: Browser, page_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page_file.stat().st_size <= MOST_BYTES
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(page_file.as_uri())
    page.wait_for_selector("#run", state="attached", timeout=120_000)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    timed = page.evaluate(FILTERS)
    page.close()
    with capsys.disabled():
        print(
            f"\n1,000,000 checks: {page_file.stat().st_size / 1e6:.1f} MB, first paint after {paint:.0f} ms"
        )
        for name, milliseconds, said in timed:
            print(f"  {name}: {milliseconds} ms, {said}")
    said = [text for _, _, text in timed]
    assert said[3] == "1,000,000 checks"
    assert all(text.endswith(" of 1,000,000 checks") and not text.startswith("0 ") for text in said[:3])

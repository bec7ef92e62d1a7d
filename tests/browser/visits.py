"""A browser, the pages to look at, and a look at one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium
from looking import HEIGHTS, VIEWS, View, Visit
from made_runs import HISTORIES, TRIED, pages
from playwright.sync_api import Browser, Page, Request

from lossproof.reporting.page import report_html


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the pages, by name."""
    folder = tmp_path_factory.mktemp("pages")
    for name, (run, records, comparison) in pages():
        faults = TRIED if name == "faulty" else None
        text = report_html(run, records, faults, comparison, HISTORIES.get(name))
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture
def visit(browser: Browser, reports: dict[str, Path]) -> Iterator[Visit]:
    """Open a page from disk as its reader does; nothing may go wrong in its console while it is looked at."""
    complaints: list[str] = []
    contexts = []

    def only_files(request: Request) -> None:
        if not request.url.startswith("file:"):
            complaints.append(request.url)

    def opened(name: str, view: View = VIEWS[0], address: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": view.width, "height": HEIGHTS[view.width]},
            color_scheme="dark" if view.scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", only_files)
        page.goto(reports[name].as_uri() + address)
        page.wait_for_selector("#run", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []

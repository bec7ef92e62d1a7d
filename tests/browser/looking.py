"""How a page is looked at: on a desk and on a phone, in light and in the dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

# By the width of the window, its height.
HEIGHTS = {1280: 900, 390: 844}


@dataclass(frozen=True)
class View:
    """A window and a colour scheme."""

    width: int
    scheme: str


VIEWS = [View(width, scheme) for width in HEIGHTS for scheme in ("light", "dark")]

# Opens a page by its name, in a view, at an address within it.
Visit = Callable[..., Page]

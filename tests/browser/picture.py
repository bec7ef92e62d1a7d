"""Draw the picture of the README: the top of the last run's report, in Chromium."""

from __future__ import annotations

import sys
from pathlib import Path

from chromium import chromium

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "report.html"
PICTURE = ROOT / ".github" / "report.png"


def main() -> int:
    """Write the picture; 2 where there is no report."""
    if not REPORT.exists():
        print("There is no report yet; make verify writes one.", file=sys.stderr)
        return 2
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1180}, color_scheme="light")
        page.goto(REPORT.as_uri())
        page.locator("#matrix td").first.wait_for()
        page.screenshot(path=PICTURE)
    print(f"picture: {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

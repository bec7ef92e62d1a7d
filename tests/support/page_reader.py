"""What a page holds, as a browser finds it."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any, NoReturn


def page_data(path: Path) -> dict[str, Any]:
    """Return the data in a page as a browser finds them: what stands in it plainly, and what is packed."""
    page = path.read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(script(page, "data"), parse_constant=reject)
    packed = zlib.decompress(base64.b64decode(script(page, "packed"), validate=True))
    return {**data, **json.loads(packed, parse_constant=reject)}


def column(data: dict[str, Any], name: str) -> list[Any]:
    return [data["columns"][name]["table"][place] for place in data["columns"][name]["rows"]]


def script(page: str, name: str) -> str:
    """Return the text of a script element as a browser finds it: up to the first end of a script."""
    start = page.index(f'id="{name}">') + len(f'id="{name}">')
    return page[start : page.index("</script", start)]


def reject(literal: str) -> NoReturn:
    raise AssertionError(f"{literal} is not strict JSON")

"""The floors of the package are those that ``docs/architecture.md`` lists, and imports run down them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from repository import ROOT

PACKAGE = ROOT / "lossproof"
GUIDE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# From the top floor to the bottom.
ROOMS = re.findall(r"^(\w+) +\w", GUIDE.split("```")[1], re.MULTILINE)


def arrows() -> Iterator[tuple[str, str, str]]:
    """Each import of another room: the file, its room, and the other one."""
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                other = name.removeprefix("lossproof.").partition(".")[0]
                if name.startswith("lossproof.") and room in ROOMS and other != room:
                    yield str(path.relative_to(ROOT)), room, other


def test_the_guide_lists_every_room() -> None:
    assert set(ROOMS) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_no_import_runs_up() -> None:
    climbing = [(file, other) for file, room, other in arrows() if ROOMS.index(other) < ROOMS.index(room)]
    assert climbing == []


def test_the_package_imports_nothing_of_the_proofs() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [
        path for path, text in texts.items() if re.search(r"^\s*(from|import) proofs\b", text, re.M)
    ] == []


def test_every_file_that_the_guide_names_exists() -> None:
    for name in re.findall(r"`([\w/]+\.py)`", GUIDE):
        assert any((folder / name).exists() for folder in (PACKAGE, ROOT)), name

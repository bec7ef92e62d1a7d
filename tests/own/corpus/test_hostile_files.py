"""Case files that nobody wrote in good faith: each is refused in a sentence, soon, and all at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from suite_runs import Suite

LAUGHS = "\n".join(
    ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise("abcdefghi")]
)
CASE = """\
loss: MSELoss
cases:
  - id: mse-hostile
    title: {title}
    args: {{input: [1, 2], target: [1, 3]}}
    dtypes: [float64]
"""


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"loss: MSELoss\ncases:\n")
        line = b"  - {id: one, title: again, args: {input: [1], target: [2]}}\n"
        for _ in range(100):
            stream.write(line * (1_000_000 // len(line) + 1))


def _loop(path: Path) -> None:
    other = path.with_name("other-loop.yaml")
    path.symlink_to(other)
    other.symlink_to(path)


# A file's name, how it is made, and what is said of it.
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "huge.yaml": (_huge, "larger than 10 MB"),
    "deep.yaml": (lambda path: path.write_text("[" * 1_000_000), "nest deeper than 40 levels"),
    "deep-block.yaml": (
        lambda path: path.write_text("\n".join(" " * depth + "a:" for depth in range(2000))),
        "nest deeper than 40 levels",
    ),
    "laughs.yaml": (lambda path: path.write_text(LAUGHS), "is an alias"),
    "utf16.yaml": (lambda path: path.write_text(CASE.format(title="x"), "utf-16"), "byte order mark"),
    "utf16-bare.yaml": (lambda path: path.write_text(CASE.format(title="x"), "utf-16-le"), "(U+0000)"),
    "nul.yaml": (lambda path: path.write_bytes(b"loss: MSELoss\x00\n"), "(U+0000)"),
    "latin.yaml": (lambda path: path.write_bytes(b"loss: \xe9\n"), "not UTF-8"),
    "loop.yaml": (_loop, "Too many levels of symbolic links"),
    "pipe.yaml": (lambda path: os.mkfifo(path), "no regular file"),
    "folder.yaml": (lambda path: path.symlink_to("/dev/zero"), "no regular file"),
    "tag.yaml": (lambda path: path.write_text("!!python/object/apply:os.system ['true']"), "is a tag"),
    "control.yaml": (lambda path: path.write_text(CASE.format(title='"a\\x07b"')), "(U+0007)"),
    "override.yaml": (lambda path: path.write_text(CASE.format(title='"a\\u202eb"')), "(U+202E)"),
    "override-bare.yaml": (lambda path: path.write_text(CASE.format(title="a\u202eb")), "(U+202E)"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run says of all of them, with 4 GB to say it."""
    suite = Suite(tmp_path_factory.mktemp("hostile"))
    for name, (make, _) in HOSTILE.items():
        make(suite.cases / name)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (4_000_000_000, -1))"
    finished = suite.verify(suite.plant(limit), "--subjects", "reference")
    assert finished.returncode == 2
    assert not suite.reports.exists()
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(said: str, name: str) -> None:
    words = HOSTILE[name][1]
    assert any(f"cases/{name}" in line and words in line for line in said.splitlines()), said[:4000]


def test_no_complaint_is_a_traceback_or_hidden(said: str) -> None:
    assert "Traceback" not in said
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", said)


def test_a_title_that_is_a_program_is_text_in_every_report(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    title = "</script><script>alert(1)</script> & <b onclick='x'>]]> $(reboot)"
    (suite.cases / "losses.yaml").write_text(CASE.format(title=json.dumps(title)))
    finished = suite.verify("--subjects", "reference")
    assert finished.returncode == 0, finished.stdout
    assert {record["title"] for record in suite.records()} == {title}
    ElementTree.parse(suite.reports / "junit.xml")
    page = (suite.reports / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b onclick" not in page
    assert json.dumps(title)[1:-1] in suite.page()

"""Files of known defects: how they are read, and what is refused in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from corpus_specimens import EVERY_KEY, IN_ORDER, complaints_about, load, numerals

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.observed import Observed


def test_known_defects_are_read_beside_the_cases(tmp_path: Path) -> None:
    text = """\
defects:
  - {case: one, subject: torch.*, observed: 1, expected: "2", why: w, kind: convention}
  - case: one
    subject: torch.functional
    dtypes: [float32]
    reductions: [mean]
    quantities: [value, gradient.input]
    since: "2.10"
    until: 2.13.0
    platform: linux
    device: cuda
    observed: nan
"""
    text = (
        text.replace("observed: nan", "observed: [.nan, 'RuntimeError: no']")
        + "    expected: '0'\n    why: w\n    kind: defect\n"
    )
    text += "    link: https://example.org/1\n"
    first, second = load(tmp_path, x=IN_ORDER, known_defects=text).known_defects
    file = "cases/known-defects.yaml"
    assert first == KnownDefect(
        case="one",
        subject="torch.*",
        dtypes=(),
        reductions=(),
        quantities=(),
        since="",
        until="",
        platform="",
        device="",
        observed=Observed(numerals("1")),
        expected="2",
        why="w",
        kind="convention",
        link="",
        file=file,
        line=2,
    )
    assert second == KnownDefect(
        "one",
        "torch.functional",
        ("float32",),
        ("mean",),
        ("value", "gradient.input"),
        "2.10",
        "2.13.0",
        "linux",
        "cuda",
        Observed((parse_numeral(".nan"), "RuntimeError: no")),
        "0",
        "w",
        "defect",
        "https://example.org/1",
        file,
        3,
    )


def test_what_a_file_says_once_holds_for_each_entry_that_says_nothing_else(tmp_path: Path) -> None:
    text = """defaults: {subject: torch.*, kind: defect, since: "2.6", until: "2.13", expected: "2", why: w}
defects:
  - {case: one, observed: 1}
  - {case: one, observed: 1, since: "2.12", kind: convention}
"""
    first, second = load(tmp_path, x=IN_ORDER, known_defects=text).known_defects
    assert (first.subject, first.since, first.until, first.kind) == ("torch.*", "2.6", "2.13", "defect")
    assert replace(second, line=first.line) == replace(first, since="2.12", kind="convention")


DEFECT = """\
defects:
  - case: weighted-mean
    subject: torch.functional
    observed: "1"
    expected: "2"
    why: because
    kind: defect
"""
DEFECT_CHANGES = [
    ("case: weighted-mean", "case: weighted-man", 2, "did you mean 'weighted-mean'?"),
    ("kind: defect", "kind: bug", 7, "kind is 'bug', which is not known"),
    ("kind: defect", "kind: defect\n    link: http://x", 8, "begins with https://"),
    ("kind: defect", "kind: defect\n    dtypes: [int8]", 8, "dtypes[0] is 'int8'"),
    ("kind: defect", "kind: defect\n    dtypes: float32", 8, "must be a list"),
    ("kind: defect", "kind: defect\n    reductions: [men]", 8, "did you mean 'mean'?"),
    ("kind: defect", "kind: defect\n    untill: '2.13'", 8, "did you mean 'until'?"),
    ("kind: defect", "kind: defect\n    since: 2.x", 8, "since is '2.x'; write the numbers of a release"),
    ("kind: defect", "kind: defect\n    since: '>=2.1'", 8, "since is '>=2.1'; write the numbers"),
    (
        "kind: defect",
        "kind: defect\n    until: 2.10",
        8,
        "until is a number ('2.10') but must be a text; put",
    ),
    (
        "kind: defect",
        "kind: defect\n    since: '2.14'\n    until: '2.13'",
        9,
        "no release is both since '2.14'",
    ),
    ("kind: defect", "kind: defect\n    until: '2.13.0'\n    since: '2.13.1'", 9, "and until '2.13.0'; mend"),
    ('observed: "1"', "observed: nan", 4, "is ambiguous without quotes"),
    ("why: because", "why: because\n    elements: 0", 7, "elements is 0"),
    ("why: because", "why: because\n    elements: [1.5]", 7, "elements[0] is 1.5"),
    ('observed: "1"', "observed: []", 4, "observed is an empty list"),
    ('observed: "1"', "observed: {budgets: many}", 4, "must be a number"),
    ("    why: because\n", "", 2, "lacks the key 'why'"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), DEFECT_CHANGES)
def test_a_bad_known_defect_is_refused(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=DEFECT.replace(old, new))
    assert [(one.file, one.line) for one in found] == [("cases/known-defects.yaml", line)]
    assert words in str(found[0])
    assert found[0].case == (
        "weighted-man" if "weighted-man\n" in DEFECT.replace(old, new) else "weighted-mean"
    )


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        ("{case: weighted-mean}", "'case' is not a key of defaults"),
        ("{observed: 1}", "'observed' is not a key of defaults"),
        ("{since: 2.10}", "since is a number ('2.10') but must be a text; put it in quotes"),
        ("{since: '2.14', until: '2.13'}", "no release is both since '2.14' and until '2.13'"),
        ("[kind]", "defaults is a list but must be a mapping"),
        ("{}", "defaults is empty"),
    ],
)
def test_bad_defaults_are_refused_once(tmp_path: Path, defaults: str, words: str) -> None:
    entries = DEFECT + DEFECT.removeprefix("defects:\n")
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=f"defaults: {defaults}\n{entries}")
    assert [(one.line, one.case) for one in found] == [(1, None)]
    assert words in str(found[0])


def test_an_entry_that_contradicts_the_defaults_is_named(tmp_path: Path) -> None:
    late = DEFECT.replace("kind: defect", "kind: defect\n    since: '2.14'")
    found = complaints_about(tmp_path, x=EVERY_KEY, known_defects=f"defaults: {{until: '2.13'}}\n{late}")
    assert [(one.line, one.case) for one in found] == [(9, "weighted-mean")]

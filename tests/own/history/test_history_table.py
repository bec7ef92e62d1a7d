"""From the files of the releases to the table of what changed, and to the pages that show it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from history_specimens import OTHER, RAISES, VALUE, WHY, explain, put, showing, without_kernel
from markdown_it import MarkdownIt
from page_reader import page_data
from report_specimens import AGREES, RUN, result_of
from repository import ROOT, whole_corpus

from lossproof.corpus.reading import load_corpus
from lossproof.history.on_record import as_data, read_table
from lossproof.reporting.writing import write_faults, write_reports
from proofs.releases.__main__ import main
from proofs.releases.markdown import history_markdown


@pytest.fixture
def changed(cases: Path) -> Path:
    """A corpus with four releases: a defect came and went, and a convention changed where it is known."""
    at_kink = replace(VALUE, case="other", dtype="float64")
    put(cases, "2.6.0", without_kernel(VALUE), RAISES, at_kink, picks=[{}, {}, {"bound": "1"}])
    put(cases, "2.10.0", showing(VALUE, WHY), RAISES, status=None)
    put(cases, "2.9.1", VALUE, showing(RAISES, OTHER), status=None)
    put(cases, "2.11.0", showing(VALUE, WHY), RAISES, at_kink, picks=[{}, {}, {"bound": "0"}], status=None)
    return cases


ALL_EXPLAINED = f"""\
- release: "2.9"
  defects: ["{OTHER}"]
  what: The check was dropped
  link: https://github.com/pytorch/pytorch/issues/1
- release: "2.10"
  defects: ["{OTHER}", {WHY}]
  what: The check is back, and the mean wrong.
  searched: "weighted mean; 2026-11-29"
- release: "2.11.0"
  conventions: [bound]
  what: The bound belongs to the other side
  link: https://github.com/pytorch/pytorch/pull/2
"""


def test_releases_stand_in_their_order_and_rows_that_changed_come_first(changed: Path) -> None:
    table = read_table(changed / "history", load_corpus(changed).known_defects)
    assert table.releases == ("2.6", "2.9", "2.10", "2.11")
    rows = [(row.name, row.kind, row.cells, row.changed) for row in (*table.defects, *table.conventions)]
    assert rows == [
        (WHY, "defect", (None, 0, 1, 1), (2,)),
        (OTHER, "convention", (0, 1, 0, 0), (1, 2)),
        ("bound", "", ("1", None, None, "0"), (3,)),
    ]


def test_what_changed_comes_before_what_is_graver(cases: Path) -> None:
    put(cases, "2.6.0", showing(VALUE, WHY), RAISES)
    put(cases, "2.7.0", showing(VALUE, WHY), showing(RAISES, OTHER), status=None)
    entries = load_corpus(cases).known_defects
    assert [row.name for row in read_table(cases / "history", entries).defects] == [OTHER, WHY]


def test_two_patches_of_a_release_are_told_apart(cases: Path) -> None:
    put(cases, "2.6.1", VALUE)
    put(cases, "2.6.0", VALUE)
    put(cases, "2.7.0", VALUE)
    assert read_table(cases / "history", []).releases == ("2.6.0", "2.6.1", "2.7")


def test_more_checks_of_a_defect_are_no_change(cases: Path) -> None:
    put(cases, "2.6.0", showing(VALUE, WHY))
    put(cases, "2.7.0", showing(VALUE, WHY), showing(VALUE, WHY), VALUE)
    assert read_table(cases / "history", []).changes == ()


def test_a_change_that_nobody_explained_fails(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--corpus", str(changed)]) == 1
    told = capsys.readouterr().out
    does_not_say = "history/changes.yaml does not say why; search PyTorch's issues for it"
    assert f"torch 2.9 changed the known defect '{OTHER}' (came) and {does_not_say}" in told
    assert f"torch 2.10 changed the known defect '{OTHER}' (went) and {does_not_say}" in told
    assert f"torch 2.10 changed the known defect '{WHY}' (came) and {does_not_say}" in told
    assert f"torch 2.11 changed the convention 'bound' (0, was 1) and {does_not_say}" in told


def test_what_is_explained_does_not(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    explain(changed, ALL_EXPLAINED)
    assert main(["--corpus", str(changed)]) == 0
    assert capsys.readouterr().out == f"{changed / 'history' / 'README.md'}\n"


@pytest.mark.parametrize(
    ("was", "now", "sentence"),
    [
        ("[bound]", "[bound, edge]", "changes.yaml:9: torch 2.11.0 did not change the convention 'edge'"),
        ('"2.11.0"', '"2.11.1"', "changes.yaml:9: torch 2.11.1 did not change the convention 'bound'"),
        ('"2.11.0"', '"2.1"', "changes.yaml:9: torch 2.1 did not change the convention 'bound'"),
        (
            f'"{OTHER}", {WHY}',
            f'"{OTHER}", {WHY}, bound',
            "changes.yaml:5: torch 2.10 did not change the known defect 'bound'",
        ),
    ],
)
def test_an_explanation_of_what_did_not_change_fails(
    changed: Path, capsys: pytest.CaptureFixture[str], was: str, now: str, sentence: str
) -> None:
    explain(changed, ALL_EXPLAINED.replace(was, now))
    assert main(["--corpus", str(changed)]) == 1
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize(
    ("was", "now", "sentence"),
    [
        ('"2.9"', "2.9", "release is a number ('2.9') but must be a text; put it in quotes"),
        ('"2.9"', '"two"', "release is 'two'; write it like '2.14'"),
        ("  conventions: [bound]\n", "", "names nothing that changed"),
        (
            "  link: https://github.com/pytorch/pytorch/pull/2\n",
            "",
            "must have either 'link' or 'searched'",
        ),
        ("  link: https://github.com/pytorch/pytorch/issues/1", "  link: gone", "link is 'gone'"),
        ("what: The check was", "why: The check was", "'why' is not a key of"),
    ],
)
def test_a_mistake_in_the_explanations_is_told(
    changed: Path, capsys: pytest.CaptureFixture[str], was: str, now: str, sentence: str
) -> None:
    assert was in ALL_EXPLAINED
    explain(changed, ALL_EXPLAINED.replace(was, now))
    assert main(["--corpus", str(changed)]) == 2
    assert sentence in capsys.readouterr().err


def test_the_page_of_the_repository_shows_the_table(changed: Path) -> None:
    explain(changed, ALL_EXPLAINED)
    main(["--corpus", str(changed)])
    text = (changed / "history" / "README.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "| | 2.6 | 2.9 | 2.10 | 2.11 |" in lines
    assert "| **changed with the release** |  | 1 | 2 |  |" in lines
    assert f"| {WHY} |  | - | ◆ | ◆ |" in lines
    assert f"| {OTHER} (convention) | - | ◆ | - | - |" in lines
    assert "| bound | 1 |  |  | 0 |" in lines
    assert "- The check was dropped. Reported: https://github.com/pytorch/pytorch/issues/1" in lines
    back = "- The check is back, and the mean wrong."
    assert f"{back} No report found (searched: weighted mean; 2026-11-29)." in lines
    assert "  - bound: 0, was 1" in lines


def test_what_never_changed_is_folded_away(cases: Path) -> None:
    put(cases, "2.6.0", showing(VALUE, WHY))
    html = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render((cases / "history" / "README.md").read_text(encoding="utf-8"))
    )
    folded = html.partition("<details><summary>1 cause that no release changed</summary>")[2]
    assert f"<td>{WHY}</td>" in folded.partition("</details>")[0]


def test_an_unexplained_change_is_seen_there(changed: Path) -> None:
    main(["--corpus", str(changed)])
    assert "- Not explained yet." in (changed / "history" / "README.md").read_text(encoding="utf-8")


def test_a_run_shows_the_table_on_its_page(changed: Path, tmp_path: Path) -> None:
    explain(changed, ALL_EXPLAINED)
    told = as_data(read_table(changed / "history", []))
    write_reports(tmp_path, RUN, [result_of(AGREES)], history=told)
    found = page_data(tmp_path / "report.html")["history"]
    assert found["releases"] == ["2.6", "2.9", "2.10", "2.11"]
    assert found["conventions"] == [
        {"name": "bound", "kind": "", "cells": ["1", None, None, "0"], "changed": [3]}
    ]
    assert [one["release"] for one in found["changes"]] == ["2.9", "2.10", "2.11"]
    assert found["changes"][2]["explained"] == [
        {
            "reasons": [
                {
                    "what": "The bound belongs to the other side.",
                    "link": "https://github.com/pytorch/pytorch/pull/2",
                    "searched": "",
                }
            ],
            "rows": [{"name": "bound", "change": "0, was 1"}],
        }
    ]
    write_faults(tmp_path, json.dumps({"faults": []}), told)
    assert page_data(tmp_path / "report.html")["history"] == found


def test_without_any_release_on_record_the_page_has_no_table(cases: Path) -> None:
    assert as_data(read_table(cases / "history", [])) is None


def test_every_change_is_explained_and_every_explanation_is_of_a_change() -> None:
    entries = whole_corpus().known_defects
    assert read_table(ROOT / "cases" / "history", entries).problems == ()


def test_its_page_is_that_of_its_files() -> None:
    entries = whole_corpus().known_defects
    written = (ROOT / "cases" / "history" / "README.md").read_text(encoding="utf-8")
    assert written == history_markdown(read_table(ROOT / "cases" / "history", entries)), "run `make history`"

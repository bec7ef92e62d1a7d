"""From a run to the file of its release, and from the files to the table of what changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from history_specimens import OTHER, RAISES, VALUE, WHY, corpus, reports, run_of, showing, without_kernel
from markdown_it import MarkdownIt
from test_reporting import AGREES, RUN, page_data, result_of

from lossproof.corpus.reading import load_corpus
from lossproof.history.__main__ import main
from lossproof.history.markdown import history_markdown
from lossproof.history.on_record import as_data, read_table
from lossproof.records.outcome import Outcome
from lossproof.reporting import write_faults, write_reports

ROOT = Path(__file__).parents[2]
DISAGREES = replace(VALUE, outcome=Outcome.DISAGREE, message="off by 1")
ERRS = replace(VALUE, outcome=Outcome.ERROR, message="RuntimeError")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return corpus(tmp_path)


def put(
    cases: Path, torch: str, *records: Any, picks: Any = (), status: int | None = 0, **changes: Any
) -> Path:
    """Put a made-up run on record; returns its file."""
    folder = reports(cases.parent / f"run-{torch}", run_of(torch, **changes), records, picks)
    ended = main(["--from", str(folder), "--corpus", str(cases)])
    assert status is None or ended == status
    return cases / "history" / f"torch-{torch.partition('+')[0]}.json"


def explain(cases: Path, text: str) -> None:
    (cases / "history" / "changes.yaml").write_text(text)


class TestFile:
    def test_it_says_what_the_run_came_to_and_nothing_of_when_and_where(self, cases: Path) -> None:
        records = [VALUE, showing(VALUE, WHY), showing(VALUE, WHY), without_kernel(VALUE), DISAGREES, ERRS]
        path = put(cases, "2.6.0", *records, status=1)
        told = json.loads(path.read_text())
        assert told == {
            "torch": "2.6.0",
            "python": "3.11",
            "cases": "0123456789ab",
            "counts": {"agree": 1, "known defect": 2, "unsupported": 1, "disagree": 1, "error": 1},
            "defects": {WHY: 2},
            "failing": {"weighted-mean": 2},
            "conventions": {},
            "unsupported": {"no such loss": 1},
        }
        assert path.read_text() == json.dumps(told, indent=1, sort_keys=True) + "\n"

    def test_a_later_run_of_the_same_writes_the_same(self, cases: Path) -> None:
        before = put(cases, "2.6.0", VALUE, showing(RAISES, OTHER)).read_bytes()
        later: dict[str, Any] = {
            "started": "2027-01-01T00:00:00+00:00",
            "seconds": 99.0,
            "machine": {"platform": "Darwin"},
        }
        assert put(cases, "2.6.0", showing(RAISES, OTHER), VALUE, **later).read_bytes() == before

    def test_a_local_build_is_its_release(self, cases: Path) -> None:
        assert json.loads(put(cases, "2.6.0+cpu", VALUE).read_text())["torch"] == "2.6.0"

    def test_a_cause_is_read_whole_though_it_holds_a_colon(self, cases: Path) -> None:
        assert json.loads(put(cases, "2.6.0", showing(RAISES, OTHER)).read_text())["defects"] == {OTHER: 1}

    @pytest.mark.parametrize(
        ("record", "defects"),
        [
            (VALUE, {WHY: 0}),
            (replace(VALUE, outcome=Outcome.OVERFLOWED), {WHY: 0}),
            (without_kernel(VALUE), {}),
            (replace(VALUE, dtype="float64"), {}),  # the entry does not speak of it
            (DISAGREES, {}),  # whether it is the same defect, nobody knows
        ],
    )
    def test_a_defect_that_is_gone_is_told_from_one_that_cannot_show(
        self, cases: Path, record: Any, defects: dict[str, int]
    ) -> None:
        assert json.loads(put(cases, "2.6.0", record, status=None).read_text())["defects"] == defects

    def test_the_picks_are_those_of_torch(self, cases: Path) -> None:
        reference = replace(VALUE, subject="reference")
        expression = replace(VALUE, subject="torch-expressions")
        picks = [{"tie": "first"}, {"tie": "none"}, {"bound": "0"}, {"bound": "1"}]
        path = put(cases, "2.6.0", VALUE, reference, expression, VALUE, picks=picks)
        assert json.loads(path.read_text())["conventions"] == {"tie": "first", "bound": "0 or 1"}

    def test_checks_that_fail_are_named_in_a_sentence(
        self, cases: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = put(cases, "2.6.0", DISAGREES, ERRS, status=1)
        assert f"torch 2.6.0: 2 checks of 1 case fail; {path} names the cases" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"complete": False}, "was interrupted. Only a whole run goes on record."),
            (
                {"options": {"cases": "ce-*", "dtypes": "float32"}},
                "was asked for some dtypes and cases. Only a",
            ),
        ],
    )
    def test_a_part_of_a_run_does_not_go_on_record(
        self, cases: Path, capsys: pytest.CaptureFixture[str], changes: Any, sentence: str
    ) -> None:
        folder = reports(cases.parent / "run", replace(run_of("2.6.0"), **changes), [VALUE])
        assert main(["--from", str(folder), "--corpus", str(cases)]) == 2
        assert sentence in capsys.readouterr().err
        assert not (cases / "history").exists()

    def test_a_folder_without_a_run_is_named(self, cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--from", "/nowhere", "--corpus", str(cases)]) == 2
        assert "/nowhere/results.jsonl cannot be read" in capsys.readouterr().err

    def test_a_broken_file_is_named_with_its_remedy(
        self, cases: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = put(cases, "2.6.0", VALUE)
        path.write_text("{}")
        assert main(["--corpus", str(cases)]) == 2
        told = capsys.readouterr().err
        assert f"{path} cannot be read" in told
        assert "make history VERSIONS=2.6.0" in told

    def test_the_case_files_are_read_without_it(self, cases: Path) -> None:
        before = load_corpus(cases)
        put(cases, "2.6.0", VALUE)
        explain(cases, "[]\n")
        after = load_corpus(cases)
        assert after.releases.of("torch.nn") == ("2.6.0",)
        assert replace(after, releases=before.releases) == before


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


class TestTable:
    def test_releases_stand_in_their_order_and_rows_that_changed_come_first(self, changed: Path) -> None:
        table = read_table(changed / "history", load_corpus(changed).known_defects)
        assert table.releases == ("2.6", "2.9", "2.10", "2.11")
        rows = [(row.name, row.kind, row.cells, row.changed) for row in (*table.defects, *table.conventions)]
        assert rows == [
            (WHY, "defect", (None, 0, 1, 1), (2,)),
            (OTHER, "convention", (0, 1, 0, 0), (1, 2)),
            ("bound", "", ("1", None, None, "0"), (3,)),
        ]

    def test_what_changed_comes_before_what_is_graver(self, cases: Path) -> None:
        put(cases, "2.6.0", showing(VALUE, WHY), RAISES)
        put(cases, "2.7.0", showing(VALUE, WHY), showing(RAISES, OTHER), status=None)
        entries = load_corpus(cases).known_defects
        assert [row.name for row in read_table(cases / "history", entries).defects] == [OTHER, WHY]

    def test_two_patches_of_a_release_are_told_apart(self, cases: Path) -> None:
        put(cases, "2.6.1", VALUE)
        put(cases, "2.6.0", VALUE)
        put(cases, "2.7.0", VALUE)
        assert read_table(cases / "history", []).releases == ("2.6.0", "2.6.1", "2.7")

    def test_more_checks_of_a_defect_are_no_change(self, cases: Path) -> None:
        put(cases, "2.6.0", showing(VALUE, WHY))
        put(cases, "2.7.0", showing(VALUE, WHY), showing(VALUE, WHY), VALUE)
        assert read_table(cases / "history", []).changes == ()

    def test_a_change_that_nobody_explained_fails(
        self, changed: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--corpus", str(changed)]) == 1
        told = capsys.readouterr().out
        does_not_say = "history/changes.yaml does not say why; search PyTorch's issues for it"
        assert f"torch 2.9 changed the known defect '{OTHER}' (came) and {does_not_say}" in told
        assert f"torch 2.10 changed the known defect '{OTHER}' (went) and {does_not_say}" in told
        assert f"torch 2.10 changed the known defect '{WHY}' (came) and {does_not_say}" in told
        assert f"torch 2.11 changed the convention 'bound' (0, was 1) and {does_not_say}" in told

    def test_what_is_explained_does_not(self, changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
        self, changed: Path, capsys: pytest.CaptureFixture[str], was: str, now: str, sentence: str
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
            ("what: The check was", "why: The check was", "'why' is no key of"),
        ],
    )
    def test_a_mistake_in_the_explanations_is_told(
        self, changed: Path, capsys: pytest.CaptureFixture[str], was: str, now: str, sentence: str
    ) -> None:
        assert was in ALL_EXPLAINED
        explain(changed, ALL_EXPLAINED.replace(was, now))
        assert main(["--corpus", str(changed)]) == 2
        assert sentence in capsys.readouterr().err


class TestPages:
    def test_the_page_of_the_repository_shows_the_table(self, changed: Path) -> None:
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

    def test_what_never_changed_is_folded_away(self, cases: Path) -> None:
        put(cases, "2.6.0", showing(VALUE, WHY))
        html = (
            MarkdownIt("commonmark", {"html": True})
            .enable("table")
            .render((cases / "history" / "README.md").read_text(encoding="utf-8"))
        )
        folded = html.partition("<details><summary>1 cause that no release changed</summary>")[2]
        assert f"<td>{WHY}</td>" in folded.partition("</details>")[0]

    def test_an_unexplained_change_is_seen_there(self, changed: Path) -> None:
        main(["--corpus", str(changed)])
        assert "- Not explained yet." in (changed / "history" / "README.md").read_text(encoding="utf-8")

    def test_a_run_shows_the_table_on_its_page(self, changed: Path, tmp_path: Path) -> None:
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
                "rows": [{"name": "bound", "told": "0, was 1"}],
            }
        ]
        write_faults(tmp_path, json.dumps({"faults": []}), told)
        assert page_data(tmp_path / "report.html")["history"] == found

    def test_without_any_release_on_record_the_page_has_no_table(self, cases: Path) -> None:
        assert as_data(read_table(cases / "history", [])) is None


class TestRepository:
    def test_every_change_is_explained_and_every_explanation_is_of_a_change(self) -> None:
        entries = load_corpus(ROOT / "cases").known_defects
        assert read_table(ROOT / "cases" / "history", entries).problems == ()

    def test_its_page_is_that_of_its_files(self) -> None:
        entries = load_corpus(ROOT / "cases").known_defects
        written = (ROOT / "cases" / "history" / "README.md").read_text(encoding="utf-8")
        assert written == history_markdown(read_table(ROOT / "cases" / "history", entries)), (
            "run `make history`"
        )

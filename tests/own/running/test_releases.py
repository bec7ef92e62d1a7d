"""Releases that nobody has tried: what still holds, what is news, what fails, and how short that is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from defect_specimens import ENTRY, RECORD
from suite_runs import CASES, Suite

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.releases import Releases
from lossproof.history.release import Release
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.running.release_news import ReleaseRun, gone_defects, news, standing
from proofs.releases.summary import write_release

SMOOTHED = """\
  - id: smoothed
    title: the mean with label smoothing
    params: {label_smoothing: 0.5}
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
"""
DEFECTS = """\
defaults: {subject: torch.*, kind: defect, since: "2.6", expected: another}
defects:
  - {case: weighted-mean, reductions: [mean], quantities: [value], observed: 7, why: the weights are lost}
  - {case: out-of-range, quantities: [raises], observed: accepted, why: nobody looks}
"""
# Another release: it weighs rightly by now, still accepts classes out of range, and smooths wrongly.
NEW_TORCH = """
import torch
torch.__version__ = "2.16.0"
right = torch.nn.functional.cross_entropy
def planted(input, target, *args, label_smoothing=0.0, **options):
    target = target.clamp(max=input.shape[-1] - 1)
    return right(input, target, *args, label_smoothing=label_smoothing, **options) + label_smoothing
torch.nn.functional.cross_entropy = planted
"""
QUICKLY = ("--dtypes", "float32", "--subjects", "torch.nn,torch.nn.functional")


@pytest.fixture
def suite(suite: Suite) -> Suite:
    (suite.cases / "losses.yaml").write_text(CASES + SMOOTHED)
    (suite.cases / "known-defects.yaml").write_text(DEFECTS)
    return suite


def put_on_record(suite: Suite, *versions: str) -> None:
    for version in versions:
        write_release(suite.cases / "history", Release(version, "3.11", "", {}, {}, {}, {}, {}))


def test_on_a_release_that_nobody_tried_only_what_newly_disagrees_fails(suite: Suite) -> None:
    put_on_record(suite, "2.13.0", "2.15.0")
    plant = suite.plant(NEW_TORCH)
    finished = suite.verify(plant, *QUICKLY)
    assert finished.returncode == 1, finished.stdout
    failing = [record for record in suite.records() if record["outcome"] in ("disagree", "error")]
    assert {record["case"] for record in failing} == {"smoothed"}
    known = {record["case"] for record in suite.records() if record["outcome"] == Outcome.KNOWN_DEFECT}
    assert known == {"out-of-range"}

    opening = (
        "torch 2.16.0 is not on record; the newest that is, is 2.15.0. "
        f"Since then 1 known defect is gone and {len(failing)} checks of 1 case newly fail."
    )
    gone = "gone in torch 2.16.0: the weights are lost; weighted-mean gave 7, and now "
    told = finished.stdout.partition("= lossproof =")[2].splitlines()
    assert told[1] == opening
    assert sum(line.startswith(f"news: {gone}") for line in told) == 1
    assert sum("[smoothed] torch.nn" in line for line in told if line.startswith("    cases/")) >= 1
    assert not any(line.startswith("problem: ") for line in told)

    summary = (suite.reports / "summary.md").read_text()
    assert summary.startswith(opening)
    assert f"- news: {gone}" in summary
    assert "**smoothed**" in summary
    page = (suite.reports / "report.html").read_text()
    assert opening in page
    assert gone in page
    properties = ElementTree.parse(suite.reports / "junit.xml").findall(".//property")
    values = {one.get("name"): str(one.get("value")) for one in properties}
    assert values["standing"] == opening
    assert values["news"].startswith(gone)
    run = suite.run_line()
    assert run["standing"] == [opening]
    assert run["problems"] == []
    assert [entry["case"] for entry in list(run["known_defects"])] == ["out-of-range"]  # type: ignore[call-overload]

    finished = suite.verify(plant, *QUICKLY, "--cases", "weighted-mean,out-of-range")
    assert finished.returncode == 0, finished.stdout
    assert "Since then 1 known defect is gone and no check newly fails." in finished.stdout


def test_on_a_release_on_record_a_defect_that_is_gone_fails_the_run(suite: Suite) -> None:
    put_on_record(suite, "2.15.0", "2.16.0")
    finished = suite.verify(suite.plant(NEW_TORCH), *QUICKLY, "--cases", "weighted-mean,out-of-range")
    assert finished.returncode == 1
    assert "torch 2.16.0 is on record. Known before in these cases: 2 defects.\n" in finished.stdout
    assert "problem: cases/known-defects.yaml:3: [weighted-mean]" in finished.stdout
    assert "news: " not in finished.stdout


def test_an_entry_that_matches_nothing_is_news_where_nobody_tried_the_release(suite: Suite) -> None:
    put_on_record(suite, "2.15.0")
    (suite.cases / "known-defects.yaml").write_text(DEFECTS.replace("[value]", "[velue]"))
    everything = ("--cases", "weighted-mean,out-of-range")
    finished = suite.verify(suite.plant(NEW_TORCH), *everything)
    assert finished.returncode == 0, finished.stdout
    told = "news: met by no check of torch 2.16.0: the weights are lost; known of weighted-mean\n"
    assert told in finished.stdout
    put_on_record(suite, "2.16.0")
    finished = suite.verify(suite.plant(NEW_TORCH), *everything)
    assert finished.returncode == 1
    assert "this known defect matches no check" in finished.stdout


def test_an_entry_whose_range_has_ended_excuses_nothing(suite: Suite) -> None:
    put_on_record(suite, "2.15.0")
    ended = DEFECTS.replace("observed: accepted", 'until: "2.15", observed: accepted')
    (suite.cases / "known-defects.yaml").write_text(ended)
    finished = suite.verify(suite.plant(NEW_TORCH), *QUICKLY, "--cases", "out-of-range")
    assert finished.returncode == 1
    assert "Since then no known defect is gone and 6 checks of 1 case newly fail." in finished.stdout


def test_where_much_fails_the_terminal_stays_short(suite: Suite) -> None:
    cases = [SMOOTHED.replace("smoothed", f"smoothed-{number:02}") for number in range(30)]
    (suite.cases / "losses.yaml").write_text(CASES + "".join(cases))
    (suite.cases / "known-defects.yaml").unlink()
    plant = suite.plant(NEW_TORCH)
    options = (*QUICKLY, "--cases", "smoothed-*")
    finished = suite.verify(plant, *options)
    lines = finished.stdout.splitlines()
    assert len(lines) < 60
    assert any(line.startswith("alike: ") and line.endswith("in 30 cases") for line in lines)
    assert lines[-1].startswith("60 failed")
    in_full = suite.verify(plant, *options, "-vv").stdout
    assert sum(line.startswith("FAILED ") for line in in_full.splitlines()) == 60


def release_run(
    version: str = "2.16.0", releases: tuple[str, ...] = ("2.13.0", "2.15.0"), **changes: Any
) -> ReleaseRun:
    made = ReleaseRun("torch", version, Releases({"torch": releases}), [ENTRY], [], [])
    return replace(made, **changes)


RIGHT = replace(RECORD, outcome=Outcome.AGREE, came_out=[])
STILL = replace(RECORD, outcome=Outcome.KNOWN_DEFECT)


@pytest.mark.parametrize(
    ("version", "releases", "told"),
    [
        ("2.16.0+cpu", ("2.13.0", "2.15.0"), "2.16.0 is not on record; the newest that is, is 2.15.0. Since"),
        ("2.14.0", ("2.13.0", "2.15.0"), "2.14.0 is not on record; the newest before it that is, is 2.13.0."),
        (
            "2.9.1",
            ("2.10.0", "2.15.0"),
            "2.9.1 is not on record; the oldest that is, is 2.10.0. Against that,",
        ),
        (
            "2.15.0.dev1+cpu",
            ("2.13.0", "2.15.0"),
            "2.15.0.dev1 is not on record; the newest before it that is,",
        ),
        (
            "2.15.0+cu126",
            ("2.15.0",),
            "2.15.0 is on record. Known before in these cases: 1 defect.",
        ),
    ],
)
def test_the_release_is_held_against_those_on_record(
    version: str, releases: tuple[str, ...], told: str
) -> None:
    assert standing(release_run(version, releases)).startswith(f"torch {told}")


@pytest.mark.parametrize(
    ("records", "changes"),
    [
        ([], "no known defect is gone and no check newly fails."),
        ([RIGHT], "1 known defect is gone and no check newly fails."),
        ([STILL], "no known defect is gone and no check newly fails."),
        ([RIGHT, STILL], "1 known defect is gone in part and no check newly fails."),
        ([RECORD], "no known defect is gone and 1 check of 1 case newly fails."),
    ],
)
def test_what_has_changed_is_counted(records: list[Record], changes: str) -> None:
    assert standing(release_run(records=records)).endswith(f". Since then {changes}")


def test_a_cause_is_one_sentence_however_many_checks_it_has() -> None:
    entries = [replace(ENTRY, case=name) for name in ("one", "two", "three", "four", "five")]
    records = [replace(RIGHT, case=entry.case) for entry in entries for _ in range(3)]
    (told,) = news(release_run(entries=entries, records=[*records, STILL]))
    assert told == (
        "gone in torch 2.16.0: the kernel divides by zero; one, two, three and 2 more gave nan, "
        "and now 15 checks agree, 1 still differs"
    )
    undefined = replace(ENTRY, kind="undefined")
    (told,) = news(release_run(entries=[undefined], records=[RIGHT]))
    assert told.startswith("gone in torch 2.16.0, known as undefined: ")
    assert told.endswith("and now 1 check agrees")
    assert news(release_run("2.15.0", entries=[undefined], records=[RIGHT])) == []


def test_entries_that_show_no_longer_are_no_known_defects_of_the_release() -> None:
    def gone(*records: Record) -> list[KnownDefect]:
        return gone_defects(release_run(records=records))

    assert gone(RIGHT) == [ENTRY]
    assert (
        gone(RIGHT, STILL) == gone(STILL) == gone() == gone(replace(RIGHT, outcome=Outcome.UNSUPPORTED)) == []
    )
    assert gone_defects(release_run("2.15.0", records=[RIGHT])) == []


def test_without_any_release_on_record_nothing_is_said(suite: Suite) -> None:
    suite.verify("--dtypes", "float32", "--cases", "smoothed")
    assert suite.run_line()["standing"] == []
    assert "on record" not in json.dumps(suite.run_line()["news"])

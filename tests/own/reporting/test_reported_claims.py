"""What the page says of a document: its name, its numbers as data, and what known defects showed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from page_reader import page_data
from report_specimens import AGREES, DEFECT, DETAIL, NUMBERS, RUN, result_of

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.jsonl import read_results
from lossproof.reporting.writing import write_reports

SHAPED = NUMBERS | {"stated": ["16"], "shape": [1], "true": ["16.0"], "by": "formula"}


def documents(folder: Path, run: Run, *records: Record) -> list[dict[str, Any]]:
    write_reports(folder, run, [result_of(*records)])
    found: list[dict[str, Any]] = page_data(folder / "report.html")["documents"]
    return found


def test_a_document_has_a_name_and_says_what_it_is_about(tmp_path: Path) -> None:
    told = {"002_76d7edb28dd97171": {"title": "a note", "about": "losses"}}
    (document,) = documents(tmp_path, replace(RUN, documents=told), AGREES)
    assert (document["title"], document["about"]) == ("a note", "losses")
    run, _ = read_results(tmp_path / "results.jsonl")
    assert run["documents"] == told


def test_a_document_that_nobody_described_goes_by_its_file(tmp_path: Path) -> None:
    (document,) = documents(tmp_path, RUN, AGREES)
    assert (document["document"], document["title"]) == ("002_76d7edb28dd97171", "")


def test_numbers_keep_their_brackets_and_say_where_they_stand(tmp_path: Path) -> None:
    records = [
        replace(AGREES, quantity=Quantity("erratum"), reduction="sum", message="a sentence", numbers=SHAPED),
        replace(AGREES, quantity=Quantity("printed:input"), message="another: 1, true 2", numbers=NUMBERS),
    ]
    (document,) = documents(tmp_path, RUN, *records)
    ((tried,),) = [claim["cases"] for claim in document["claims"]]
    assert tried["numbers"] == [
        SHAPED | {"kind": "erratum", "of": "", "reduction": "sum", "note": ""},
        NUMBERS | {"kind": "printed", "of": "input", "reduction": "mean", "note": ""},
    ]
    assert tried["messages"] == []


def test_a_number_that_is_wrong_has_a_note(tmp_path: Path) -> None:
    wrong = replace(
        AGREES, quantity=Quantity("printed"), outcome=Outcome.DISAGREE, message="off", numbers=NUMBERS
    )
    (document,) = documents(tmp_path, RUN, wrong)
    (tried,) = document["claims"][0]["cases"]
    assert tried["numbers"][0]["note"] == "off"


def test_what_cannot_be_told_in_numbers_is_told_in_words(tmp_path: Path) -> None:
    unsure = replace(
        AGREES, quantity=Quantity("printed"), outcome=Outcome.ERROR, message="the reference cannot tell"
    )
    (document,) = documents(tmp_path, RUN, unsure)
    (tried,) = document["claims"][0]["cases"]
    assert (tried["numbers"], tried["messages"]) == ([], ["the reference cannot tell"])


def test_a_claim_of_which_all_overflowed_was_not_checked(tmp_path: Path) -> None:
    (document,) = documents(tmp_path, RUN, replace(AGREES, outcome=Outcome.OVERFLOWED))
    assert [claim["verdict"] for claim in document["claims"]] == ["not checked"]


def test_a_known_defect_is_shown_with_what_came_out(tmp_path: Path) -> None:
    shown = replace(DEFECT, dtype="float16", detail=DETAIL)
    write_reports(tmp_path, RUN, [result_of(AGREES, shown, replace(shown, detail=None))])
    assert page_data(tmp_path / "report.html")["details"] == {"1": DETAIL}

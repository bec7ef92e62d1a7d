"""The page of a run: it fetches nothing, and holds all that its script shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from page_reader import column, page_data
from report_specimens import (
    AGREES,
    DEFECT,
    DETAIL,
    DISAGREES,
    ERRS,
    HOSTILE,
    NUMBERS,
    RUN,
    UNSUPPORTED,
    result_of,
)

from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reporting.summary import summary_lines
from lossproof.reporting.writing import write_faults, write_reports


class Markup(HTMLParser):
    """The tags of a page and every address that they fetch or lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_it_fetches_nothing_and_runs_only_its_own_script(tmp_path: Path) -> None:
    defect = {"case": "a", "subject": "torch.nn", "link": "https://example.org/1", "why": HOSTILE}
    hostile = replace(DISAGREES, case=HOSTILE, title=HOSTILE, loss=HOSTILE, subject=HOSTILE, message=HOSTILE)
    run = replace(RUN, known_defects=[defect], problems=[HOSTILE], machine={HOSTILE: HOSTILE})
    write_reports(tmp_path, run, [result_of(hostile)])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    markup = Markup(page)
    icon, *others = markup.addresses
    assert icon.startswith("data:image/svg+xml,")
    assert others == ["#sections"]
    assert markup.tags.count("script") == 3
    assert "img" not in markup.tags
    assert markup.tags.count("link") == 1
    named = {
        "https://example.org/1",
        "http://www.w3.org/2000/svg",
    }  # SVG is called so; nothing is fetched
    assert set(re.findall(r"https?://[^\"'\s\\]+", page)) == named
    assert "innerHTML" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff\ufffe]", page)
    assert column(page_data(tmp_path / "report.html"), "message")[0].endswith(r"]]> @@data@@ \u003c &amp;")


def test_planted_faults_are_on_the_page_of_the_last_run_and_of_the_next(tmp_path: Path) -> None:
    write_reports(tmp_path, RUN, [result_of(AGREES, DISAGREES)])
    before = page_data(tmp_path / "report.html")
    assert before.pop("faults") is None
    told = {"cases": "0123", "faults": [{"id": "ce-weight-dropped", "mistake": HOSTILE, "kills": {}}]}
    names = {path.name for path in write_faults(tmp_path, json.dumps(told))}
    assert names == {"faults.json", "report.html"}
    again = page_data(tmp_path / "report.html")
    assert again.pop("faults")["faults"][0]["id"] == "ce-weight-dropped"
    assert again == before
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    assert page_data(tmp_path / "report.html")["faults"]["cases"] == "0123"


def test_a_broken_file_of_faults_costs_nobody_the_report(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text("{")
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    assert page_data(tmp_path / "report.html")["faults"] is None


def test_rows_hold_every_record(tmp_path: Path) -> None:
    other = replace(AGREES, case="nll-plain", loss="NLLLoss", reduction=None, source=None, flags=[])
    write_reports(tmp_path, RUN, [result_of(AGREES, DISAGREES, ERRS, other)])
    data = page_data(tmp_path / "report.html")
    assert column(data, "outcome") == ["agree", "disagree", "error", "agree"]
    assert column(data, "reduction") == ["mean", "mean", "mean", None]
    assert [case["loss"] for case in column(data, "case")] == ["CrossEntropyLoss"] * 3 + ["NLLLoss"]
    assert column(data, "share") == [0.25, 3.5e6, None, 0.25]
    assert len(data["columns"]["case"]["table"]) == 2


@pytest.mark.parametrize(
    ("records", "changes", "conforms", "words"),
    [
        (
            [AGREES, DEFECT],
            {},
            True,
            "but for known defects: in 1 case, 1 check agrees, 1 shows a known cause.",
        ),
        ([AGREES, DISAGREES, ERRS], {}, False, "of 3 checks, 1 disagrees and 1 ends in an error"),
        ([], {}, False, "Nothing was checked"),
        ([UNSUPPORTED], {}, False, "Nothing was checked"),
        ([AGREES], {"complete": False}, False, "does not count as passed"),
        ([AGREES], {"problems": ["An entry matches nothing."]}, False, "does not count as passed"),
    ],
)
def test_the_verdict(
    tmp_path: Path, records: list[Record], changes: dict[str, Any], conforms: bool, words: str
) -> None:
    run = replace(RUN, **changes)
    results = [result_of(*records)]
    paths = write_reports(tmp_path, run, results)
    verdict = page_data(tmp_path / "report.html")["verdict"]
    assert verdict["conforms"] is conforms
    assert words in verdict["sentence"]
    assert words in summary_lines(run, results, paths)[0]


def test_failures_are_grouped_and_capped(tmp_path: Path) -> None:
    failing = [replace(DISAGREES, case=f"case-{number // 10}") for number in range(3000)]
    write_reports(tmp_path, RUN, [result_of(*failing)])
    data = page_data(tmp_path / "report.html")
    assert (data["failures"]["cases"], data["failures"]["checks"]) == (300, 3000)
    (loss,) = data["failures"]["losses"]
    assert (loss["loss"], loss["cases"], loss["checks"]) == ("CrossEntropyLoss", 300, 3000)
    assert len(loss["shown"]) == 200
    assert {case["checks"] for case in loss["shown"]} == {10}
    drawn = [place for case in loss["shown"] for places in case["rows"] for place in places]
    assert len(drawn) >= 200
    assert all(data["details"][str(place)] == DETAIL for place in drawn)


def test_no_loss_is_crowded_out_by_the_failures_of_another(tmp_path: Path) -> None:
    many = [replace(DISAGREES, case=f"ce-{number}") for number in range(300)]
    few = [replace(DISAGREES, case=f"mse-{number}", loss="MSELoss") for number in range(3)]
    write_reports(tmp_path, RUN, [result_of(*many, *few)])
    losses = page_data(tmp_path / "report.html")["failures"]["losses"]
    assert [(loss["loss"], len(loss["shown"])) for loss in losses] == [
        ("CrossEntropyLoss", 100),
        ("MSELoss", 3),
    ]


def test_a_case_has_one_card_and_subjects_that_fail_alike_share_a_check(tmp_path: Path) -> None:
    function = replace(DISAGREES, subject="torch.nn.functional")
    other = replace(function, dtype="float64", layout="strided", error_over_budget=1.23456e7)
    write_reports(tmp_path, RUN, [result_of(DISAGREES, function, other)])
    (loss,) = page_data(tmp_path / "report.html")["failures"]["losses"]
    (case,) = loss["shown"]
    assert case["subjects"] == ["torch.nn", "torch.nn.functional"]
    assert case["dtypes"] == ["float32", "float64"]
    assert case["rows"] == [[0, 1], [2]]
    assert (case["checks"], case["outcomes"]) == (3, {"disagree": 3})
    assert (case["layouts"], case["share"]) == (["contiguous", "strided"], 1.235e7)


def test_the_most_typical_case_comes_first(tmp_path: Path) -> None:
    def failing(case: str, quantity: str, elements: int) -> Record:
        element = {"at": [], "expected": "1", "observed": "2", "share": 1e6, "ulp": 1e6}
        detail = DETAIL | {"elements": [element] * elements}
        return replace(DISAGREES, case=case, quantity=Quantity(quantity), detail=detail)

    records = [
        failing("one way", "halved_weights", 1),
        failing("many numbers", "value", 45),
        failing("one number", "vjp:input", 1),
        *[failing("many checks", quantity, 9) for quantity in ("differs_from", "value")],
    ]
    write_reports(tmp_path, RUN, [result_of(*records)])
    (loss,) = page_data(tmp_path / "report.html")["failures"]["losses"]
    # The numbers of a call come before what compares it, in a card, too.
    assert [case["rows"] for case in loss["shown"]] == [[[4], [3]], [[2]], [[1]], [[0]]]


def test_claims_come_in_order_with_their_verdicts(tmp_path: Path) -> None:
    erratum = {"kind": "erratum", "says": "no 1/N", "because": "the default is the mean"}
    drifted = {"kind": "drifted", "says": "8", "because": "14 since 2.0"}
    printed = replace(AGREES, quantity=Quantity("printed"), message="printed", numbers=NUMBERS)

    def claim(record: Record, name: str, **changes: Any) -> Record:
        return replace(record, source={"document": "d", "place": "1", "claim": name}, **changes)

    records = [
        claim(printed, "D-10"),
        claim(AGREES, "D-2", finding=erratum),
        claim(AGREES, "D-1", finding=drifted),
        claim(DISAGREES, "D-3", finding=erratum),
        claim(UNSUPPORTED, "D-4"),
        claim(DEFECT, "D-5"),
        claim(AGREES, "D-3"),
    ]
    write_reports(tmp_path, RUN, [result_of(*records)])
    (document,) = page_data(tmp_path / "report.html")["documents"]
    assert [(item["claim"], item["verdict"]) for item in document["claims"]] == [
        ("D-1", "drifted"),
        ("D-2", "erratum"),
        ("D-3", "contradicted"),
        ("D-4", "not checked"),
        ("D-5", "known defect"),
        ("D-10", "confirmed"),
    ]
    assert [case["finding"] for case in document["claims"][1]["cases"]] == [erratum]
    assert document["claims"][2]["by"] == ["torch.nn"]
    given = {"on": ["torch.nn", "float32", "mean", "gradient:input"], "message": "off by 0.2428"}
    assert [case["given"] for case in document["claims"][2]["cases"]] == [given]
    (tried,) = document["claims"][5]["cases"]
    (number,) = tried["numbers"]
    assert number == NUMBERS | {"kind": "printed", "of": "", "reduction": "mean", "note": ""}


def test_a_case_is_explained_in_each_reduction_and_first_in_the_most_instructive(tmp_path: Path) -> None:
    def worked(reduction: str, **changes: Any) -> Record:
        steps = {"steps": f"steps of {reduction}", "inputs": "input = 1"}
        return replace(AGREES, subject="reference", reduction=reduction, detail=steps, **changes)

    curve = {"argument": "input", "at": [0], "here": 0.5, "x": [0, 1], "truth": ["nan", 1]}
    records = [
        *(worked(reduction, case="plain") for reduction in ("none", "mean", "sum")),
        *(worked(reduction, case="printed") for reduction in ("none", "mean", "sum")),
        replace(AGREES, case="printed", quantity=Quantity("printed"), reduction="sum"),
        *(worked(reduction, case="wrong") for reduction in ("none", "mean", "sum")),
        replace(AGREES, case="wrong", quantity=Quantity("printed"), reduction="mean"),
        replace(AGREES, case="wrong", quantity=Quantity("erratum"), reduction="none"),
        replace(AGREES, case="drawn", detail={"curve": curve}),
        replace(AGREES, case="silent"),
    ]
    write_reports(tmp_path, RUN, [result_of(*records)])
    explained = page_data(tmp_path / "report.html")["explained"]
    assert {case: told["reduction"] for case, told in explained.items() if "calls" in told} == {
        "plain": "mean",
        "printed": "sum",
        "wrong": "none",
    }
    steps = {reduction: call["steps"] for reduction, call in explained["plain"]["calls"].items()}
    assert steps == {reduction: f"steps of {reduction}" for reduction in ("none", "mean", "sum")}
    assert explained["plain"]["inputs"] == "input = 1"
    assert explained["drawn"]["curve"] == curve | {"subject": "torch.nn"}
    assert "silent" not in explained


def test_the_elements_of_a_failure_arrive_as_data(tmp_path: Path) -> None:
    elements = [{"at": [0, 2], "expected": "1.31326", "observed": "1.3132", "share": "inf", "ulp": None}]
    detail = DETAIL | {"elements": elements, "curve": {}}
    write_reports(tmp_path, RUN, [result_of(replace(DISAGREES, detail=detail))])
    (shown,) = page_data(tmp_path / "report.html")["details"].values()
    errors = {"kind": "difference", "texts": ["-6e-05"]}
    assert shown == DETAIL | {"elements": elements, "errors": errors}


def test_lost_digits_are_listed_by_subject_and_dtype(tmp_path: Path) -> None:
    lost = replace(AGREES, loses_digits=True)
    worse = replace(lost, error_over_budget=0.75, ulps=[5000.0, 0.5])
    records = [AGREES, lost, worse, replace(lost, dtype="float64")]
    write_reports(tmp_path, RUN, [result_of(*records)])
    (case,) = page_data(tmp_path / "report.html")["lost_digits"]
    # 5,000 units in the last place are 10,000 times as far off as a rounding may be: four digits.
    assert [(use["dtype"], use["share"], use["lost"], use["of"]) for use in case["uses"]] == [
        ("float32", 0.75, 4.0, 7.2),
        ("float64", 0.25, None, None),
    ]


def test_a_hundred_thousand_records_stay_small(tmp_path: Path) -> None:
    def record(number: int) -> Record:
        return replace(
            AGREES,
            case=f"cross-entropy-case-{number // 20}",
            title=f"the title of case {number // 20} is as long as titles of cases usually are",
            dtype=("float64", "float32", "bfloat16", "float16")[number % 4],
            error_over_budget=(number * 7919 % 100_003) / 100_003,
            message=f"printed 0.{number}, true 0.{number}1234" if number % 20 == 0 else "",
        )

    write_reports(tmp_path, RUN, [result_of(*map(record, range(100_000)))])
    assert (tmp_path / "report.html").stat().st_size < 8_000_000
    assert len(column(page_data(tmp_path / "report.html"), "share")) == 100_000

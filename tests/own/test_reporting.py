"""The reports of made-up runs, read back as their readers read them."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import junitparser
import pytest

from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting import ReportError, read_results, summary_lines, write_faults, write_reports

REPORTS = ["report.html", "junit.xml", "results.jsonl"]

AGREES = Record(
    case="ce-weighted-mean",
    title="the weighted mean divides by the sum of the picked weights",
    loss="CrossEntropyLoss",
    subject="torch.nn",
    dtype="float32",
    device="cpu",
    layout="contiguous",
    reduction="mean",
    quantity=Quantity("value"),
    outcome=Outcome.AGREE,
    error_over_budget=0.25,
    source={"document": "002_76d7edb28dd97171", "place": "2, CE", "claim": "D002-6"},
    file="cases/losses/cross_entropy.yaml",
    line=12,
    flags=["MeanDenominator"],
)
NUMBERS = {
    "stated": ["0.5224"],
    "shape": [],
    "true": ["0.52237254"],
    "true_shape": [],
    "dtype": "",
    "by": "document",
}
DETAIL = {
    "inputs": "input = [[1, 2]]",
    "params": "weight = [1, 2]",
    "expected": "0.3642",
    "observed": "0.6070",
    "why": "mean divides by the picked weights' sum",
    "snippet": "import torch\nprint(torch.nn.CrossEntropyLoss())",
}
DISAGREES = replace(
    AGREES,
    outcome=Outcome.DISAGREE,
    error_over_budget=3.5e6,
    message="off by 0.2428",
    detail=DETAIL,
    quantity=Quantity("gradient:input"),
)
ERRS = replace(
    AGREES, outcome=Outcome.ERROR, error_over_budget=None, message="RuntimeError: no kernel", detail=DETAIL
)
UNSUPPORTED = replace(
    AGREES, outcome=Outcome.UNSUPPORTED, error_over_budget=None, message="no float16 on this device"
)
DEFECT = replace(
    AGREES, outcome=Outcome.KNOWN_DEFECT, error_over_budget=math.inf, message="gives nan, should give inf"
)

RUN = Run(
    versions={"python": "3.11.7", "torch": "2.13.0"},
    tested=["torch"],
    machine={"platform": "Linux", "cpu_count": 2},
    options={"subjects": ["torch.nn"], "dtypes": None},
    complete=True,
    problems=[],
    known_defects=[],
    started="2026-01-02T03:04:05+00:00",
    seconds=1.5,
)

HOSTILE = (
    '</script><img src=x onerror="alert(1)"> <!-- '
    "\x1b[2J\x00\ud800\ufffe\u202egnp.exe ]]> @@data@@ \\u003c &amp;"
)


def result_of(*records: Record, name: str = "a", line: int = 12) -> TestResult:
    return TestResult(
        f"test_case[{name}]", "ce-weighted-mean", "cases/losses/cross_entropy.yaml", line, 0.25, records
    )


def page_data(path: Path) -> dict[str, Any]:
    """Return the data in a page as a browser finds them: what stands in it plainly, and what is packed."""
    page = path.read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(script(page, "data"), parse_constant=reject)
    packed = zlib.decompress(base64.b64decode(script(page, "packed"), validate=True))
    return {**data, **json.loads(packed, parse_constant=reject)}


def script(page: str, name: str) -> str:
    """Return the text of a script element as a browser finds it: up to the first end of a script."""
    start = page.index(f'id="{name}">') + len(f'id="{name}">')
    return page[start : page.index("</script", start)]


def reject(literal: str) -> NoReturn:
    raise AssertionError(f"{literal} is not strict JSON")


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


def column(data: dict[str, Any], name: str) -> list[Any]:
    return [data["columns"][name]["table"][place] for place in data["columns"][name]["rows"]]


class TestJsonLines:
    def test_records_come_back_as_they_were(self, tmp_path: Path) -> None:
        hostile = replace(DISAGREES, title=HOSTILE, message="two\nlines\u2028three")
        records = [AGREES, hostile, ERRS, UNSUPPORTED, DEFECT]
        write_reports(tmp_path, RUN, [result_of(*records)])
        run, rows = read_results(tmp_path / "results.jsonl")
        assert rows == [{"test": "test_case[a]", **asdict(record)} for record in records]
        assert {name: run[name] for name in asdict(RUN)} == asdict(RUN)
        assert run["counts"] == {
            "agree": 1,
            "overflowed": 0,
            "other convention": 0,
            "changed convention": 0,
            "disagree": 1,
            "error": 1,
            "unsupported": 1,
            "known defect": 1,
        }

    @pytest.mark.parametrize("share", [math.inf, math.nan])
    def test_non_finite_numbers_are_strings_in_strict_json(self, tmp_path: Path, share: float) -> None:
        run = replace(RUN, machine={"load": share}, known_defects=[{"case": "a", "observed": [-math.inf]}])
        write_reports(tmp_path, run, [result_of(replace(DISAGREES, error_over_budget=share))])
        lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
        first, record = (json.loads(line, parse_constant=reject) for line in lines)
        assert record["error_over_budget"] == str(share)
        assert first["run"]["machine"]["load"] == str(share)
        assert first["run"]["known_defects"][0]["observed"] == ["-inf"]
        (row,) = read_results(tmp_path / "results.jsonl")[1]
        assert str(row["error_over_budget"]) == str(share)
        assert isinstance(row["error_over_budget"], float)
        assert column(page_data(tmp_path / "report.html"), "share") == [str(share)]

    def test_two_runs_differ_in_the_first_line_only(self, tmp_path: Path) -> None:
        tests = [
            result_of(AGREES, name="a"),
            result_of(DISAGREES, name="b"),
            result_of(UNSUPPORTED, name="c", line=3),
        ]
        later = replace(RUN, started="2026-02-02T00:00:00+00:00", seconds=9.0)
        slower = [replace(test, seconds=7.0) for test in reversed(tests)]
        write_reports(tmp_path / "one", RUN, tests)
        write_reports(tmp_path / "two", later, slower)
        one, two = ((tmp_path / name / "results.jsonl").read_text().splitlines() for name in ("one", "two"))
        assert one[0] != two[0]
        assert one[1:] == two[1:]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", r":1: the first line should describe the run"),
            ('{"test": "a"}\n', r":1: the first line should describe the run"),
            ('{"run": {}}\n{"test": ', r":2: not a line of JSON"),
            ('{"run": {}}\n[]\n', r":2: each line should be an object"),
            ('{"run": {}}\n{"test": "a", "colour": 1}\n', r":2: unknown or missing fields: .*colour"),
        ],
    )
    def test_a_broken_file_is_named_with_its_line(self, tmp_path: Path, text: str, complaint: str) -> None:
        path = tmp_path / "results.jsonl"
        path.write_text(text)
        with pytest.raises(ReportError, match=complaint):
            read_results(path)

    def test_an_unknown_outcome_is_named_with_its_line(self, tmp_path: Path) -> None:
        write_reports(tmp_path, RUN, [result_of(AGREES)])
        path = tmp_path / "results.jsonl"
        path.write_text(path.read_text().replace('"outcome": "agree"', '"outcome": "perhaps"'))
        with pytest.raises(ReportError, match=":2: unknown outcome 'perhaps'"):
            read_results(path)

    def test_a_missing_file_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(ReportError, match="cannot be read"):
            read_results(tmp_path / "results.jsonl")


class TestJUnit:
    def read(self, folder: Path, run: Run, results: Sequence[TestResult]) -> dict[str, ElementTree.Element]:
        """Return the test cases by name, having checked the totals with a reader of its own."""
        write_reports(folder, run, results)
        root = ElementTree.parse(folder / "junit.xml").getroot()
        cases = {case.attrib["name"]: case for case in root.iter("testcase")}
        parsed = junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))
        (suite,) = parsed
        own = (suite.tests, suite.failures, suite.errors, suite.skipped)
        assert own == (parsed.tests, parsed.failures, parsed.errors, parsed.skipped)
        suite.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has no type for it
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == own
        assert len(cases) == suite.tests  # names are unique
        return cases

    def test_each_outcome_has_its_element(self, tmp_path: Path) -> None:
        tests = [
            result_of(AGREES, UNSUPPORTED, name="agree"),
            result_of(AGREES, DISAGREES, name="disagree"),
            result_of(AGREES, ERRS, name="error"),
            result_of(DISAGREES, ERRS, name="both"),
            result_of(UNSUPPORTED, UNSUPPORTED, name="unsupported"),
            result_of(AGREES, DEFECT, name="defect"),
            result_of(name="empty"),
        ]
        cases = self.read(tmp_path, RUN, tests)
        children = {name[10:-1]: [child.tag for child in case] for name, case in cases.items()}
        assert children == {
            "agree": [],
            "disagree": ["failure"],
            "error": ["error"],
            "both": ["failure"],
            "unsupported": ["skipped"],
            "defect": ["system-out"],
            "empty": ["error"],
        }
        assert cases["test_case[unsupported]"][0].attrib["message"] == UNSUPPORTED.message
        assert "ce-weighted-mean" in (cases["test_case[defect]"][0].text or "")
        assert "RuntimeError: no kernel" in (cases["test_case[both]"][0].text or "")

    def test_a_failure_holds_what_a_log_reader_needs(self, tmp_path: Path) -> None:
        cases = self.read(tmp_path, RUN, [result_of(DISAGREES)])
        case = cases["test_case[a]"]
        assert case.attrib == {
            "classname": "lossproof.CrossEntropyLoss",
            "name": "test_case[a]",
            "time": "0.250",
            "file": "cases/losses/cross_entropy.yaml",
            "line": "12",
        }
        assert case[0].attrib["type"] == "disagree"
        for part in ("off by 0.2428", "0.3642", "0.6070", "import torch", "cross_entropy.yaml:12", "3.5e+06"):
            assert part in (case[0].text or "")

    def test_problems_and_interruptions_fail(self, tmp_path: Path) -> None:
        run = replace(
            RUN, complete=False, problems=["The entry matches nothing.", "The entry matches nothing."]
        )
        cases = self.read(tmp_path, run, [result_of(AGREES)])
        failed = [case for case in cases.values() if case.find("failure") is not None]
        assert len(failed) == 3
        assert {case.attrib["classname"] for case in failed} == {"lossproof.run"}

    def test_characters_that_xml_forbids_are_shown(self, tmp_path: Path) -> None:
        hostile = replace(DISAGREES, loss=HOSTILE, message=HOSTILE, detail={**DETAIL, "observed": HOSTILE})
        test = replace(result_of(hostile), id=HOSTILE, file=HOSTILE)
        run = replace(RUN, problems=[HOSTILE], versions={"torch": HOSTILE})
        for case in self.read(tmp_path, run, [test]).values():
            assert all(
                sign in case.attrib["name"] for sign in (r"\x1b[2J\x00\ud800\ufffe\u202e", "</script><img")
            )

    def test_versions_are_properties(self, tmp_path: Path) -> None:
        self.read(tmp_path, RUN, [result_of(AGREES)])
        properties = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("property")
        assert {item.attrib["name"]: item.attrib["value"] for item in properties} == RUN.versions

    def test_an_empty_run_is_a_suite_without_tests(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, RUN, []) == {}


class TestPage:
    def test_it_fetches_nothing_and_runs_only_its_own_script(self, tmp_path: Path) -> None:
        defect = {"case": "a", "subject": "torch.nn", "link": "https://example.org/1", "why": HOSTILE}
        hostile = replace(
            DISAGREES, case=HOSTILE, title=HOSTILE, loss=HOSTILE, subject=HOSTILE, message=HOSTILE
        )
        run = replace(RUN, known_defects=[defect], problems=[HOSTILE], machine={HOSTILE: HOSTILE})
        write_reports(tmp_path, run, [result_of(hostile)])
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        markup = Markup(page)
        assert markup.addresses == []
        assert markup.tags.count("script") == 3
        assert "img" not in markup.tags
        assert "link" not in markup.tags
        named = {
            "https://example.org/1",
            "http://www.w3.org/2000/svg",
        }  # SVG is called so; nothing is fetched
        assert set(re.findall(r"https?://[^\"'\s\\]+", page)) == named
        assert "innerHTML" not in page
        assert "@import" not in page
        assert "url(" not in page
        assert "default-src 'none'; style-src 'sha256-" in page
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff\ufffe]", page)
        assert column(page_data(tmp_path / "report.html"), "message")[0].endswith(
            r"]]> @@data@@ \u003c &amp;"
        )

    def test_planted_faults_are_on_the_page_of_the_last_run_and_of_the_next(self, tmp_path: Path) -> None:
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

    def test_a_broken_file_of_faults_costs_nobody_the_report(self, tmp_path: Path) -> None:
        (tmp_path / "faults.json").write_text("{")
        write_reports(tmp_path, RUN, [result_of(AGREES)])
        assert page_data(tmp_path / "report.html")["faults"] is None

    def test_rows_hold_every_record(self, tmp_path: Path) -> None:
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
        self, tmp_path: Path, records: list[Record], changes: dict[str, Any], conforms: bool, words: str
    ) -> None:
        run = replace(RUN, **changes)
        results = [result_of(*records)]
        paths = write_reports(tmp_path, run, results)
        verdict = page_data(tmp_path / "report.html")["verdict"]
        assert verdict["conforms"] is conforms
        assert words in verdict["sentence"]
        assert words in summary_lines(run, results, paths)[0]

    def test_failures_are_grouped_and_capped(self, tmp_path: Path) -> None:
        failing = [replace(DISAGREES, case=f"case-{number // 10}") for number in range(3000)]
        write_reports(tmp_path, RUN, [result_of(*failing)])
        data = page_data(tmp_path / "report.html")
        assert (data["failures"]["groups"], data["failures"]["checks"]) == (300, 3000)
        assert len(data["failures"]["shown"]) == 200
        assert {group["checks"] for group in data["failures"]["shown"]} == {10}
        assert all(
            data["details"][str(row)] == DETAIL
            for group in data["failures"]["shown"]
            for row in group["rows"]
        )

    def test_claims_come_in_order_with_their_verdicts(self, tmp_path: Path) -> None:
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
        (tried,) = document["claims"][5]["cases"]
        (number,) = tried["numbers"]
        assert number == NUMBERS | {"kind": "printed", "of": "", "reduction": "mean", "note": ""}

    def test_a_case_is_explained_once_in_its_most_instructive_reduction(self, tmp_path: Path) -> None:
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
            replace(AGREES, case="drawn", detail={"curve": json.dumps(curve)}),
            replace(AGREES, case="silent"),
        ]
        write_reports(tmp_path, RUN, [result_of(*records)])
        explained = page_data(tmp_path / "report.html")["explained"]
        assert {case: told["steps"] for case, told in explained.items() if "steps" in told} == {
            "plain": "steps of mean",
            "printed": "steps of sum",
            "wrong": "steps of none",
        }
        assert explained["plain"]["inputs"] == "input = 1"
        assert explained["drawn"]["curve"] == curve | {"subject": "torch.nn"}
        assert "silent" not in explained

    def test_the_elements_of_a_failure_arrive_as_data(self, tmp_path: Path) -> None:
        elements = [{"at": [0, 2], "expected": "1.31326", "observed": "1.3132", "share": "inf", "ulp": None}]
        detail = DETAIL | {"elements": json.dumps(elements), "curve": "{}"}
        write_reports(tmp_path, RUN, [result_of(replace(DISAGREES, detail=detail))])
        (shown,) = page_data(tmp_path / "report.html")["details"].values()
        assert shown == DETAIL | {"elements": elements}

    def test_lost_digits_are_listed_by_subject_and_dtype(self, tmp_path: Path) -> None:
        lost = replace(AGREES, loses_digits=True)
        records = [AGREES, lost, replace(lost, error_over_budget=0.75), replace(lost, dtype="float64")]
        write_reports(tmp_path, RUN, [result_of(*records)])
        (case,) = page_data(tmp_path / "report.html")["lost_digits"]
        assert [(use["dtype"], use["share"]) for use in case["uses"]] == [
            ("float32", 0.75),
            ("float64", 0.25),
        ]

    def test_a_hundred_thousand_records_stay_small(self, tmp_path: Path) -> None:
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


class TestSummary:
    def test_it_counts_and_names_the_worst(self) -> None:
        results = [result_of(AGREES, DISAGREES, DEFECT, replace(AGREES, subject="mine"))]
        run = replace(RUN, complete=False, problems=["An entry matches nothing."])
        lines = summary_lines(run, results, [Path("reports/report.html")])
        assert (
            "2 agree, 0 overflowed, 0 other convention, 0 changed convention, 1 disagree, 0 error, "
            "0 unsupported, 1 known defect"
        ) in lines
        text = "\n".join(lines)
        assert re.search(r"mine +0\.25 .*value", text)
        assert re.search(r"torch\.nn +3\.5e\+06 .*gradient:input", text)
        assert "interrupted" in text
        assert "An entry matches nothing." in text
        assert "reports/report.html" in text

    def test_a_grade_is_no_share_of_a_budget(self) -> None:
        graded = replace(AGREES, quantity=Quantity("double_backward:input"), error_over_budget=2e15)
        lines = "\n".join(summary_lines(RUN, [result_of(AGREES), result_of(graded)], []))
        assert "0.25" in lines
        assert "2e+15" not in lines

    def test_nothing_reaches_the_terminal_unseen(self) -> None:
        hostile = replace(AGREES, case=HOSTILE, subject="a\nb\x1b[31m")
        for line in summary_lines(replace(RUN, problems=[HOSTILE]), [result_of(hostile)], []):
            assert line.encode("utf-8").decode().isprintable()

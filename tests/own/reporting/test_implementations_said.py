"""What implementations say of themselves, such as where their defects are reported, is in the reports."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path
from types import MappingProxyType

from page_reader import page_data
from report_specimens import AGREES, RUN, result_of
from repository import whole_corpus

from lossproof.adapters.functions import FunctionTable
from lossproof.reporting.jsonl import read_results
from lossproof.reporting.writing import write_reports
from lossproof.running.collection import RunReports
from lossproof.running.selection import Selection
from lossproof.subjects.reference.subject import ReferenceSubject
from lossproof.subjects.subject import Subject

SAID = {
    "losses-in-c": {"language": "C", "tracker": ""},
    "optax": {"language": "", "tracker": "https://example.org/issues"},
    "both": {"language": "Zig", "tracker": "https://example.org/zig"},
}


def test_the_reports_say_it(tmp_path: Path) -> None:
    write_reports(tmp_path, replace(RUN, implementations=SAID), [result_of(AGREES)])
    assert page_data(tmp_path / "report.html")["run"]["implementations"] == SAID
    assert read_results(tmp_path / "results.jsonl")[0]["implementations"] == SAID
    text = unescape((tmp_path / "summary.md").read_text(encoding="utf-8"))
    assert "\nlosses-in-c: C\n" in text
    assert "\noptax: defects are reported at <code>https://example.org/issues</code>\n" in text
    assert "\nboth: Zig, defects are reported at <code>https://example.org/zig</code>\n" in text


def test_a_run_of_torch_alone_says_nothing(tmp_path: Path) -> None:
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    assert "defects are reported" not in (tmp_path / "summary.md").read_text(encoding="utf-8")


class Mine(FunctionTable):
    name = "mine"
    library = "numpy"
    table = MappingProxyType({"L1Loss": lambda input, target: abs(input - target)})


def test_the_releases_of_torch_are_no_matter_of_other_implementations(tmp_path: Path) -> None:
    subjects: list[tuple[Subject, bool]] = [(ReferenceSubject(), True), (Mine(), False)]
    for subject, is_told in subjects:
        selection = Selection((), {subject.name: subject}, ("float64",), "cpu")
        reports = RunReports(tmp_path, whole_corpus(), selection, {}, history={"releases": ["2.13"]})
        reports.finish(complete=True)
        reports.write()
        assert (page_data(tmp_path / "report.html")["history"] is not None) is is_told

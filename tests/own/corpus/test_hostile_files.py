"""Case files that nobody wrote in good faith: each is refused in a sentence, soon, and all at once."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from corpus_mistakes import CASE, HOSTILE
from suite_runs import Suite


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


def test_a_title_that_is_a_program_is_text_in_every_report(suite: Suite) -> None:
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

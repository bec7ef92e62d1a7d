"""A mistake in a case file reaches the user as its complaint and exit status 2, whatever the mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_mistakes import LINES
from corpus_specimens import IN_ORDER

from lossproof.command_line.app import main


@pytest.mark.parametrize(("line", "complaint"), LINES, ids=[line[:60] for line, _ in LINES])
def test_a_malformed_case_ends_with_2_and_its_complaint(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, complaint: str
) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "mine.yaml").write_text(f"{IN_ORDER}    {line}\n")
    status = main(["verify", "--corpus", str(cases), "--reports", str(tmp_path / "reports")])
    said = capfd.readouterr().err
    assert status == 2
    assert "cases/mine.yaml:6: [one]" in said
    assert complaint in said
    assert "Traceback" not in said
    assert not (tmp_path / "reports").exists()

"""``compare``: the differences between two runs."""

from __future__ import annotations

from pathlib import Path

from lossproof.command_line.terminal import BAD, GOOD, HEADING, Mistake, progress, say
from lossproof.reporting.comparison import compare_files
from lossproof.reporting.comparison_text import comparison_lines
from lossproof.reporting.files import ReportError


def compare(old: Path, new: Path) -> bool:
    """Write the differences between two runs, and return whether nothing got worse."""
    try:
        with progress("reading the runs"):
            comparison = compare_files(old, new)
    except ReportError as error:
        raise Mistake(str(error)) from error
    is_good = comparison.status == 0
    verdict, *rest = comparison_lines(comparison)
    say(verdict, GOOD if is_good else BAD)
    for line in rest:
        say(line, HEADING if line.endswith(":") else "")
    return is_good

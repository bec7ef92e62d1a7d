"""``python -m lossproof.history``: put runs on several releases of torch on record, and write their table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.files import HISTORY
from lossproof.corpus.reading import load_corpus
from lossproof.history.explanations import read_explanations
from lossproof.history.markdown import history_markdown
from lossproof.history.release import read_releases, write_release
from lossproof.history.summing_up import summed_up
from lossproof.history.table import table_of
from lossproof.reporting.files import ReportError, write_whole
from lossproof.selection import signatures


def main(arguments: Sequence[str] | None = None) -> int:
    """Put on record what was asked for, and write the table; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m lossproof.history", description=__doc__)
    parser.add_argument(
        "--from",
        dest="reports",
        type=Path,
        action="append",
        default=[],
        help="the folder of the reports of a run that is there",
    )
    parser.add_argument("--corpus", type=Path, default=Path("cases"), help="the case files (default: cases)")
    options = parser.parse_args(arguments)
    folder = options.corpus / HISTORY
    try:
        entries = load_corpus(options.corpus, signatures()).known_defects
        for reports in options.reports:
            print(write_release(folder, summed_up(reports, entries)))
        table = table_of(read_releases(folder), entries, read_explanations(folder))
        for path in write_whole(folder, {"README.md": history_markdown(table)}):
            print(path)
    except (CorpusError, ReportError) as mistake:
        print(mistake, file=sys.stderr)
        return 2
    for problem in table.problems:
        print(problem)
    return 1 if table.problems else 0


if __name__ == "__main__":
    sys.exit(main())

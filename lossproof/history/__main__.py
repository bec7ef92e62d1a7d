"""``python -m lossproof.history``: put runs on several releases of torch on record."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.reading import load_corpus
from lossproof.history.release import write_release
from lossproof.history.summing_up import summed_up
from lossproof.reporting.files import ReportError
from lossproof.selection import signatures


def main(arguments: Sequence[str] | None = None) -> int:
    """Put on record what was asked for; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m lossproof.history", description=__doc__)
    parser.add_argument(
        "--from",
        dest="reports",
        type=Path,
        action="append",
        default=[],
        help="the reports of a run that is there",
    )
    parser.add_argument("--corpus", type=Path, default=Path("cases"), help="the case files (default: cases)")
    options = parser.parse_args(arguments)
    try:
        corpus = load_corpus(options.corpus, signatures())
        for reports in options.reports:
            print(write_release(options.corpus / "history", summed_up(reports, corpus.known_defects)))
    except (CorpusError, ReportError) as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

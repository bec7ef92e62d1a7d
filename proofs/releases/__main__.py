"""``python -m proofs.releases``: put runs on several releases of torch on record, and write their table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from packaging.version import InvalidVersion, Version

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.files import HISTORY
from lossproof.corpus.reading import load_corpus
from lossproof.history.on_record import read_table
from lossproof.reporting.files import ReportError, write_whole
from lossproof.reporting.text import count
from proofs.releases.markdown import history_markdown
from proofs.releases.running import InstallationError, run_on
from proofs.releases.summary import summarize, write_release


def main(arguments: Sequence[str] | None = None) -> int:
    """Put the requested runs on record, and write the table; 0 if nothing is wrong."""
    options = _parser().parse_args(arguments)
    try:
        entries = load_corpus(options.corpus).known_defects
        problems = [problem for release in options.releases for problem in _run(release, options, entries)]
        for reports in options.reports:
            problems += _put_on_record(reports, options.corpus, entries)
        folder = options.corpus / HISTORY
        table = read_table(folder, entries)
        for path in write_whole(folder, {"README.md": history_markdown(table)}):
            print(path)
    except (CorpusError, ReportError) as error:
        print(error, file=sys.stderr)
        return 2
    problems += table.problems
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m proofs.releases", description=__doc__)
    parser.add_argument(
        "releases",
        nargs="*",
        type=_release,
        help="of torch, such as 2.6.0: each is installed in a temporary folder (TMPDIR says where; it takes "
        "5 GB), run, and removed again; by uv where there is one, else by pip, with the settings of each",
    )
    parser.add_argument(
        "--from",
        dest="reports",
        type=Path,
        action="append",
        default=[],
        help="the folder of the reports of a run that is there",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument("--corpus", type=Path, default=Path("cases"), help="the case files (default: cases)")
    return parser


def _release(text: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion:
        raise argparse.ArgumentTypeError(f"'{text}' is no release; name one like 2.6.0") from None


def _run(release: str, options: argparse.Namespace, entries: Sequence[KnownDefect]) -> list[str]:
    """Run the suite on a release; return what is wrong with it."""
    print(f"torch {release}", flush=True)
    try:
        with run_on(release, options.corpus, options.workers) as (status, reports):
            problems = _put_on_record(reports, options.corpus, entries)
    except (InstallationError, ReportError) as problem:
        return [str(problem)]
    if status and not problems:
        return [f"torch {release}: the run ended with status {status}, though none of its checks fails"]
    return problems


def _put_on_record(reports: Path, corpus: Path, entries: Sequence[KnownDefect]) -> list[str]:
    release = summarize(reports, entries)
    path = write_release(corpus / HISTORY, release)
    print(path, flush=True)
    if not release.failing:
        return []
    failing = sum(release.failing.values())
    failures = f"{count(failing, 'check')} of {count(len(release.failing), 'case')}"
    return [
        f"torch {release.torch}: {failures} {'fails' if failing == 1 else 'fail'}; {path} names the cases"
    ]


def _end(number: int, frame: object) -> NoReturn:
    """Exit in an orderly way, so that the installed release is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.exit(main())

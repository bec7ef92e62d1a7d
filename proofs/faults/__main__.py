"""``python -m proofs.faults``: plant every fault of the catalogue, and see which case catches it."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence, Sized
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.files import HISTORY
from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.history.on_record import as_data, read_table
from lossproof.reporting.files import ReportError
from lossproof.reporting.text import count
from lossproof.reporting.writing import last_run, write_faults
from proofs.faults.catalogue import FAULTS
from proofs.faults.fault import Fault
from proofs.faults.findings import Findings, by_loss
from proofs.faults.matrix import Kill, documenting
from proofs.faults.processes import search_all
from proofs.faults.records import faults_json, read_pytorch

_MOST_SHOWN = 50
_PYTORCH = Path(__file__).parents[1] / "yardstick/pytorch_own_tests.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, print the findings, and write them into the report; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m proofs.faults", description=__doc__)
    parser.add_argument(
        "faults", nargs="*", help="ids of faults, or losses, as shell patterns (default: all)"
    )
    parser.add_argument("--full", action="store_true", help="every fault on every case of its loss")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    parser.add_argument("--corpus", type=Path, default=Path("cases"), help="the case files (default: cases)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="(default: reports)")
    options = parser.parse_args(arguments)
    faults = [fault for fault in FAULTS.values() if _is_wanted(fault, options.faults)]
    if not faults:
        print(f"no fault and no loss matches {' '.join(options.faults)}", file=sys.stderr)
        return 2
    try:
        corpus = load_corpus(options.corpus)
        # Now, since reports that cannot be written should not cost a search.
        if not options.faults:
            last_run(options.reports)
        findings, seconds = _search(options.corpus, corpus, faults, options.full, options.workers)
        problems = findings.problems
        for problem in problems[:_MOST_SHOWN]:
            print(problem)
        if len(problems) > _MOST_SHOWN:
            print(f"and {len(problems) - _MOST_SHOWN} more")
        pytorch = read_pytorch(_PYTORCH)
        timestamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
        text = faults_json(findings, corpus.digest, seconds, timestamp, pytorch)
        for line in _summary(findings, seconds, pytorch):
            print(line)
        # The report has all faults, and a search for some says nothing about the others.
        if not options.faults:
            history = as_data(read_table(options.corpus / HISTORY, corpus.known_defects))
            for path in write_faults(options.reports, text, history):
                print(f"report: {path}")
    except (CorpusError, ReportError) as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return 1 if problems else 0


def _is_wanted(fault: Fault, patterns: Sequence[str]) -> bool:
    return not patterns or any(
        fnmatch(name, pattern) for pattern in patterns for name in (fault.id, fault.loss)
    )


def _search(
    root: Path, corpus: Corpus, faults: Sequence[Fault], is_full: bool, workers: int
) -> tuple[Findings, float]:
    kills: list[Kill] = []
    crashed: set[str] = set()
    unable: set[str] = set()
    inapplicable: dict[str, str] = {}
    seconds = 0.0
    faults_by_loss = by_loss(faults)
    for result in search_all(root, corpus, [fault.id for fault in faults], is_full, workers):
        kills += result.kills
        seconds += result.seconds
        unable |= result.unable.keys()
        inapplicable |= result.inapplicable
        if result.has_crashed:
            crashed.add(result.loss)
            print(f"{result.loss:32} its process ended", flush=True)
            continue
        caught, applying = (
            len({kill.fault for kill in result.kills}),
            len(faults_by_loss[result.loss]) - len(result.inapplicable),
        )
        outcome = f"{caught} of {count(applying, 'fault')} caught{_and_not_applicable(result.inapplicable)}"
        print(f"{result.loss:32} {outcome}", flush=True)
    is_all = len(faults) == len(FAULTS)
    places = {fault.id: place for place, fault in enumerate(faults)}
    return Findings(
        faults,
        sorted(kills, key=lambda kill: places[kill.fault]),
        # A part of the faults says nothing about the cases that catch none of them.
        [case for case in corpus.cases if is_all],
        frozenset(documenting(corpus)),
        frozenset(crashed),
        is_full,
        frozenset(unable),
        inapplicable,
    ), seconds


def _summary(findings: Findings, seconds: float, pytorch: dict[str, object] | None) -> list[str]:
    applying = len(findings.faults) - len(findings.inapplicable)
    lines = [
        f"{len(findings.caught):,} of {count(applying, 'planted fault')} caught"
        f"{_and_not_applicable(findings.inapplicable)}, in {seconds:.0f} CPU seconds"
    ]
    reasons = Counter(findings.inapplicable.values())
    lines += [
        f"{count(number, 'fault')} not applicable: {reason}" for reason, number in reasons.most_common()
    ]
    if pytorch is not None and isinstance(pytorch["faults"], dict):
        results = [pytorch["faults"][fault.id] for fault in findings.faults if fault.id in pytorch["faults"]]
        number, seconds = sum(one["caught"] for one in results), sum(one["seconds"] for one in results)
        lines.append(
            f"PyTorch's own tests catch {number:,} of {len(results):,}, in {seconds:.0f} CPU seconds"
        )
    return lines


def _and_not_applicable(inapplicable: Sized) -> str:
    return f", {len(inapplicable):,} not applicable" if inapplicable else ""


if __name__ == "__main__":
    sys.exit(main())

"""Summarizes a run's ``results.jsonl`` as the record of its release."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.releases import family_of
from lossproof.history.release import Release
from lossproof.judging.known_defects import covers
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reporting.files import ReportError, write_whole
from lossproof.reporting.jsonl import read_rows, record_of

_FILTERS = ("subjects", "dtypes", "cases", "shard")
_LONGEST_REASON = 120


def write_release(folder: Path, release: Release) -> Path:
    """Write a release's file into the folder of the history, and return its path.

    Raises:
        ReportError: the folder cannot be written to.
    """
    text = json.dumps(vars(release), indent=1, sort_keys=True) + "\n"
    (path,) = write_whole(folder, {f"torch-{release.torch}.json": text})
    return path


def summarize(reports: Path, entries: Iterable[KnownDefect]) -> Release:
    """The summary of a run on one release of torch.

    Args:
        reports: the folder of the run's reports.
        entries: the known defects of the corpus, including those of other releases: an entry that the run did
            not need still shows that its checks ran and agreed.

    Raises:
        ReportError: if the folder holds no ``results.jsonl``, or one of an interrupted or partial run.
    """
    rows = read_rows(reports / "results.jsonl")
    _, run = next(rows)
    _demand_whole(reports, run)
    of_case: dict[str, list[KnownDefect]] = {}
    for entry in entries:
        of_case.setdefault(entry.case, []).append(entry)
    counts: Counter[str] = Counter()
    defects: Counter[str] = Counter()
    failing: Counter[str] = Counter()
    unsupported: Counter[str] = Counter()
    picks: dict[str, set[str]] = {}
    for place, row in rows:
        record = record_of(place, row)
        counts[record.outcome] += 1
        failing[record.case] += record.outcome.is_failing
        if record.outcome == Outcome.KNOWN_DEFECT:
            defects[record.cause] += 1
        elif record.outcome == Outcome.UNSUPPORTED:
            unsupported[textwrap.shorten(record.message, _LONGEST_REASON, placeholder=" ...")] += 1
        elif record.outcome.is_passing:
            # Counted as 0, since a missing entry would mean that its checks did not run.
            right = (entry.why for entry in of_case.get(record.case, ()) if _clears(entry, record))
            defects.update(dict.fromkeys(right, 0))
        if record.subject and family_of(record.subject) == "torch":
            for name, pick in record.picks.items():
                picks.setdefault(name, set()).add(pick)
    versions = run["versions"]
    return Release(
        torch=versions["torch"].partition("+")[0],
        python=".".join(versions["python"].split(".")[:2]),
        cases=versions["cases"],
        counts=counts,
        defects=defects,
        failing=+failing,
        conventions={name: " or ".join(sorted(observed)) for name, observed in picks.items()},
        unsupported=unsupported,
    )


def _clears(entry: KnownDefect, record: Record) -> bool:
    """Whether a passing check shows that the check of an entry is right.

    A backward pass that raises is one check, ``gradient``; one that succeeds is a check for each argument.
    """
    joint = replace(record, quantity=Quantity(record.quantity.kind))
    return covers(entry, record) or covers(entry, joint)


def _demand_whole(reports: Path, run: dict[str, Any]) -> None:
    if not run["complete"]:
        raise ReportError(f"The run in {reports} was interrupted. Only a whole run goes on record.")
    if filters := [name for name in _FILTERS if run["options"].get(name)]:
        names = " and ".join(filters)
        raise ReportError(
            f"The run in {reports} was asked for some {names}. Only a whole run goes on record."
        )

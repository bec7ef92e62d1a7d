"""Collects the results of a run, finds the problems of the run as a whole, and writes its reports."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import Corpus
from lossproof.corpus.releases import family_of
from lossproof.judging.known_defects import (
    as_data,
    blame,
    covers,
    relevant,
    takes_turns,
    unmatched_entries,
)
from lossproof.records.lines import records_in
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.baseline import Baseline
from lossproof.reporting.comparison import Comparison, compare
from lossproof.reporting.writing import write_reports
from lossproof.running.release_news import ReleaseRun, gone_defects, news, standing
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.session import failed_record
from lossproof.running.unjudged import unjudged, unmatched_quantities
from lossproof.subjects.registry import default_subjects

# The packages that take part in judging.
_PACKAGES = ("numpy", "python-flint", "pytest")


class RunReports:
    """Collects results in any order, and writes them in the order of the case files.

    Attributes:
        checks: the number of checks so far.
        failures: the failing checks so far, as they came in.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Corpus,
        selection: Selection,
        options: dict[str, str],
        baseline: Baseline | None = None,
        history: dict[str, Any] | None = None,
        took: tuple[str, float] | None = None,
    ) -> None:
        """Begin a run; one that is over took some seconds, and started at an ISO 8601 time."""
        self._folder = folder
        self._baseline = baseline
        # The releases of torch say nothing about other implementations.
        is_about_torch = any(not subject.is_foreign for subject in selection.subjects.values())
        self._history = history if is_about_torch else None
        self.comparison: Comparison | None = None
        self._corpus = corpus
        self._cases = {case.id: case for case in corpus.cases}
        self._selection = selection
        self._options = options
        self._trials = {trial.id: trial for trial in selection.trials}
        self.checks = 0
        self.failures: list[Record] = []
        self._results: dict[str, TestResult] = {}
        self._problems: list[str] = []
        self._with_problems: set[str] = set()
        self._standing: list[str] = []
        self._news: list[str] = []
        self._known = self._entries(selection.subjects)
        self._began = time.time()
        self._took = took
        self._complete = False

    def add(self, nodeid: str, seconds: float, lines: str, problems: list[str]) -> None:
        """Add the records of a test, as lines of JSON; the sentinel has none."""
        if lines:
            self.add_records(_trial_id(nodeid), seconds, records_in(lines), lines)
        if problems:
            self._with_problems.add(_trial_id(nodeid))
        self.add_problems(problems)

    def add_records(self, trial_id: str, seconds: float, records: list[Record], lines: str = "") -> None:
        """Add the records of a trial, with their lines if these are there."""
        case = self._trials[trial_id].case
        result = TestResult(trial_id, case.id, case.file, case.line, seconds, tuple(records), lines)
        self._results[trial_id] = result
        self.checks += len(records)
        self.failures += [record for record in records if record.outcome.is_failing]

    def add_problems(self, problems: Iterable[str]) -> None:
        """Add sentences on why the run fails, apart from its checks."""
        self._problems += problems

    def add_crash(self, nodeid: str, seconds: float, reason: str) -> None:
        """Add a test that ended without records because the harness or its process failed."""
        trial = self._trials.get(_trial_id(nodeid))
        if trial is None:
            return  # not a trial
        self.add_records(trial.id, seconds, [failed_record(trial, self._selection, reason.strip())])

    def passed_and_failed(self) -> tuple[list[PlannedTrial], list[PlannedTrial]]:
        """The trials that have run so far."""
        passed: list[PlannedTrial] = []
        failed: list[PlannedTrial] = []
        for id, result in self._results.items():
            is_wrong = id in self._with_problems or any(one.outcome.is_failing for one in result.records)
            (failed if is_wrong else passed).append(self._trials[id])
        return passed, failed

    def is_wanted(self, args: Sequence[str]) -> bool:
        """Whether this is a run of the harness: a run of other tests must leave the reports alone."""
        return bool(self._results) or any("conformance" in arg for arg in args)

    def finish(self, complete: bool) -> list[str]:
        """Close the run and return the problems of the run as a whole."""
        self._complete = complete
        if not self._results and not self._options.get("shard"):
            self._problems.append("no check ran: nothing was shown to conform")
        records = self.records
        if complete and not self._options.get("shard"):
            self._problems += unmatched_quantities(self._selection.quantities, records)
            subjects = self._selection.subjects.items()
            self._problems += unjudged([name for name, one in subjects if one.is_foreign], records)
        releases = self._corpus.releases
        for (family, number), names in self._families().items():
            idle = self._idle_entries(names, records) if complete else []
            if releases.is_strict(family, number):
                self._problems += map(blame, idle)
            if releases.of(family):
                theirs = [record for record in records if record.subject in names]
                picks = {
                    name: pick
                    for subject in names
                    for name, pick in picks_of(self._corpus.picks, subject, number).items()
                }
                entries = self._entries(names)
                self._report(ReleaseRun(family, number, releases, entries, idle, theirs, picks))
        self._problems = sorted(set(self._problems))
        return self._problems

    def write(self) -> list[Path]:
        """Compare the run with its baseline, if it has one, and write all reports, or none.

        Raises:
            ReportError: the folder cannot be written to.
        """
        run = self.run
        if self._baseline:
            self.comparison = compare(*self._baseline, run, self.records)
        return write_reports(self._folder, run, self.results, self.comparison, self._history)

    @property
    def results(self) -> list[TestResult]:
        """The results in the order of the selection."""
        return [self._results[id] for id in self._trials if id in self._results]

    @property
    def records(self) -> list[Record]:
        """The records of all results, in order."""
        return [record for result in self.results for record in result.records]

    @property
    def run(self) -> Run:
        """The description of the run so far."""
        excused = [
            record
            for result in self.results
            for record in result.records
            if record.outcome == Outcome.KNOWN_DEFECT and record.detail
        ]
        started, seconds = self._took or (
            datetime.fromtimestamp(self._began, timezone.utc).isoformat(timespec="seconds"),
            round(time.time() - self._began, 3),
        )
        return Run(
            versions={"python": platform.python_version()}
            | {name: version(name) for name in ("lossproof", *self._tested, *_PACKAGES)}
            | {
                name: self._version(name)
                for name, subject in self._selection.subjects.items()
                if subject.is_foreign and not subject.packages
            }
            | {"cases": self._corpus.digest},
            tested=self._tested,
            machine={
                "platform": platform.platform(),
                "processor": platform.machine(),
                "cpus": os.cpu_count(),
            },
            options=dict(self._options),
            complete=self._complete,
            problems=self._problems,
            known_defects=[
                as_data(entry) | {"snippet": _snippet(entry, excused)}
                for entry in self._known
                if not (entry.pattern or takes_turns(entry))
                or any(covers(entry, record) for record in excused)
            ],
            started=started,
            seconds=seconds,
            documents={
                document.name: {"title": document.title, "about": document.about}
                for document in self._corpus.documents
            },
            stand_ins=self._stand_ins,
            implementations={
                name: {"language": subject.language, "tracker": subject.tracker}
                for name, subject in self._selection.subjects.items()
                if subject.language or subject.tracker
            },
            standing=self._standing,
            news=self._news,
        )

    @property
    def _tested(self) -> list[str]:
        """The packages of the subjects."""
        subjects = self._selection.subjects.values()
        return list(dict.fromkeys(name for subject in subjects for name in subject.packages))

    @property
    def _stand_ins(self) -> dict[str, str]:
        """The expressions that replace losses that a subject lacks, by loss."""
        subjects = self._selection.subjects
        pairs = [(trial.case.loss, subjects.get(trial.subject or "")) for trial in self._selection.trials]
        return {loss: text for loss, subject in pairs if subject and (text := subject.stand_in(loss))}

    def _families(self) -> dict[tuple[str, str], list[str]]:
        """The subjects by family and version."""
        families: dict[tuple[str, str], list[str]] = {}
        for name in self._selection.subjects:
            families.setdefault((family_of(name), self._version(name)), []).append(name)
        return families

    def _entries(self, names: Iterable[str]) -> list[KnownDefect]:
        """The entries for any of these subjects in the selected cases."""
        case_ids = {trial.case.id for trial in self._selection.trials}
        entries = {
            (entry.file, entry.line): entry
            for name in names
            for entry in self._relevant(name)
            if entry.case in case_ids
        }
        return [entry for _, entry in sorted(entries.items())]

    def _report(self, run: ReleaseRun) -> None:
        self._standing.append(standing(run))
        self._news += news(run)
        gone = gone_defects(run)
        self._known = [entry for entry in self._known if entry not in gone]

    def _idle_entries(self, names: Sequence[str], records: Sequence[Record]) -> list[KnownDefect]:
        """The entries that match no check although everything that they cover ran."""
        if self._selection.quantities:
            return []  # the checks that an entry covers may not count in this run
        wrong = {record.case for record in self.failures}  # these come first: they may be why
        known = (entry for entry in self._entries(names) if entry.case not in wrong)
        entries = list(filter(self._is_wholly_selected, known))
        cases = {entry.case for entry in entries}  # a few of many
        ran = [
            (trial.case.id, trial.subject, trial.dtype)
            for trial in map(self._trials.get, self._results)
            if trial and trial.case.id in cases and trial.subject and trial.subject in names
        ]
        return unmatched_entries(entries, (one for one in records if one.case in cases), ran)

    def _version(self, name: str) -> str:
        return self._selection.subjects[name].version()

    def _is_wholly_selected(self, entry: KnownDefect) -> bool:
        """Whether everything that an entry covers runs: otherwise its check may have been left out.

        Modes, for example, are examined in one dtype of one of torch's two subjects.
        """
        subject = self._selection.subjects.get(entry.subject)
        if subject is not None and subject.is_foreign:
            selected = {trial.case.id for trial in self._selection.trials}
            matching = [case for id, case in self._cases.items() if fnmatch(id, entry.pattern or entry.case)]
            needed = {case.id for case in matching if subject.has_loss(case.loss)}
            return needed <= selected and set(entry.dtypes) <= set(self._selection.dtypes)
        subjects = {name for name in default_subjects() if fnmatch(name, entry.subject)}
        dtypes = set(entry.dtypes or self._cases[entry.case].dtypes)
        return subjects <= self._selection.subjects.keys() and dtypes <= set(self._selection.dtypes)

    def _relevant(self, name: str) -> list[KnownDefect]:
        device = self._selection.device_of(name)
        return relevant(self._corpus.known_defects, name, self._version(name), device)


# Under this key, the process that controls a run keeps its results.
RUN_REPORTS = pytest.StashKey[RunReports]()


def _snippet(entry: KnownDefect, excused: list[Record]) -> str:
    """A program that shows the defect, from the first record with one."""
    details = (record.detail for record in excused if covers(entry, record))
    return next((detail["snippet"] for detail in details if detail), "")


def _trial_id(nodeid: str) -> str:
    return nodeid.partition("[")[2].removesuffix("]")

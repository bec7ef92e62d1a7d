"""The pytest plugin: options, one parametrized test a check, and the reports at the end.

Records travel with pytest's own test reports, so that they arrive from xdist's workers as well; the
controller alone writes the reports.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.judging.certification import certify
from lossproof.judging.examination import Examiner
from lossproof.judging.known_defects import excuse, relevant
from lossproof.judging.record import Record
from lossproof.reporting import ReportError, summary_lines
from lossproof.run_reports import RunReports
from lossproof.selection import Check, Selection, SelectionError, select, signatures

__all__ = ["Check", "Examine"]

Examine = Callable[[Check], None]

_SESSION = pytest.StashKey["ConformanceSession"]()
_ATTACHED = "lossproof_records"


class ConformanceSession:
    """What one process of a run shares: the corpus, the selection, the examiner."""

    def __init__(self, corpus: Corpus, selection: Selection) -> None:
        self.corpus = corpus
        self.selection = selection
        layout_dtype = "float32" if "float32" in selection.dtypes else selection.dtypes[0]
        self._examiner = Examiner(layout_dtype)
        self._devices = {name: selection.device_of(name) for name in selection.subjects}
        self._defects = {
            name: relevant(corpus.known_defects, name, subject.version(), self._devices[name])
            for name, subject in selection.subjects.items()
        }

    def examine(self, check: Check) -> tuple[list[Record], list[str]]:
        """The records of a check, and a sentence for each known defect that has gone."""
        if check.subject not in self.selection.subjects:
            return certify(check.case), []
        subject = self.selection.subjects[check.subject]
        records = self._examiner.examine(check.case, subject, check.dtype, self._devices[check.subject])
        return excuse(records, self._defects[check.subject])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a run can be asked for."""
    group = parser.getgroup("lossproof", "conformance of loss functions")
    group.addoption("--subjects", default="", help="implementations to test, comma-separated")
    group.addoption("--dtypes", default="", help="dtypes to test in, comma-separated")
    group.addoption("--cases", default="", help="case ids to run, comma-separated shell patterns")
    group.addoption("--device", default="cpu", help="the device to run on (default: cpu)")
    group.addoption("--corpus", default=None, help="the folder of case files (default: cases)")
    group.addoption("--reports", default=None, help="the folder of the reports (default: reports)")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the corpus and the options first of all, so that a mistake in them is the first thing said."""
    config = session.config
    options = {name: str(config.getoption(name)) for name in ("subjects", "dtypes", "cases", "device")}
    folder = Path(config.getoption("corpus") or config.rootpath / "cases")
    try:
        corpus = load_corpus(folder, signatures())
        selection = select(corpus, **options)
    except (CorpusError, SelectionError) as mistake:
        raise pytest.UsageError(str(mistake)) from None
    conformance = ConformanceSession(corpus, selection)
    config.stash[_SESSION] = conformance
    if not hasattr(config, "workerinput"):
        reports = Path(config.getoption("reports") or config.rootpath / "reports")
        options["workers"] = str(getattr(config.option, "numprocesses", None) or 0)
        config.pluginmanager.register(
            _Controller(RunReports(reports, corpus, selection, options)), "lossproof-controller"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the harness with the checks that were selected."""
    if "check" in metafunc.fixturenames:
        checks = metafunc.config.stash[_SESSION].selection.checks
        metafunc.parametrize("check", checks, ids=[check.id for check in checks])


def pytest_collection_finish() -> None:
    """Take all that is loaded by now out of the garbage collector's sight: it lives as long as the run."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def examine(request: pytest.FixtureRequest) -> Examine:
    """Run one check, keep its records for the reports, and fail or skip the test accordingly."""

    def run(check: Check) -> None:
        records, problems = request.config.stash[_SESSION].examine(check)
        attached = {"records": [vars(record) for record in records], "problems": problems}
        setattr(request.node, _ATTACHED, attached)
        wrong = [_sentence(record) for record in records if record.outcome in ("disagree", "error")]
        if wrong or problems:
            pytest.fail("\n".join([*wrong, *problems]), pytrace=False)
        reasons = {record.message for record in records if record.outcome == "unsupported"}
        if records and all(record.outcome == "unsupported" for record in records):
            pytest.skip("; ".join(sorted(reasons)))

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the records to the test's report: whatever hangs on it comes along from a worker."""
    report = yield
    if report.when == "call":
        setattr(report, _ATTACHED, getattr(item, _ATTACHED, None))
    return report


class _Controller:
    """The side of the plugin that collects and writes, in the one process that controls the run."""

    def __init__(self, reports: RunReports) -> None:
        self._reports = reports
        self._written: list[Path] = []
        self._failure = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the records of a finished test, or the reason why it has none."""
        attached = getattr(report, _ATTACHED, None)
        if attached is not None:
            self._reports.add(report.nodeid, report.duration, **attached)
        elif report.failed:
            self._reports.add_crash(report.nodeid, report.duration, report.longreprtext)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and fail the run for what no single test could notice."""
        if not self._reports.is_wanted(session.config.args):
            return
        stopped = bool(session.shouldstop or session.shouldfail)
        complete = exitstatus in (0, 1, 5) and not stopped
        problems = self._reports.finish(complete)
        try:
            self._written = self._reports.write()
        except ReportError as error:
            self._failure = str(error)
        if (problems or self._failure) and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The last lines of the run."""
        if self._written or self._failure:
            terminalreporter.write_sep("=", "lossproof")
            for line in summary_lines(self._reports.run, self._reports.results, self._written):
                terminalreporter.write_line(line)
        if self._failure:
            terminalreporter.write_line(f"no reports: {self._failure}", red=True)


def _sentence(record: Record) -> str:
    parts = (record.quantity, record.reduction, "" if record.layout == "contiguous" else record.layout)
    place = ", ".join(part for part in parts if part)
    subject = f"{record.subject}, {record.dtype}"
    return f"{record.file}:{record.line}: [{record.case}] {subject}, {place}: {record.message}"

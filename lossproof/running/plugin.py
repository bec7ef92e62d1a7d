"""The pytest plugin: its options, one parametrized test per trial, and what a test does.

Records travel with pytest's own test reports, so that they also arrive from xdist's workers; ``controller``
collects them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lossproof.corpus.complaints import CorpusError
from lossproof.corpus.files import HISTORY, default_corpus
from lossproof.corpus.garbage import without_garbage_collection
from lossproof.corpus.reading import load_corpus
from lossproof.history.on_record import as_data, read_table
from lossproof.reporting.baseline import read_baseline
from lossproof.reporting.files import ReportError, demand_folder
from lossproof.running.changes import Changes
from lossproof.running.collection import RUN_REPORTS, RunReports
from lossproof.running.controller import Controller
from lossproof.running.interruption import end_with_parent, report_when_terminated
from lossproof.running.mistakes import SelectionError
from lossproof.running.options import OPTIONS
from lossproof.running.project import complete_options, entries_for, project_of, send_project
from lossproof.running.protocol import (
    ATTACHMENT,
    EXAMINER,
    carry_out,
    locate,
    pytest_runtest_protocol,
    trial_of,
)
from lossproof.running.selection import SELECTING, PlannedTrial, Selection, select
from lossproof.running.sentinel import MISTAKE
from lossproof.running.session import ConformanceSession
from lossproof.running.states import States
from lossproof.running.stores import Stores
from lossproof.running.supervision import Supervisor
from lossproof.running.workers import named_workers

__all__ = ["Examine", "PlannedTrial", "pytest_runtest_protocol"]

Examine = Callable[[PlannedTrial], None]

_SESSION = pytest.StashKey[ConformanceSession]()
_CHANGED = "lossproof_changed"
_LARGE_CORPUS = 100_000  # bytes
# Each has a second process, and a gigabyte for both is not too much.
_MOST_WORKERS = 8
_MOST_ASKED_WORKERS = 1000
_NOT_CAUGHT = "the fault that was planted on purpose was not caught: nothing that this run says counts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("lossproof", "conformance of loss functions")
    for name, stated in OPTIONS.items():
        group.addoption(name, **{"default": "", **stated})


def pytest_configure(config: pytest.Config) -> None:
    """Let no warning go unseen; those of the reference, of legal calls, the harness judges itself."""
    ours = "default::lossproof.reference.advice.ReferenceWarning"
    # Without a cache, a run only takes longer.
    for line in ("error", ours, "ignore::pytest.PytestCacheWarning"):
        config.addinivalue_line("filterwarnings", line)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Refuse a number of workers that would take the machine down, before pytest-xdist starts them."""
    asked = getattr(config.option, "numprocesses", None)
    if isinstance(asked, int) and not 0 <= asked <= _MOST_ASKED_WORKERS:
        raise pytest.UsageError(f"there can be no {asked} workers; ask for 0 to {_MOST_ASKED_WORKERS}")
    return (yield)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker for each processor; none for a run that ends before workers have read the corpus."""
    corpus = _corpus_of(config).rglob("*.yaml")
    is_short = config.getoption("cases") or sum(file.lstat().st_size for file in corpus) < _LARGE_CORPUS
    is_shown = config.getoption("capture") == "no" or config.getoption("trace")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if is_short or is_shown or processors == 1 else min(processors, _MOST_WORKERS)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, object, object]:
    """Read the corpus and the options first, so that a mistake in them is reported at once."""
    _begin(session.config)
    with named_workers(session.config):
        return (yield)


@without_garbage_collection()
def _begin(config: pytest.Config) -> None:
    """Select the trials of the run, and keep what they need in its stash.

    Raises:
        pytest.UsageError: the corpus, an option or the project is wrong.
    """
    if hasattr(config, "workerinput"):
        end_with_parent()
    else:
        report_when_terminated(config)
    folder = _corpus_of(config)
    baseline = history = None
    try:
        corpus = load_corpus(folder)
        project = project_of(config, [case.id for case in corpus.cases])
        complete_options(config, project)
        options = {name: str(config.getoption(name)) for name in SELECTING}
        if options["command"] and config.getoption("changed"):
            raise SelectionError("--changed cannot tell when the program of --command changes; leave one out")
        if options["shard_times"] and not options["shard"]:
            raise SelectionError("--shard-times balances shards; name one of them with --shard")
        selection = select(corpus, **options)
        # Now, since a wrong path should not cost a run, and this one may overwrite its baseline.
        if not hasattr(config, "workerinput"):
            demand_folder(_reports_of(config))
        if config.getoption("baseline") and not hasattr(config, "workerinput"):
            baseline = read_baseline(Path(config.getoption("baseline")))
        if not hasattr(config, "workerinput"):
            history = as_data(read_table(folder / HISTORY, corpus.known_defects))
        own_defects = entries_for(project, selection.subjects)
        corpus = replace(corpus, known_defects=(*corpus.known_defects, *own_defects))
    except (CorpusError, SelectionError, ReportError) as mistake:
        raise pytest.UsageError(str(mistake)) from None
    states = States(corpus, selection)
    changes = None if hasattr(config, "workerinput") else Changes(config, states, selection)
    if config.getoption("changed"):
        selection = _only_changed(config, selection, changes)
    stores, is_strict = _stores(config, states), config.getoption("strict_budgets")
    conformance = ConformanceSession(corpus, selection, stores, is_strict=is_strict)
    config.stash[_SESSION] = conformance
    config.stash[EXAMINER] = _examiner(config, conformance)
    if changes is not None:
        options["workers"] = str(getattr(config.option, "numprocesses", None) or 0)
        run_reports = RunReports(_reports_of(config), corpus, selection, options, baseline, history)
        config.pluginmanager.register(Controller(run_reports, changes), "lossproof-controller")
        config.stash[RUN_REPORTS] = run_reports


def _only_changed(config: pytest.Config, selection: Selection, changes: Changes | None) -> Selection:
    """The trials that need to run again; workers are told which, since their caches may differ."""
    if changes is None:
        told = set(config.workerinput[_CHANGED])  # type: ignore[attr-defined]  # set by pytest-xdist
        trials = tuple(trial for trial in selection.trials if trial.id in told)
    else:
        trials = tuple(filter(changes.has_changed, selection.trials))
        if not trials:
            pytest.exit("Nothing has changed since it passed.", returncode=0)
    return replace(selection, trials=trials)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker what the project says, and what has changed."""
    send_project(node.config, node.workerinput)
    if node.config.getoption("changed"):
        node.workerinput[_CHANGED] = [trial.id for trial in node.config.stash[_SESSION].selection.trials]


def _corpus_of(config: pytest.Config) -> Path:
    return Path(config.getoption("corpus") or default_corpus(config.rootpath))


def _reports_of(config: pytest.Config) -> Path:
    return Path(config.getoption("reports") or config.rootpath / "reports")


def _stores(config: pytest.Config, states: States) -> Stores | None:
    """What earlier runs have left in pytest's own cache; None where there is none."""
    cache = getattr(config, "cache", None)
    # Only the second process is watched for what a subject does to it, and thereby to what is kept.
    if cache is None or _wants_debugger(config):
        return None
    return Stores.of(cache, states, is_first=not hasattr(config, "workerinput"))


def _wants_debugger(config: pytest.Config) -> bool:
    return bool(config.getoption("usepdb") or config.getoption("trace"))


def _examiner(config: pytest.Config, session: ConformanceSession) -> Supervisor | ConformanceSession:
    if _wants_debugger(config):
        return session  # a debugger wants the subject in this process
    supervisor = Supervisor(session, config.getoption("time_limit"), config.getoption("capture") != "no")
    config.add_cleanup(supervisor.close)
    return supervisor


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the harness with the selected trials."""
    if "trial" in metafunc.fixturenames:
        trials = metafunc.config.stash[_SESSION].selection.trials
        metafunc.parametrize("trial", trials, ids=[trial.id for trial in trials])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Make the tests, of which there are tens of thousands."""
    with without_garbage_collection():
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say which trials are left, and exempt what is loaded from garbage collection: it stays to the end."""
    locate(session.items)
    examiner = session.config.stash[EXAMINER]
    if isinstance(examiner, Supervisor):
        examiner.expect({trial.id for trial in map(trial_of, session.items) if trial is not None})
    gc.freeze()


@pytest.fixture
def examine(request: pytest.FixtureRequest) -> Examine:
    """Carry out a trial; see ``carry_out``."""
    return partial(carry_out, item=request.node)


@pytest.fixture
def examine_sentinel(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Examine the sentinel, and fail the test if it passes."""

    def run() -> None:
        answer = request.config.stash[EXAMINER].examine_sentinel()
        if not answer.complaints:
            problem = f"{_NOT_CAUGHT}: {MISTAKE}"
            setattr(request.node, ATTACHMENT, {"lines": "", "problems": [problem], "seconds": 0.0})
            pytest.fail(answer.failure or problem, pytrace=False)

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the records to the test's report, with which they travel from a worker."""
    report = yield
    if report.when == "call":
        attachment = getattr(item, ATTACHMENT, None)
        setattr(report, ATTACHMENT, attachment)
        if attachment is not None:
            # The test of a case's first trial waits for all of them.
            report.duration = attachment.pop("seconds") or report.duration
    return report

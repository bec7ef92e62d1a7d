"""Carries out a trial, and does so as one step of pytest's where other tests have three.

To set a test up and to tear it down costs pytest more than to call it, and each of the three has a report of
its own, which travels from a worker. A trial has nothing to set up: its subject is in another process.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest

from lossproof.running.selection import PlannedTrial
from lossproof.running.session import ConformanceSession
from lossproof.running.supervision import Supervisor

# What carries out trials: in a second process, or in this one, where a debugger is.
EXAMINER = pytest.StashKey[Supervisor | ConformanceSession]()
# The attribute of a test and of its report that holds what ``RunReports.add`` takes; that of the test holds
# the seconds that the trial took as well.
ATTACHMENT = "lossproof_records"


def carry_out(trial: PlannedTrial, item: pytest.Item) -> None:
    """Carry out a trial, keep its records for the reports, and fail or skip the test accordingly."""
    answer = item.config.stash[EXAMINER].examine(trial)
    if answer.failure:
        pytest.fail(answer.failure, pytrace=False)
    attachment = {"lines": answer.lines, "problems": [*answer.problems], "seconds": answer.seconds}
    setattr(item, ATTACHMENT, attachment)
    if answer.complaints:
        if answer.printed:
            item.add_report_section("call", "end of the subject's output", answer.printed)
        told = "\n".join(filter(None, (*answer.complaints, answer.program)))
        pytest.fail(told, pytrace=False)
    if answer.skipped is not None:
        pytest.skip(answer.skipped)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Carry out a trial in its call alone; leave other tests, and trials in this process, to pytest."""
    options = item.config.option
    is_wanted_whole = getattr(options, "setuponly", False) or getattr(options, "setupshow", False)
    trial = trial_of(item)
    if trial is None or is_wanted_whole or not isinstance(item.config.stash[EXAMINER], Supervisor):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    ending = (pytest.exit.Exception, KeyboardInterrupt)
    call = pytest.CallInfo.from_call(partial(carry_out, trial, item), when="call", reraise=ending)
    report = hook.pytest_runtest_makereport(item=item, call=call)
    hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def locate(items: Iterable[pytest.Item]) -> None:
    """Look up once where the function of many trials stands; pytest would do so for each trial."""
    places: dict[object, tuple[str, int | None]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and trial_of(item) is not None:
            if item.function not in places:
                places[item.function] = item.location[:2]
            item.location = (*places[item.function], item.getmodpath())


def trial_of(item: pytest.Item) -> PlannedTrial | None:
    """The trial of a test of the harness; None for any other test."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    is_ours = "examine" in getattr(item, "fixturenames", ())
    trial = parameters.get("trial") if is_ours else None
    return trial if isinstance(trial, PlannedTrial) else None  # not so in a run without trials

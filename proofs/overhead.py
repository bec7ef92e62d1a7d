"""What the harness costs: a whole run against the calls that it makes, made alone.

The calls alone are the floor: one process examines all cases and notes each call of a subject, plain or in a
mode; another makes each of them once, in the same order, and does nothing else with them, so that it meets
each for the first time as a run does. A first run computes the truth of every case; a second run finds it in
pytest's cache. All of them run in each round, so that a machine that slows down slows all. The figures are
CPU seconds, including child processes; on another machine, only their ratios mean anything.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lossproof.corpus.reading import load_corpus
from lossproof.numbers.formats import Float64Array
from lossproof.running.selection import PlannedTrial, select
from lossproof.running.session import ConformanceSession
from lossproof.subjects.call import Call
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.isolated import run_isolated
from lossproof.subjects.subject import Subject

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class MadeCall:
    """A call that a run makes; of a mode if it has one."""

    subject: str
    is_isolated: bool
    call: Call
    mode: str = ""
    directions: Mapping[str, Float64Array] = field(default_factory=dict)

    def make(self, subjects: Mapping[str, Subject]) -> None:
        """Make it, whatever comes of it."""
        subject = subjects[self.subject]
        with suppress(Exception):  # many a call is refused
            if self.mode:
                subject.run_mode(self.mode, self.call, self.directions)
            elif self.is_isolated:
                run_isolated(subject, self.call)
            else:
                subject.run(self.call)


def note(path: Path) -> None:
    """Write each call of a run to a file, those of a trial at a time."""
    session = _session()
    with path.open("wb") as file:
        for trial in session.selection.trials:
            if trial.subject is not None:  # None: the numbers of a case, judged without a call
                pickle.dump(_calls_of(session, trial), file)


def replay(path: Path) -> None:
    """Make each call that a file holds, and print their number and the CPU seconds of these."""
    subjects = _session().selection.subjects
    seconds, number = 0.0, 0
    with path.open("rb") as file, suppress(EOFError):
        while True:
            calls: list[MadeCall] = pickle.load(file)
            started = _cpu_time()
            for call in calls:
                call.make(subjects)
            seconds += _cpu_time() - started
            number += len(calls)
    print(json.dumps({"seconds": seconds, "calls": number}))


def _session() -> ConformanceSession:
    torch.set_num_threads(1)
    corpus = load_corpus(ROOT / "cases")
    return ConformanceSession(corpus, select(corpus, "", "", "", "cpu"))


def _calls_of(session: ConformanceSession, trial: PlannedTrial) -> list[MadeCall]:
    calls: list[MadeCall] = []
    examined: Any = GuardedSubject  # whose methods are replaced for a while
    run, run_mode = examined.run, examined.run_mode

    def noted_run(self: Any, call: Call) -> Any:
        calls.append(MadeCall(self.name, isinstance(self._run, partial), call))
        return run(self, call)

    def noted_run_mode(self: Any, mode: str, call: Call, directions: Any) -> Any:
        calls.append(MadeCall(self.name, False, call, mode, directions))
        return run_mode(self, mode, call, directions)

    examined.run, examined.run_mode = noted_run, noted_run_mode
    try:
        session.examine(trial)
    finally:
        examined.run, examined.run_mode = run, run_mode
    return calls


def _cpu_time() -> float:
    """The CPU seconds of this process and its children so far, user and system."""
    return sum(os.times()[:4])


def cpu_seconds(command: list[str]) -> tuple[float, str]:
    """Run a command; return its CPU seconds, user and system, with those of its children, and its output."""
    before = os.times()
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    after = os.times()
    if finished.returncode not in (0, 1):
        raise SystemExit(
            f"{command[:4]} ended with {finished.returncode}:\n{finished.stdout}{finished.stderr}"
        )
    used = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return used, finished.stdout


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", default="0", help="how many workers of pytest-xdist a run has")
    parser.add_argument("--note", type=Path, metavar="FILE", help="only write the calls to a file")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only make the calls of such a file")
    options = parser.parse_args()
    if options.note:
        note(options.note)
        return
    if options.replay:
        replay(options.replay)
        return
    seconds: dict[str, list[float]] = {"the calls alone": [], "first run": [], "second run": []}
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            own = [sys.executable, "-m", "proofs.overhead"]
            cpu_seconds([*own, "--note", f"{folder}/calls"])
            floor = json.loads(cpu_seconds([*own, "--replay", f"{folder}/calls"])[1].splitlines()[-1])
            seconds["the calls alone"].append(floor["seconds"])
            suite = [sys.executable, "-m", "lossproof", "verify", "--numprocesses", options.workers]
            suite += ["--reports", folder, "-o", f"cache_dir={folder}/cache"]
            seconds["first run"].append(cpu_seconds(suite)[0])
            seconds["second run"].append(cpu_seconds(suite)[0])
            with (Path(folder) / "results.jsonl").open() as lines:
                checks = sum(json.loads(lines.readline())["run"]["counts"].values())
    print(f"{floor['calls']:,} calls, {checks:,} checks; medians of {options.runs} rounds")
    least = statistics.median(seconds["the calls alone"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:15}  {median:7.2f} CPU s  {median / least:5.2f} times the calls alone")


if __name__ == "__main__":
    main()

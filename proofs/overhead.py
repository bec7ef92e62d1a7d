"""What the harness costs: the suite against a bare loop over the same checks.

The two run alternately, each in a process of its own, so that a machine that slows down slows both. The bare
loop reads the same case files, makes the same calls of torch and the reference, and compares the same
numbers, without pytest and without reports. The figures are CPU seconds, including child processes; on
another machine, only their ratio means anything.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

BARE_LOOP = """
import gc
from pathlib import Path
from lossproof.corpus.reading import load_corpus
from lossproof.checks.certification import certify
from lossproof.checks.examination import Examiner
from lossproof.running.selection import select
selection = select(load_corpus(Path("cases")), "", "", "", "cpu")
gc.collect()
gc.freeze()
examiner = Examiner()
print(sum(
    len(
        examiner.examine(trial.case, selection.subjects[trial.subject], trial.dtype)
        if trial.subject in selection.subjects
        else certify(trial.case)
    )
    for trial in selection.trials
))
"""


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
    parser.add_argument("--workers", nargs="*", default=[], help="also measure with so many xdist workers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        suite = [sys.executable, "-m", "lossproof", "verify", "--reports", folder]
        commands = {"bare loop": [sys.executable, "-c", BARE_LOOP], "suite": suite}
        commands |= {f"suite -n {count}": [*suite, "-n", count] for count in options.workers}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                used, output = cpu_seconds(command)
                seconds[name].append(used)
                if name == "bare loop":
                    bare_checks = int(output)
        with (Path(folder) / "results.jsonl").open() as lines:
            checks = sum(json.loads(lines.readline())["run"]["counts"].values())
    print(f"{bare_checks} checks in the bare loop, {checks} in the suite; medians of {options.runs} runs")
    bare = statistics.median(seconds["bare loop"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(
            f"{name:12} {median:7.2f} CPU s  {checks / median:7.0f} checks/CPU s  ratio {median / bare:.2f}"
        )


if __name__ == "__main__":
    main()

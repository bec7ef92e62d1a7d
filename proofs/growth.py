"""Whether a check costs more where there are more of them.

Corpora of small cases with random numbers are verified, each ten times as large as the one before, in one
process and without truth of earlier runs. The figures are CPU seconds of whole runs, collection, records and
reports included, and what a check more has cost since the corpus before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from proofs.overhead import cpu_seconds

_CASES_IN_A_FILE = 100
_TARGETS = {
    "MSELoss": "[-2, 2]",
    "SoftMarginLoss": "[-2, 2]",
    "BCEWithLogitsLoss": "[0, 1]",
    "KLDivLoss": "[0, 1]",
}


def write_corpus(folder: Path, size: int) -> None:
    """Write files of cases, which differ in their numbers alone."""
    losses = list(_TARGETS.items())
    for first in range(0, size, _CASES_IN_A_FILE):
        lines = ["cases:"]
        for number in range(first, min(first + _CASES_IN_A_FILE, size)):
            loss, among = losses[number % len(losses)]
            input = f"{{uniform: [-2, 2], shape: [2, 3], seed: {2 * number}}}"
            target = f"{{uniform: {among}, shape: [2, 3], seed: {2 * number + 1}}}"
            lines += [
                f"  - id: random-{number}",
                f"    title: random numbers, set {number}",
                f"    loss: {loss}",
                f"    args: {{input: {input}, target: {target}}}",
            ]
        (folder / f"random-{first:07}.yaml").write_text("\n".join(lines) + "\n")


def measure(size: int) -> tuple[int, float]:
    """The checks of a corpus of that many cases, and the CPU seconds of a run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cases").mkdir()
        write_corpus(folder / "cases", size)
        command = [sys.executable, "-m", "lossproof", "verify", "--numprocesses", "0"]
        command += ["--corpus", f"{folder}/cases", "--reports", f"{folder}/reports"]
        seconds, _ = cpu_seconds([*command, "-o", f"cache_dir={folder}/cache"])
        with (folder / "reports" / "results.jsonl").open() as lines:
            return sum(json.loads(lines.readline())["run"]["counts"].values()), seconds


def main() -> None:
    """Print a line for each corpus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 400, 4000], help="cases of each corpus")
    checks, seconds = 0, 0.0
    for size in parser.parse_args().sizes:
        before = checks, seconds
        checks, seconds = measure(size)
        marginal = (seconds - before[1]) / (checks - before[0]) * 1e6
        print(f"{checks:9,} checks  {seconds:8.2f} CPU s  {marginal:6.0f} µs for each check more", flush=True)


if __name__ == "__main__":
    main()

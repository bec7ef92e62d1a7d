"""Runs of the suite over a small corpus of their own, as a user starts them."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

from repository import ROOT

from lossproof.reporting.jsonl import read_rows

CASES = """\
loss: CrossEntropyLoss
cases:
  - id: weighted-mean
    title: the weighted mean divides by the sum of the picked weights
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
    expect: {mean: 0.3642}
  - id: out-of-range
    title: a class index of C is refused
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
"""

FIRST_AND_LAST = """\
cases:
  - id: nll-first
    title: where each subject misbehaves
    loss: NLLLoss
    params: {weight: [1, 2]}
    args: {input: [[-1, -2], [-1, -3]], target: [0, 1]}
    dtypes: [float64]
  - id: ce-last
    title: where each subject is right
    loss: CrossEntropyLoss
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64]
"""

DEFECTS = """\
defects:
  - {case: weighted-mean, subject: torch.nn, dtypes: [float32], reductions: [mean], quantities: [value],
     observed: wrong, expected: right, why: made up, kind: defect}
"""

REPORTS = {"report.html", "junit.xml", "results.jsonl", "summary.md", "badge.json"}


class Suite:
    """A corpus of its own, and runs of the suite over it."""

    def __init__(self, folder: Path) -> None:
        self.cases = folder / "cases"
        self.reports = folder / "reports"
        self.plugins = folder / "plugins"
        self.mark = folder / "mark"
        self.modules: list[str] = []
        self.cache: Path | None = None
        self.cases.mkdir()
        self.plugins.mkdir()
        (self.cases / "losses.yaml").write_text(CASES)

    def command(self, *options: str) -> list[str]:
        folders = ["--corpus", str(self.cases), "--reports", str(self.reports)]
        cache = ["-o", f"cache_dir={self.cache}"] if self.cache else ["-p", "no:cacheprovider"]
        return [sys.executable, "-m", "lossproof", "verify", *folders, *cache, *options]

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.plugins), *self.modules])
        return os.environ | {"PYTHONPATH": path, "UNRULY_MARK": str(self.mark)}

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*options),
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Workers of pytest-xdist ignore Ctrl-C, and what they start would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def verify(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*options),
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )

    def plant(self, code: str) -> str:
        """Write a plugin that changes something before the run, and return the option that loads it."""
        (self.plugins / "planted.py").write_text(code)
        return "-pplanted"

    def offer(self, subjects: Mapping[str, str]) -> None:
        """Install subjects, named as ``module:attribute``; the modules lie beside this one."""
        metadata = self.plugins / "unruly-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: unruly\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in subjects.items()]
        (metadata / "entry_points.txt").write_text("\n".join(["[lossproof.subjects]", *lines]))
        self.modules.append(str(Path(__file__).parent))

    def records(self) -> list[dict[str, object]]:
        """The fields of each check."""
        _, *rows = read_rows(self.reports / "results.jsonl")
        return [row for _, row in rows]

    def page(self) -> str:
        """What the page holds of the records, unpacked."""
        text = (self.reports / "report.html").read_text(encoding="utf-8")
        return zlib.decompress(base64.b64decode(text.partition('id="packed">')[2].partition("<")[0])).decode()

    def run_line(self) -> dict[str, object]:
        described: dict[str, object] = json.loads(
            (self.reports / "results.jsonl").read_text().splitlines()[0]
        )["run"]
        return described

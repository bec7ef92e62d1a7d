"""A project of somebody else's, with a function, a small corpus, and the verbs of lossproof."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lossproof.records.record import Record
from lossproof.reporting.jsonl import read_results

KERNELS = """\
import torch


def loss(logits, labels, reduction="mean", ignore_index=-100):
    log_probabilities = logits - torch.logsumexp(logits, 1, keepdim=True)
    kept = labels != ignore_index
    picked = -log_probabilities.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    picked = torch.where(kept, picked, torch.zeros_like(picked))
    if reduction == "none":
        return picked
    return picked.sum() if reduction == "sum" else picked.sum() / kept.sum()
"""

CASES = """\
loss: CrossEntropyLoss
cases:
  - id: ce-small
    title: two rows
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64, float32]
  - id: ce-weighted
    title: two rows with weights
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64, float32]
  - id: ce-offset
    title: a common offset
    args: {input: [[1025, 1026, 1027], [-1024, -1026, -1025]], target: [0, 2]}
    dtypes: [float32]
  - id: ce-beyond
    title: an index out of range
    args: {input: [[1, 2], [1, 3]], target: [0, -1]}
    dtypes: [float32]
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
  - id: ce-after
    title: a case after that
    args: {input: [[1, 2], [1, 3]], target: [1, 1]}
    dtypes: [float32]
"""

SUBJECT = ("--subject", "kernels.py:loss", "--as", "cross_entropy")


class Project:
    """A folder with a function, and the verbs of lossproof in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = folder / "kernels.py"
        self.kernels.write_text(KERNELS)
        (folder / "corpus").mkdir()
        (folder / "corpus" / "cross_entropy.yaml").write_text(CASES)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "", "PYTEST_ADDOPTS": ""},
        )

    def verify(self, *options: str, verb: str = "verify") -> subprocess.CompletedProcess[str]:
        return self.run("lossproof", verb, "--corpus", "corpus", "-n", "0", *options)

    def records(self) -> list[Record]:
        return read_results(self.folder / "reports" / "results.jsonl")[1]

    def mend(self) -> None:
        wrong = "logits - torch.logsumexp(logits, 1, keepdim=True)"
        assert wrong in KERNELS
        self.kernels.write_text(KERNELS.replace(wrong, "logits.log_softmax(1)"))

    def outcomes(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for record in self.records():
            found.setdefault(record.case, set()).add(record.outcome)
        return found

"""The projects in ``examples/`` do what their READMEs say."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT

from lossproof.records.record import Record
from lossproof.reporting.jsonl import read_results


class Example:
    """A copy of a project."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder / name
        shutil.copytree(ROOT / "examples" / name, self.folder)
        text = (self.folder / "README.md").read_text(encoding="utf-8")
        [block] = re.findall(r"```sh\n(.*?)```", text, re.S)
        lines = block.replace("\\\n", " ").splitlines()
        self.commands = [shlex.split(line, comments=True) for line in lines]

    def run(self, command: list[str], *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command, *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def write(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def records(self) -> list[Record]:
        return read_results(self.folder / "reports" / "results.jsonl")[1]


def test_the_mistake_of_the_fused_kernel_is_found_and_shown_in_its_own_words(tmp_path: Path) -> None:
    example = Example("fused-cross-entropy", tmp_path)
    verify, test = example.commands
    few = ("--cases", "ce-three-rows,ce-refuses-index-beyond", "-n", "0")
    failed = example.run(verify, *few)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    wrong = [record for record in example.records() if record.outcome == "disagree"]
    assert {record.quantity.kind for record in wrong} >= {"value", "gradient", "vjp"}
    snippet = next(record.detail["snippet"] for record in wrong if record.detail)
    assert snippet.startswith("from kernels import cross_entropy\n")
    (example.folder / "shown.py").write_text(snippet)
    assert "AssertionError" in example.run(["shown"]).stderr
    own = example.run(test, "-q", "-p", "no:cacheprovider", "-k", "three-rows or index-beyond")
    assert "1 failed, 1 passed" in own.stdout, own.stdout
    example.write("kernels.py", "value=0.0)", "value=-torch.inf)")
    assert example.run(["shown"]).returncode == 0
    assert example.run(verify, *few).returncode == 0
    mended = example.run(test, "-q", "-p", "no:cacheprovider", "-k", "three-rows or index-beyond")
    assert "2 passed" in mended.stdout, mended.stdout


def test_the_port_to_numpy_conforms_until_it_is_broken_and_needs_no_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    example = Example("numpy-port", tmp_path)
    [verify] = example.commands
    few = ("--cases", "huber-*", "-n", "0")
    passed = example.run(verify, *few)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    agreeing = {record.quantity.kind for record in example.records() if record.outcome == "agree"}
    assert agreeing >= {"value", "gradient", "vjp"}
    example.write("losses.py", "distance < delta", "distance <= delta")
    assert example.run(verify, *few).returncode == 0
    example.write("losses.py", "delta / 2", "delta")
    failed = example.run(verify, *few)
    assert failed.returncode == 1
    snippet = next(
        record.detail["snippet"]
        for record in example.records()
        if record.outcome.is_failing and record.detail
    )
    assert snippet.startswith("from losses import huber\n")

"""A dtype is added by a line in one table; whether it is a default says which cases run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lossproof

CASES = """\
loss: MSELoss
cases:
  - id: unnamed
    title: a case that names no dtypes
    args: {input: [1, 2], target: [0, 0]}
  - id: named
    title: a case that names the dtype
    args: {input: [1, 2], target: [0, 0]}
    dtypes: [float8_e4m3fn]
    expect: {sum: {digits: 5, float8_e4m3fn: 5}}
"""
NAME = 'Format("float8_e4m3fn"'
LAST = '        Format("float16", 11, -14, 65504.0),\n'
ADDED = '        Format("float8_e4m3fn", 4, -6, 448.0, has_infinities=False{more}),\n'
RUN = """\
from pathlib import Path
from lossproof.corpus.reading import load_corpus
from lossproof.records.lines import records_in
from lossproof.running.selection import select
from lossproof.running.session import ConformanceSession
corpus = load_corpus(Path("cases"))
selection = select(corpus, "torch.nn.functional", "", "", "cpu")
session = ConformanceSession(corpus, selection)
for trial in selection.trials:
    print(trial.id, *sorted({record.outcome for record in records_in(session.examine(trial).lines)}))
"""


def results_with(root: Path, line: str) -> list[str]:
    """What a copy of the suite whose table has one more line finds: checks, and their outcomes."""
    shutil.copytree(Path(lossproof.__file__).parent, root / "lossproof")
    table = root / "lossproof" / "numbers" / "formats.py"
    text = table.read_text(encoding="utf-8")
    assert LAST in text
    # Without the entry that this one stands for, should the table have come to hold it.
    others = "".join(row for row in text.splitlines(True) if NAME not in row)
    table.write_text(others.replace(LAST, LAST + line), encoding="utf-8")
    (root / "cases").mkdir()
    (root / "cases" / "x.yaml").write_text(CASES, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(root)}
    finished = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, cwd=root, env=environment
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


@pytest.mark.parametrize(("more", "is_joined"), [("", True), (", is_default=False", False)])
def test_an_optional_dtype_runs_only_where_a_case_names_it(
    tmp_path: Path, more: str, is_joined: bool
) -> None:
    found = results_with(tmp_path, ADDED.format(more=more))
    assert "unnamed-torch.nn.functional-float16 agree" in found
    # The processor has no kernel of the loss for eight bits.
    assert ("unnamed-torch.nn.functional-float8_e4m3fn unsupported" in found) == is_joined
    assert found[-2:] == [
        "named-certified agree",
        "named-torch.nn.functional-float8_e4m3fn unsupported",
    ]

"""The guide to runners is true, and its examples conform in all that they claim."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ROOT, whole_cases, whole_corpus
from runners import GUIDE, overhear, subject_of, write_runner

from lossproof.adapters.features import FEATURES, UNCHANGED
from lossproof.checks.examination import Examiner
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome

EXAMPLES = ROOT / "examples"
# Larger cases take the seconds of a whole run, and their elements are computed like any others.
LARGEST = 5000


def test_the_exchange_of_the_guide_is_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [exchange] = re.findall(r"```\n(> .*?)```", GUIDE, re.S)
    said = overhear(monkeypatch)
    with subject_of(write_runner(tmp_path)) as subject:
        Examiner().examine(whole_cases()["mse-legacy-none"], subject, "float64")
    assert exchange.splitlines() == said[:6]


def test_the_guide_names_every_dtype_and_feature() -> None:
    # A runner gets copies, so that it cannot write to its inputs.
    for name in (*FORMATS, *({*FEATURES} - {UNCHANGED})):
        assert f"`{name}`" in GUIDE, name


def program(name: str) -> str:
    """Where a program lies; the test is skipped if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def compiled(folder: Path, *command: str) -> str:
    runner = folder / "runner"
    subprocess.run([program(command[0]), *command[1:], "-o", str(runner)], check=True, timeout=300)
    return str(runner)


BUILT: dict[str, Callable[[Path], str]] = {
    "node": lambda folder: f"{program('node')} {EXAMPLES / 'runner-node' / 'runner.mjs'}",
    "c": lambda folder: compiled(
        folder,
        "cc",
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        str(EXAMPLES / "runner-c" / "runner.c"),
        "-lm",
    ),
    "rust": lambda folder: compiled(
        folder, "rustc", "-O", "-Dwarnings", "--edition", "2021", str(EXAMPLES / "runner-rust" / "main.rs")
    ),
}


@pytest.mark.parametrize("example", BUILT)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_example_conforms(example: str, dtype: str, tmp_path: Path) -> None:
    examiner = Examiner(dtype, with_modes=False)
    outcomes: Counter[Outcome] = Counter()
    with subject_of(BUILT[example](tmp_path), checks_messages=True) as subject:
        for case in whole_corpus().cases:
            if not subject.has_loss(case.loss) or dtype not in case.dtypes or case.module is not None:
                continue
            if all(math.prod(tensor.shape) <= LARGEST for tensor in case.args.values()):
                records = examiner.examine(case, subject, dtype)
                assert [record for record in records if record.outcome.is_failing] == []
                outcomes.update(record.outcome for record in records)
    assert outcomes[Outcome.AGREE] > 500
    assert outcomes[Outcome.AGREE] > 2 * outcomes[Outcome.UNSUPPORTED]

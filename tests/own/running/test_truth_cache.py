"""A second run reads the truth that the first one computed, and computes anew whatever it cannot trust."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from suite_runs import Suite

CASES = """\
cases:
  - {id: squares, title: squares, loss: MSELoss, args: {input: [1, 2.5], target: [0.5, 1]}}
  - {id: kink, title: on a kink, loss: L1Loss, args: {input: [0.5, 2], target: [0.5, 1]}}
  - {id: wrong, title: wrong on purpose, loss: SmoothL1Loss, args: {input: [0.5, 3], target: [1, 1]}}
"""
# Notes each loss whose truth is computed, and makes one result wrong.
NOTED = """
import os
import torch
from lossproof.judging import calls, derivatives
def noted(right, loss_of):
    def compute(*given):
        with open(os.environ["UNRULY_MARK"], "a") as mark:
            mark.write(loss_of(*given) + "\\n")
        return right(*given)
    return compute
calls.truth_of = noted(calls.truth_of, lambda call, *_: call.loss.name)
class Noted(derivatives.Formula):
    truths = noted(derivatives.Formula.truths, lambda formula: "second derivative")
derivatives.Formula = Noted
right = torch.nn.functional.smooth_l1_loss
torch.nn.functional.smooth_l1_loss = lambda *args, **options: right(*args, **options) * 1.0001
"""
# Writes half of what goes to the cache.
FULL = """
import errno, pathlib
right_open = pathlib.Path.open
def full(path, mode="r", *given, **options):
    file = right_open(path, mode, *given, **options)
    if "cache" not in path.parts or mode == "rb":
        return file
    file.write(b"half of it" if "b" in mode else "half of it")
    file.close()
    raise OSError(errno.ENOSPC, "No space left on device")
pathlib.Path.open = full
"""
# Its truth is computed in every run.
SENTINEL = Counter(["CrossEntropyLoss"])
Records = list[dict[str, object]]


class Runs:
    """Runs of the suite that share a cache."""

    def __init__(self, suite: Suite, cache: Path) -> None:
        self.suite, self.suite.cache = suite, cache
        self.planted = suite.plant(NOTED)
        (suite.cases / "losses.yaml").write_text(CASES)

    def start(self, *options: str) -> subprocess.Popen[str]:
        return self.suite.start(self.planted, *options)

    def files(self) -> list[Path]:
        """Those that hold truth or trials."""
        assert self.suite.cache is not None
        return list(self.suite.cache.rglob("*.kept"))

    def run(self, *options: str) -> tuple[Counter[str], Records]:
        """The losses whose truth is computed, and the records."""
        self.suite.mark.write_text("")
        run = self.start(*(options or ("-n", "0")))
        printed, _ = run.communicate(timeout=300)
        assert run.returncode == 1, printed
        assert "Traceback" not in printed
        return Counter(self.suite.mark.read_text().split("\n")[:-1]), without_times(self.suite.records())


def without_times(records: Records) -> Records:
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


@pytest.fixture
def runs(suite: Suite, tmp_path: Path) -> Runs:
    return Runs(suite, tmp_path / "cache")


def test_a_second_run_computes_no_truth_not_even_that_of_wrong_results(runs: Runs) -> None:
    first, records = runs.run()
    assert set(first) == {"MSELoss", "L1Loss", "SmoothL1Loss", "second derivative", *SENTINEL}
    wrong = {record["case"] for record in records if record["outcome"] == "disagree"}
    assert wrong == {"wrong"}
    computed, same = runs.run()
    assert computed == SENTINEL
    assert same == records
    runs.suite.cache = None
    computed, without = runs.run()
    assert computed == first
    assert without == records


def test_a_changed_case_is_computed_anew_and_no_other(runs: Runs) -> None:
    runs.run()
    losses = runs.suite.cases / "losses.yaml"
    losses.write_text(losses.read_text().replace("2.5]", "2.25]").replace("on a kink", "in other words"))
    computed, _ = runs.run()
    assert computed["MSELoss"] > 0
    assert computed["L1Loss"] == 0


def test_a_damaged_or_cleared_cache_is_computed_anew(runs: Runs) -> None:
    first, records = runs.run()
    truth, trials = runs.files()
    for path in (truth, trials):
        path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    assert runs.run() == (first, records)
    assert runs.run()[0] == SENTINEL
    assert runs.run("-n", "0", "--cache-clear") == (first, records)


def test_a_cache_that_cannot_be_written_is_none(runs: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "d").touch()  # where pytest would make the folders of plugins
    for _ in range(2):
        computed, _ = runs.run()
        assert computed["MSELoss"] > 0


def test_a_cache_on_a_full_disk_changes_nothing(runs: Runs) -> None:
    runs.suite.plant(NOTED + FULL)
    first, records = runs.run()
    assert first["MSELoss"] > 0
    assert any(path.read_bytes().startswith(b"half of it") for path in runs.files())
    runs.suite.plant(NOTED)
    assert runs.run() == (first, records)


def test_two_runs_at_once_and_their_workers_fill_one_cache(runs: Runs) -> None:
    both = [runs.start("-n", "2", "--reports", str(runs.suite.reports / name)) for name in "ab"]
    for run in both:
        printed, _ = run.communicate(timeout=300)
        assert run.returncode == 1, printed
    computed, _ = runs.run()
    assert computed["MSELoss"] + computed["L1Loss"] < 3
    assert len(runs.files()) > 1

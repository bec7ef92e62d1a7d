"""A case with ``repeats`` must come out right every time, and says nothing that changes from run to run."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from lossproof.corpus.reading import load_corpus
from lossproof.judging.examination import Examiner
from lossproof.judging.record import Record
from lossproof.selection import signatures
from lossproof.subjects import find_subject

CASE = """
loss: KLDivLoss
cases:
  - id: again
    title: the same every time
    args: {input: [-1, -2], target: [0.5, 0.25]}
    reductions: [sum]
    repeats: 4
"""


def examine(folder: Path) -> dict[str, Record]:
    (folder / "x.yaml").write_text(CASE)
    (case,) = load_corpus(folder, signatures()).cases
    records = Examiner().examine(case, find_subject("torch.nn.functional"), "float64")
    return {record.quantity: record for record in records}


def test_what_is_right_every_time_agrees(tmp_path: Path) -> None:
    records = examine(tmp_path)
    assert set(records) >= {"value", "gradient:input", "vjp:target"}
    assert {record.outcome for record in records.values()} == {"agree"}


def test_what_is_wrong_once_disagrees_without_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, calls = torch.nn.functional.kl_div, itertools.count()
    monkeypatch.setattr(
        torch.nn.functional,
        "kl_div",
        lambda *args, **kwargs: right(*args, **kwargs) + (next(calls) == 2),
    )
    records = examine(tmp_path)
    assert {name for name, record in records.items() if record.outcome != "agree"} == {"value"}
    assert records["value"].message == "not right in every one of 4 runs of the same call"
    assert records["value"].error_over_budget is None
    assert records["value"].detail is not None
    assert "observed" not in records["value"].detail

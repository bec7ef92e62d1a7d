"""A known defect, and a record that it explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.observed import Observed
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record

ENTRY = KnownDefect(
    case="one",
    subject="torch.*",
    dtypes=(),
    reductions=(),
    quantities=(),
    since="",
    until="",
    platform="",
    device="",
    observed=Observed((parse_numeral(".nan"),)),
    expected="0",
    why="the kernel divides by zero",
    kind="defect",
    link="",
    file="cases/known-defects.yaml",
    line=7,
)

RECORD = Record(
    case="one",
    title="a case",
    loss="CrossEntropyLoss",
    subject="torch.nn",
    dtype="float32",
    device="cpu",
    layout="contiguous",
    reduction="mean",
    quantity=Quantity("value"),
    outcome=Outcome.DISAGREE,
    error_over_budget=3.0,
    source=None,
    file="cases/x.yaml",
    line=3,
    message="the result is nan",
    detail={"snippet": "import torch"},
    came_out=["nan"],
)


def entry(**changes: Any) -> KnownDefect:
    return replace(ENTRY, **changes)


def record(**changes: Any) -> Record:
    return Record.from_data(vars(RECORD) | changes)

"""A known defect that the tests of what it explains share."""

from __future__ import annotations

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.observed import Observed

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

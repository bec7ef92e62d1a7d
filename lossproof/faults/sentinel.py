"""The sentinel: a fault that stands in every run, and that the harness has to catch.

A harness that no longer catches it would call everything right, so nothing that such a run says counts.
"""

from __future__ import annotations

from lossproof.corpus.case_reading import read_cases
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.nodes import parse_tree
from lossproof.faults.planted.likelihood.cross_entropy import ce_weighted_mean_over_rows
from lossproof.selection import Check, signatures

FAULT = ce_weighted_mean_over_rows

# A case of its own: a run may be of any cases, and of any corpus.
_CASE = """
cases:
  - id: sentinel
    title: a fault that was planted on purpose
    loss: CrossEntropyLoss
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
    reductions: [mean]
    dtypes: [float32]
"""


def sentinel_check() -> Check:
    """The check that has to fail while FAULT is planted."""
    notes = Notes(__name__)
    [case] = read_cases(parse_tree(_CASE, notes), signatures(), notes)
    if len(notes):
        raise CorpusError(notes.complaints())
    return Check(case, FAULT.subject, case.dtypes[0] if case.dtypes else "")

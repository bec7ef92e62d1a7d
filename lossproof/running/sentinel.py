"""The sentinel: a subject with a bug, for one trial of every run, which the harness must catch.

A harness that does not catch it might call anything right, so the results of such a run do not count.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lossproof.corpus.case_reading import read_cases
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.nodes import parse_tree
from lossproof.running.selection import PlannedTrial
from lossproof.subjects.call import Call, Observation
from lossproof.subjects.reference.subject import ReferenceSubject

MISTAKE = "The weighted mean divides by the number of rows, not by the sum of their weights."

# The case is here, since a run may select any cases, from any corpus.
_CASE = """
cases:
  - id: sentinel
    title: a fault that was planted on purpose
    loss: CrossEntropyLoss
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
    reductions: [mean]
    dtypes: [float64]
"""


class MistakenSubject(ReferenceSubject):
    """The reference with the mistake. It needs no library, so that every run has a sentinel."""

    name = "sentinel"

    def run(self, call: Call) -> Observation:
        """Run what the one case calls."""
        answer = super().run(replace(call, reduction="sum"))
        rows = len(call.args["target"].numbers)
        gradients = tuple(
            {name: np.asarray(gradient / rows) for name, gradient in by_name.items()}
            for by_name in answer.gradients
        )
        return replace(answer, value=np.asarray(answer.value / rows), gradients=gradients)


def sentinel_trial() -> PlannedTrial:
    """The trial that must fail."""
    notes = Notes(__name__)
    [case] = read_cases(parse_tree(_CASE, notes), notes)
    if len(notes):
        raise CorpusError(notes.complaints())
    return PlannedTrial(case, MistakenSubject.name, "float64")

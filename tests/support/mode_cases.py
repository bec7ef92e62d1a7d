"""Small cases for the modes of torch, and the records of their modes."""

from __future__ import annotations

from examined_cases import cases_of

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.records.record import Record
from lossproof.subjects.registry import find_subject
from lossproof.subjects.torch.modes.table import MODES

CASES = cases_of(
    """\
cases:
  - id: plain
    title: logits of both signs
    loss: BCEWithLogitsLoss
    args: {input: [[0.5, -1], [2, 0.25]], target: [[0.25, 1], [0.5, 0]]}
  - id: image
    title: an image
    loss: BCEWithLogitsLoss
    args:
      input: {uniform: [-2, 2], shape: [2, 3, 2, 2], seed: 1}
      target: {uniform: [0, 1], shape: [2, 3, 2, 2], seed: 2}
  - id: large
    title: enough elements to be divided among threads
    loss: BCEWithLogitsLoss
    args:
      input: {uniform: [-2, 2], shape: [2000], seed: 1}
      target: {uniform: [0, 1], shape: [2000], seed: 2}
  - id: vector
    title: an output of several numbers
    loss: LogSoftmax
    params: {dim: 1}
    args: {input: [[0.5, -1, 2], [0.25, 1.5, -0.75]]}
  - id: wrong-by-itself
    title: a call whose plain result is wrong
    loss: BCEWithLogitsLoss
    args: {input: [.inf, 1], target: [1, 0]}
  - id: confident
    title: second derivatives that are a small difference of large terms
    loss: CrossEntropyLoss
    args: {input: [[40, 0]], target: [0]}
"""
)


def modes_of(case: Case, subject: str = "torch.nn.functional") -> dict[tuple[str, str], Record]:
    """The records of all modes of a case, by quantity and dtype."""
    found, examiner = find_subject(subject), Examiner(with_all_ways=True)
    return {
        (record.quantity, dtype): record
        for dtype in ("float64", "float32", "bfloat16")
        for record in examiner.examine(case, found, dtype)
        if record.quantity.partition(":")[0] in MODES
    }

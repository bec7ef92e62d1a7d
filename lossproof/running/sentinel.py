"""The sentinel: a bug that is planted in torch for one trial of every run, and that the harness must catch.

A harness that does not catch it might call anything right, so the results of such a run do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossproof.corpus.case_reading import read_cases
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.nodes import parse_tree
from lossproof.running.selection import PlannedTrial

if TYPE_CHECKING:
    from torch import Tensor

SUBJECT = "torch.nn.functional"
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
    dtypes: [float32]
"""


def sentinel_trial() -> PlannedTrial:
    """The trial that must fail while the mistake is planted."""
    notes = Notes(__name__)
    [case] = read_cases(parse_tree(_CASE, notes), notes)
    if len(notes):
        raise CorpusError(notes.complaints())
    return PlannedTrial(case, SUBJECT, "float32")


@contextmanager
def plant_mistake() -> Iterator[None]:
    """Replace torch's function by one with the mistake."""
    from torch.nn import functional

    original = functional.cross_entropy

    def wrong_cross_entropy(input: Tensor, target: Tensor, **options: Any) -> Tensor:
        return original(input, target, **options | {"reduction": "sum"}) / len(target)

    functional.cross_entropy = wrong_cross_entropy  # type: ignore[assignment]  # it takes what the one case passes
    try:
        yield
    finally:
        functional.cross_entropy = original

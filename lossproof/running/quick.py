"""The cases of ``verify --quick``: of each loss, the few that catch the most planted faults."""

from __future__ import annotations

import json
from pathlib import Path

from lossproof.checks.refusals import HARMFUL
from lossproof.corpus.case import Case

# ``python -m proofs.quick`` measures and writes it.
QUICK_CASES = Path(__file__).with_name("quick_cases.json")


def quick_cases(cases: list[Case], may_accept: bool = False) -> list[Case]:
    """The quick ones of some cases; all of a loss that the measurement does not know.

    Args:
        cases: the cases.
        may_accept: whether all subjects may accept what torch refuses. Then of the refusals only those are
            quick that nobody may accept; each of the others could cost a new process, and never fail.
    """
    selection = json.loads(QUICK_CASES.read_text(encoding="utf-8"))
    quick = [case for case in cases if case.id in selection.get(case.loss, [case.id])]
    return [case for case in quick if not may_accept or case.raises is None or case.raises.kind in HARMFUL]

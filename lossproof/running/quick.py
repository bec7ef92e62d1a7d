"""The cases of ``verify --quick``: of each loss, the few that catch the most planted faults."""

from __future__ import annotations

import json
from pathlib import Path

from lossproof.corpus.case import Case

# ``python -m proofs.quick`` measures and writes it.
QUICK_CASES = Path(__file__).with_name("quick_cases.json")


def quick_cases(cases: list[Case]) -> list[Case]:
    """The quick ones of some cases; all of a loss that the measurement does not know."""
    selection = json.loads(QUICK_CASES.read_text(encoding="utf-8"))
    return [case for case in cases if case.id in selection.get(case.loss, [case.id])]

"""The part of the suite that a run was asked for: in words, and whether a check belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from lossproof.records.quantity import Quantity
from lossproof.records.record import Record, Run
from lossproof.reporting.baseline import BaselineCheck

# The options that leave something out, each with the words before its value.
_IN_WORDS = {
    "cases": "cases",
    "losses": "losses",
    "flags": "flags",
    "quantities": "quantities",
    "dtypes": "dtypes",
}
# Those of them that select cases by something that a check does not say.
_BY_CASE = ("losses", "flags", "no_refusals", "quick")


def part_in_words(options: Mapping[str, Any]) -> str:
    """A sentence on what a run left out; empty if it ran everything.

    >>> part_in_words({"losses": "MSELoss", "no_refusals": "yes", "cases": ""})
    'Only a part of the suite ran: losses MSELoss; without refusals.'
    """
    named = ((words, str(options.get(name) or "")) for name, words in _IN_WORDS.items())
    parts = [f"{words} {', '.join(value.split(','))}" for words, value in named if value]
    parts += ["without refusals"] if options.get("no_refusals") else []
    parts += ["the quick cases"] if options.get("quick") else []
    parts += [f"shard {options['shard']}"] if options.get("shard") else []
    return f"Only a part of the suite ran: {'; '.join(parts)}." if parts else ""


@dataclass(frozen=True)
class Part:
    """What a run was asked for; ``cases`` are those of which it has any check."""

    run: Run
    cases: Collection[str]

    def has(self, other: Run, check: Record | BaselineCheck) -> bool:
        """Whether this run should have a check of the other run."""
        run = self.run
        if not run.complete or run.options.get("shard"):
            return False
        if any(run.options.get(name) for name in _BY_CASE) and check.case not in self.cases:
            return False
        patterns, quantities, subjects, dtypes, device = (
            _limits(run, name) for name in ("cases", "quantities", "subjects", "dtypes", "device")
        )
        same_device = device == _limits(other, "device")
        # Layouts are tried in only one of the run's dtypes.
        same_dtypes = dtypes == _limits(other, "dtypes")
        return (
            (not patterns or any(fnmatch(check.case, pattern) for pattern in patterns))
            and (not quantities or Quantity(check.quantity).is_among(quantities))
            and (not subjects or check.subject in (*subjects, None))
            and (not dtypes or check.dtype in (*dtypes, None))
            and (same_device or check.device in device)
            and (same_dtypes or check.layout == "contiguous")
        )


def _limits(run: Run, option: str) -> list[str]:
    """The values to which an option limited a run; empty if it had no limit."""
    return [part.strip() for part in str(run.options.get(option) or "").split(",") if part.strip()]

"""Compares two runs: changed outcomes, changed accuracy, new checks and missing ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from lossproof.records.outcome import FAILING, FOREIGN, Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.baseline import BaselineCheck, read_baseline, results_file
from lossproof.reporting.jsonl import repeated_trials
from lossproof.reporting.part import Part
from lossproof.reporting.text import count

KEY = ("case", "subject", "dtype", "device", "layout", "reduction", "quantity")
_NAMES = ("case", "loss", *KEY[1:])
_MOST_LISTED = 500
# 95 of 100 shares of torch are below a quarter of the budget; differences there are noise: see ``compare``.
_NOISE = 0.25
_FACTOR = 2

Key = tuple[str | None, ...]
_key = attrgetter(*KEY)


class Difference(NamedTuple):
    """A check on which two runs differ, in its outcome or in its share of the budget.

    Attributes:
        check: the check in the new run, or in the old one if only that has it.
        was, now: the outcome or the share in the old and the new run; None if the run lacks the check.
    """

    check: Record | BaselineCheck
    was: str | float | None
    now: str | float | None


@dataclass(frozen=True)
class Comparison:
    """The differences between an old and a new run; each list begins with the worst.

    Attributes:
        old, new: the versions of each run, and when it started.
        changed: checks with another outcome.
        less_accurate, more_accurate: checks with the same outcome and a different share of the budget.
        appeared, gone: checks that only the new or only the old run has.
        same: the number of all other checks.
        notes: sentences about checks that are not counted.
    """

    old: dict[str, str]
    new: dict[str, str]
    changed: list[Difference]
    less_accurate: list[Difference]
    more_accurate: list[Difference]
    appeared: list[Difference]
    gone: list[Difference]
    same: int
    notes: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """The number of checks in each group."""
        return {
            "changed": len(self.changed),
            "more accurate": len(self.more_accurate),
            "less accurate": len(self.less_accurate),
            "new": len(self.appeared),
            "gone": len(self.gone),
            "same": self.same,
        }

    @property
    def worse(self) -> list[Difference]:
        """What got worse: checks that now fail or fail differently, that no longer pass, or that are gone."""
        return [*filter(_is_worse, self.changed), *self.gone]

    @property
    def status(self) -> int:
        """The exit status of ``lossproof compare``: 0 when nothing got worse, else 1."""
        return 1 if self.worse else 0

    def data(self) -> dict[str, Any]:
        """The comparison as plain data: lists of at most 500 checks, and complete counts."""
        return {
            "old": self.old,
            "new": self.new,
            "counts": self.counts,
            "changed": _difference_data(self.changed),
            "accuracy": _difference_data([*self.less_accurate, *self.more_accurate]),
            "added": _difference_data(self.appeared),
            "gone": _difference_data(self.gone),
            "notes": self.notes,
        }


def compare_files(old: Path, new: Path) -> Comparison:
    """Compare the runs in two ``results.jsonl``, or in two folders that hold one."""
    # Most trials of two runs give the same line, and then the same checks.
    repeated = repeated_trials(results_file(old), results_file(new))
    before, after = read_baseline(old, repeated), read_baseline(new, repeated)
    return compare(before.run, before.checks, after.run, after.checks, sum(repeated.values()))


def compare(
    old_run: Run,
    old_records: Iterable[Record | BaselineCheck],
    new_run: Run,
    new_records: Iterable[Record | BaselineCheck],
    same: int = 0,
) -> Comparison:
    """Compare two runs check by check, apart from checks that are known to be the ``same``.

    Case, subject, dtype, device, layout, reduction and quantity identify a check. It got more or less
    accurate if the outcome is the same, one of its two errors is more than twice the other, and the larger is
    above a quarter of the budget. Smaller differences are noise: a build that sums in another order rounds
    differently and is neither better nor worse. (Of 12,715 checks of torch with and without vector
    instructions, 155 have different errors, none by that much; with a tenth of the budget as the limit, 12
    would be named. Between float64 torch and this reference, both honest, 1 in 100 would be.) The error of a
    known defect does not measure accuracy, nor does the grade of a second derivative.

    A check is neither new nor gone if the other run was not asked for it, was interrupted, or is a shard.
    """
    old, new = _by_key(old_records), _by_key(new_records)
    changed: list[Difference] = []
    less: list[Difference] = []
    more: list[Difference] = []
    for key, check in new.items():
        before = old.get(key)
        if before is None:
            continue
        if before.outcome != check.outcome:
            changed.append(Difference(check, before.outcome, check.outcome))
        elif _is_other_accuracy(was := _share(before), now := _share(check)):
            (less if _amount(now) > _amount(was) else more).append(Difference(check, was, now))
        else:
            same += 1
    only_new = [check for key, check in new.items() if key not in old]
    only_old = [check for key, check in old.items() if key not in new]
    cases = ({check.case for check in checks.values()} for checks in (old, new))
    old_part, new_part = (Part(run, ran) for run, ran in zip((old_run, new_run), cases, strict=True))
    appeared = [Difference(one, None, one.outcome) for one in only_new if old_part.has(new_run, one)]
    gone = [Difference(one, one.outcome, None) for one in only_old if new_part.has(old_run, one)]
    return Comparison(
        old=_origin(old_run),
        new=_origin(new_run),
        changed=sorted(changed, key=_gravity),
        less_accurate=sorted(less, key=lambda one: -_amount(one.now)),
        more_accurate=sorted(more, key=lambda one: -_amount(one.was)),
        appeared=sorted(appeared, key=lambda one: one.now not in FAILING),
        gone=sorted(gone, key=lambda one: one.was != Outcome.AGREE),
        same=same,
        notes=[
            *_note("old", old_run, len(only_new) - len(appeared), "new"),
            *_note("new", new_run, len(only_old) - len(gone), "gone"),
        ],
    )


def _by_key(records: Iterable[Record | BaselineCheck]) -> dict[Key, Record | BaselineCheck]:
    by_key: dict[Key, Record | BaselineCheck] = {}
    times: Counter[Key] = Counter()
    for record in records:
        key: Key = _key(record)
        times[key] += 1
        # A case may print two numbers for the same reduction.
        by_key[key if times[key] == 1 else (*key, str(times[key]))] = record
    return by_key


def _share(check: Record | BaselineCheck) -> float | None:
    """The share of the budget, or None where it does not measure accuracy."""
    share = check.error_over_budget
    is_grade = check.outcome == Outcome.AGREE and share is not None and share > 1
    return None if is_grade or check.outcome == Outcome.KNOWN_DEFECT else share


def _is_other_accuracy(was: float | None, now: float | None) -> bool:
    if was == now or was is None or now is None:
        return False
    low, high = sorted((_amount(was), _amount(now)))
    return high > _NOISE and high > _FACTOR * low


def _amount(share: str | float | None) -> float:
    """A share as a sort key: a NaN is the worst."""
    assert isinstance(share, (int, float))
    return math.inf if math.isnan(share) else share


def _is_worse(difference: Difference) -> bool:
    is_less = difference.now in (*FOREIGN, Outcome.OVERFLOWED, Outcome.OTHER_CONVENTION, Outcome.UNSUPPORTED)
    return difference.now in FAILING or (difference.was == Outcome.AGREE and is_less)


def _gravity(difference: Difference) -> tuple[bool, bool]:
    return not _is_worse(difference), difference.was != Outcome.AGREE


def _note(name: str, run: Run, number: int, kind: str) -> list[str]:
    if not number:
        return []
    why = "was not asked for them" if run.complete else "was interrupted"
    return [f"{count(number, 'check')} not counted as {kind}: the {name} run {why}."]


def _origin(run: Run) -> dict[str, str]:
    return {**run.versions, "started": run.started}


def _difference_data(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    return [
        {name: getattr(one.check, name) for name in _NAMES}
        | {name: value for name, value in (("was", one.was), ("is", one.now)) if value is not None}
        for one in differences[:_MOST_LISTED]
    ]

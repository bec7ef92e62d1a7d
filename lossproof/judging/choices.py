"""Telling a changed convention from a wrong number: what came out may be right under another pick."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product

from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.record import ANOTHER, Record
from lossproof.reference.catalogue import CONVENTIONS


def or_changed(truth: Truth, judge: Callable[[Truth], Verdict]) -> Verdict:
    """A verdict by the picks in force, or that another pick of what the formula leaves open explains it.

    Args:
        truth: by the picks in force.
        judge: judges the numbers by a truth.
    """
    verdict = judge(truth)
    if not truth.picks or truth.picked is None:
        return verdict
    if verdict.agrees:
        return replace(verdict, picks=truth.picks)
    for others, is_free in _otherwise(truth.picks):
        if judge(truth.picked({} if is_free else others, is_free)).agrees:
            return replace(
                verdict,
                error_over_budget=None,
                is_changed=True,
                picks={**truth.picks, **others},
                message=f"{_told(truth.picks, others)}: {verdict.message}",
            )
    return verdict


def own_conventions(records: Iterable[Record], on_record: Mapping[str, str]) -> list[Record]:
    """Records of which only those that differ from a pick on record have changed one; others have their own.

    Args:
        records: of one subject.
        on_record: its picks that are on record, by the names of conventions.
    """

    def has_changed(record: Record) -> bool:
        return any(on_record.get(name, pick) != pick for name, pick in record.picks.items())

    return [
        replace(record, outcome=Outcome.OTHER_CONVENTION)
        if record.outcome == Outcome.CHANGED_CONVENTION and not has_changed(record)
        else record
        for record in records
    ]


def _otherwise(picks: Mapping[str, str]) -> Iterator[tuple[dict[str, str], bool]]:
    """The other picks: the fewest conventions changed first, at last whatever the kinks allow."""
    names = list(picks)
    choices = [[picks[name], *(set(CONVENTIONS[name].picks) - {picks[name]})] for name in names]
    combined = [dict(zip(names, one, strict=True)) for one in product(*choices)]
    differing = [{name: pick for name, pick in one.items() if pick != picks[name]} for one in combined]
    yield from ((one, False) for one in sorted(differing, key=len) if one)
    kinks = [name for name in names if CONVENTIONS[name].ends is not None]
    if kinks:
        yield dict.fromkeys(kinks, ANOTHER), True


def _told(picks: Mapping[str, str], others: Mapping[str, str]) -> str:
    changes = [
        f"{name} is {pick} in place of {picks[name]} ({CONVENTIONS[name].means})"
        for name, pick in others.items()
    ]
    return "; ".join(changes)

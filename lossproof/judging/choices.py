"""Tells a changed convention from a wrong number, which may be right under another pick."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product

from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.record import ANOTHER, Record
from lossproof.reference.catalogue import CONVENTIONS


def judge_by_picks(truth: Truth, judge: Callable[[Truth], Verdict]) -> Verdict:
    """The verdict under the picks in force; a failing one says whether other picks would make it agree."""
    verdict = judge(truth)
    if not truth.picks:
        return verdict
    if verdict.agrees:
        return replace(verdict, picks=truth.picks)
    for others, other in other_truths(truth):
        if judge(other).agrees:
            return replace(
                verdict,
                error_over_budget=None,
                is_changed=True,
                picks={**truth.picks, **others},
                message=f"{_message(truth.picks, others)}: {verdict.message}",
            )
    return verdict


def other_truths(truth: Truth) -> Iterator[tuple[Mapping[str, str], Truth]]:
    """The truth under each other combination of picks, those with the fewest changes first.

    Last comes the truth under whatever the kinks allow.
    """
    if truth.under_picks is not None:
        for others, is_free in _other_picks(truth.picks):
            yield others, truth.under_picks({} if is_free else others, is_free)


def reclassify_conventions(records: Iterable[Record], on_record: Mapping[str, str]) -> list[Record]:
    """Records in which a convention has changed only if a pick on record differs; else it is another one.

    The picks on record are those of the records' subject, by the names of conventions.
    """

    def has_changed(record: Record) -> bool:
        return any(on_record.get(name, pick) != pick for name, pick in record.picks.items())

    return [
        replace(record, outcome=Outcome.OTHER_CONVENTION)
        if record.outcome == Outcome.CHANGED_CONVENTION and not has_changed(record)
        else record
        for record in records
    ]


def _other_picks(picks: Mapping[str, str]) -> Iterator[tuple[dict[str, str], bool]]:
    """All other combinations, those with the fewest changes first; finally, whatever the kinks allow."""
    names = list(picks)
    choices = [[picks[name], *(set(CONVENTIONS[name].picks) - {picks[name]})] for name in names]
    combined = [dict(zip(names, choice, strict=True)) for choice in product(*choices)]
    changes = [{name: pick for name, pick in others.items() if pick != picks[name]} for others in combined]
    yield from ((change, False) for change in sorted(changes, key=len) if change)
    kinks = [name for name in names if CONVENTIONS[name].ends is not None]
    if kinks:
        yield dict.fromkeys(kinks, ANOTHER), True


def _message(picks: Mapping[str, str], others: Mapping[str, str]) -> str:
    changes = [
        f"{name} is {pick} in place of {picks[name]} ({CONVENTIONS[name].means})"
        for name, pick in others.items()
    ]
    return "; ".join(changes)

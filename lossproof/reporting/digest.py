"""Summarizes records: counts, the verdict, failing cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from lossproof.records.outcome import FOREIGN, GRAVEST_FIRST, Outcome
from lossproof.records.record import Record, Run
from lossproof.reporting.causes import causes, kinds_in_words
from lossproof.reporting.groups import by_outcome, failures_in, grouped, remembered
from lossproof.reporting.text import count

# The outcomes graver than agreement, the gravest first: any that occur are counted.
COUNTED = tuple(outcome.value for outcome in GRAVEST_FIRST if outcome.gravity > Outcome.AGREE.gravity)


@dataclass(frozen=True)
class Verdict:
    """Whether everything conforms, and a sentence that says so."""

    conforms: bool
    sentence: str


def outcome_counts(records: Iterable[Record]) -> Mapping[str, int]:
    """Return how many records have each outcome, in the order of Outcome."""
    groups = by_outcome(records)
    return {outcome.value: len(groups.get(outcome, ())) for outcome in Outcome}


def ran_in_words(records: Sequence[Record]) -> str:
    """How many checks there are, and how many of them ran: both numbers stand on the page."""
    unsupported = outcome_counts(records)[Outcome.UNSUPPORTED]
    checks, ran = count(len(records), "check"), len(records) - unsupported
    if not unsupported:
        return f"{checks} ran."
    return f"Of {checks}, {ran:,} ran and {unsupported:,} {'is' if unsupported == 1 else 'are'} unsupported."


def shown_counts(records: Iterable[Record]) -> dict[str, int]:
    """Return the same for readers, without outcomes that only foreign subjects have, if there are none."""
    counts = outcome_counts(records).items()
    return {outcome: number for outcome, number in counts if number or outcome not in FOREIGN}


def budget_share(record: Record) -> float | None:
    """Return the share of its budget that a check used; None if its excess is only a grade."""
    share = record.error_over_budget
    return None if share is not None and share > 1 and record.outcome == Outcome.AGREE else share


def largest_share(records: Iterable[Record]) -> float | None:
    """Return the largest share of the budget, where a NaN is the largest; None if there are no shares."""
    shares = [share for record in records if (share := budget_share(record)) is not None]
    return max(shares, key=lambda share: (share != share, share), default=None)


def verdict(run: Run, records: Sequence[Record]) -> Verdict:
    """Return the verdict on a run: it conforms if something agrees, nothing fails, and the run is sound."""
    counts = outcome_counts(records)
    ran = sum(counts.values()) - counts[Outcome.UNSUPPORTED]
    if not ran:
        return Verdict(False, "Nothing was checked.")
    if failed := " and ".join(_failing(counts)):
        return Verdict(False, f"Not everything conforms: of {count(ran, 'check')}, {failed}.")
    counted_cases = f"in {count(_cases_that_ran(records), 'case')}, {', '.join(_passing(run, counts))}"
    if run.problems or not run.complete:
        return Verdict(False, f"No check fails, but the run does not count as passed: {counted_cases}.")
    if not counts[Outcome.AGREE]:
        return Verdict(False, f"No check fails, and none agrees: {counted_cases}.")
    proviso = " but for known defects" if counts[Outcome.KNOWN_DEFECT] else ""
    return Verdict(True, f"Everything conforms{proviso}: {counted_cases}.")


@remembered
def _cases_that_ran(records: Iterable[Record]) -> int:
    ran = (group for outcome, group in by_outcome(records).items() if outcome != Outcome.UNSUPPORTED)
    return len({record.case for group in ran for record in group})


def _passing(run: Run, counts: Mapping[str, int]) -> list[str]:
    verb = "agrees" if counts[Outcome.AGREE] == 1 else "agree"
    parts = [f"{count(counts['agree'], 'check')} {verb}"]
    if overflowed := counts[Outcome.OVERFLOWED]:
        parts.append(f"{overflowed:,} overflowed where the formula does")
    if other := counts[Outcome.OTHER_CONVENTION]:
        parts.append(
            f"{other:,} {'makes' if other == 1 else 'make'} another choice where the formula leaves one"
        )
    if close := counts[Outcome.CLOSE]:
        parts.append(f"{close:,} {'is' if close == 1 else 'are'} close, within twice the budget")
    if accepted := counts[Outcome.ACCEPTS]:
        parts.append(f"{accepted:,} {'accepts' if accepted == 1 else 'accept'} what torch refuses")
    if defects := counts[Outcome.KNOWN_DEFECT]:
        by_cause = causes(run.known_defects)
        kinds = f" ({kinds_in_words(by_cause)})" if by_cause else ""
        share = f"one of {count(len(by_cause), 'known cause')}" if len(by_cause) > 1 else "a known cause"
        parts.append(f"{defects:,} {'shows' if defects == 1 else 'show'} {share}{kinds}")
    return parts


def _failing(counts: Mapping[str, int]) -> list[str]:
    verbs: dict[str, tuple[str, str]] = {
        Outcome.DISAGREE: ("disagrees", "disagree"),
        Outcome.ERROR: ("ends in an error", "end in an error"),
        Outcome.CHANGED_CONVENTION: ("follows a changed convention", "follow a changed convention"),
    }
    return [
        f"{counts[outcome]:,} {one if counts[outcome] == 1 else more}"
        for outcome, (one, more) in verbs.items()
        if counts[outcome]
    ]


def failing_cases(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the failing records of each case that has any."""
    return grouped(failures_in(records), attrgetter("case"))

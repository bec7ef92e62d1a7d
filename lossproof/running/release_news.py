"""The sentences of a run about a release: it is on record, or it differs from those that are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from packaging.version import Version

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.releases import Releases, public
from lossproof.judging.known_defects import covers
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.causes import causes, kinds_in_words
from lossproof.reporting.text import count

_MOST_NAMED = 3


@dataclass(frozen=True)
class ReleaseRun:
    """The results of a run on one release.

    Attributes:
        family, version: such as torch and 2.16.0.
        on_record: the releases on record, including some of the family.
        entries: the known defects of the release in the selected cases.
        idle: the entries that match no check.
        records: the records of its subjects.
        picks: the picks on record for its subjects, by convention.
    """

    family: str
    version: str
    on_record: Releases
    entries: Sequence[KnownDefect]
    idle: Sequence[KnownDefect]
    records: Sequence[Record]
    picks: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The release, such as torch 2.16.0."""
        return f"{self.family} {public(self.version)}"

    @property
    def is_on_record(self) -> bool:
        """Whether this release is on record."""
        return self.on_record.has(self.family, self.version)


@dataclass
class _Cause:
    """A cause of known defects: the checks that now agree, and how many still differ."""

    kind: str
    why: str
    agreeing: list[Record] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    differing: int = 0


def standing(run: ReleaseRun) -> str:
    """A sentence on whether the release is on record and, if not, on what has changed."""
    if run.is_on_record:
        known = kinds_in_words(causes(map(asdict, run.entries)))
        return f"{run.name} is on record. Known before in these cases: {known or 'no defect'}."
    gone = _gone_causes(run)
    parts = sum(cause.differing > 0 for cause in gone)
    failing = [record for record in run.records if record.outcome.is_failing]
    changes = [] if gone and parts == len(gone) else [f"{_known_defects(len(gone) - parts)} gone"]
    if parts:
        changes.append(f"{_known_defects(parts)} gone in part")
    if others := _other_picks(run):
        verb = "is another" if len(others) == 1 else "are others"
        changes.append(f"{count(len(others), 'convention')} {verb}")
    cases = count(len({record.case for record in failing}), "case")
    fail = "fails" if len(failing) == 1 else "fail"
    changes.append(
        f"{count(len(failing), 'check')} of {cases} newly {fail}" if failing else "no check newly fails"
    )
    releases = run.on_record.of(run.family)
    if before := [release for release in releases if Version(release) < Version(run.version)]:
        which = "newest" if len(before) == len(releases) else "newest before it"
        compared = f"the {which} that is, is {before[-1]}. Since then"
    else:
        compared = f"the oldest that is, is {releases[0]}. Against that,"
    return f"{run.name} is not on record; {compared} {', '.join(changes[:-1])} and {changes[-1]}."


def news(run: ReleaseRun) -> list[str]:
    """For a release not on record, a sentence per cause or convention that has changed."""
    if run.is_on_record:
        return []
    idle: dict[str, list[str]] = {}
    for entry in run.idle:
        idle.setdefault(entry.why, []).append(entry.case)
    return [
        *(_gone_sentence(cause, run.name) for cause in _gone_causes(run)),
        *(
            f"another convention in {run.name}: {name} is {' or '.join(sorted(picks))} in {_some(cases)}"
            for name, (picks, cases) in _other_picks(run).items()
        ),
        *(f"met by no check of {run.name}: {why}; known of {_some(cases)}" for why, cases in idle.items()),
    ]


def gone_defects(run: ReleaseRun) -> list[KnownDefect]:
    """For a release not on record, the entries whose checks all agree."""
    if run.is_on_record:
        return []
    agreeing: set[tuple[str, int]] = set()
    differing: set[tuple[str, int]] = set()
    for record, entries in _covered_checks(run):
        (agreeing if record.outcome.is_passing else differing).update(map(_place, entries))
    return [entry for entry in run.entries if _place(entry) in agreeing - differing]


def _gone_causes(run: ReleaseRun) -> list[_Cause]:
    by_reason: dict[tuple[str, str], _Cause] = {}
    for record, entries in _covered_checks(run):
        for entry in {(entry.kind, entry.why): entry for entry in entries}.values():
            cause = by_reason.setdefault((entry.kind, entry.why), _Cause(entry.kind, entry.why))
            if record.outcome.is_passing:
                cause.agreeing.append(record)
                cause.observed.append(str(entry.observed))
            else:
                cause.differing += 1
    return [cause for cause in by_reason.values() if cause.agreeing]


def _other_picks(run: ReleaseRun) -> dict[str, tuple[set[str], list[str]]]:
    """By convention, the picks that are not on record, and the cases that show them."""
    by_name: dict[str, tuple[set[str], list[str]]] = {}
    for record in run.records:
        if record.outcome != Outcome.OTHER_CONVENTION:
            continue
        for name, pick in record.picks.items():
            if pick != run.picks.get(name):
                picks, cases = by_name.setdefault(name, (set(), []))
                picks.add(pick)
                cases.append(record.case)
    return by_name


def _covered_checks(run: ReleaseRun) -> Iterable[tuple[Record, list[KnownDefect]]]:
    """The checks that entries cover, each with these entries."""
    of_case: dict[str, list[KnownDefect]] = {}
    for entry in run.entries:
        of_case.setdefault(entry.case, []).append(entry)
    for record in run.records:
        entries = [entry for entry in of_case.get(record.case, ()) if covers(entry, record)]
        if entries and record.outcome != Outcome.UNSUPPORTED:
            yield record, entries


def _gone_sentence(cause: _Cause, name: str) -> str:
    kind = "" if cause.kind == "defect" else f", known as {cause.kind}"
    cases = _some(record.case for record in cause.agreeing)
    checks = count(len(cause.agreeing), "check")
    agree = "agrees" if len(cause.agreeing) == 1 else "agree"
    rest = f", {cause.differing:,} still {'differs' if cause.differing == 1 else 'differ'}"
    return (
        f"gone in {name}{kind}: {cause.why}; {cases} gave {_some(cause.observed, ' or ')}, "
        f"and now {checks} {agree}{rest if cause.differing else ''}"
    )


def _some(names: Iterable[str], between: str = ", ") -> str:
    """The first few distinct names, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _MOST_NAMED} more" if len(distinct) > _MOST_NAMED else ""
    return between.join(distinct[:_MOST_NAMED]) + more


def _known_defects(number: int) -> str:
    return f"{number or 'no'} known {'defect is' if number <= 1 else 'defects are'}"


def _place(entry: KnownDefect) -> tuple[str, int]:
    return entry.file, entry.line

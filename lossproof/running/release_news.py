"""What a run says of a release: that it is on record, or how it differs from those that are."""

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
    """A release that a run met, and what came out.

    Attributes:
        family, version: such as torch and 2.16.0.
        on_record: the releases that are on record, among them some of the family.
        entries: the known defects that hold for it, in the cases that were selected.
        idle: those of them that match no check.
        records: those of its subjects.
        picks: what they pick, as far as it is on record, by the names of conventions.
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
        """Such as torch 2.16.0."""
        return f"{self.family} {public(self.version)}"

    @property
    def is_on_record(self) -> bool:
        """Whether this very release is."""
        return self.on_record.has(self.family, self.version)


@dataclass
class _Cause:
    """One of the reasons why checks are known to differ: which agree after all, and how many do not."""

    kind: str
    why: str
    agreeing: list[Record] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    differing: int = 0


def standing(run: ReleaseRun) -> str:
    """One sentence: whether the release is on record, and what has changed if it is not."""
    if run.is_on_record:
        known = kinds_in_words(causes(map(asdict, run.entries)))
        return f"{run.name} is on record: in the cases of this run it has {known or 'no known defect'}."
    gone_causes = _gone_causes(run)
    parts = sum(cause.differing > 0 for cause in gone_causes)
    failing = [record for record in run.records if record.outcome.is_failing]
    changes = (
        []
        if gone_causes and parts == len(gone_causes)
        else [f"{_known_defects(len(gone_causes) - parts)} gone"]
    )
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
    """A sentence for each cause that no longer shows everywhere, where the release is not on record."""
    if run.is_on_record:
        return []
    idle: dict[str, list[str]] = {}
    for entry in run.idle:
        idle.setdefault(entry.why, []).append(entry.case)
    return [
        *(_gone_sentence(cause, run.name) for cause in _gone_causes(run)),
        *(
            f"another convention in {run.name}: {name} is {' or '.join(sorted(picks))} in {_first_few(cases)}"
            for name, (picks, cases) in _other_picks(run).items()
        ),
        *(
            f"met by no check of {run.name}: {why}; known of {_first_few(cases)}"
            for why, cases in idle.items()
        ),
    ]


def gone_defects(run: ReleaseRun) -> list[KnownDefect]:
    """The entries of which every check agrees, where the release is not on record."""
    if run.is_on_record:
        return []
    agreeing: set[tuple[str, int]] = set()
    differing: set[tuple[str, int]] = set()
    for record, covering in _covered(run):
        (agreeing if record.outcome.is_passing else differing).update(map(_place, covering))
    return [entry for entry in run.entries if _place(entry) in agreeing - differing]


def _gone_causes(run: ReleaseRun) -> list[_Cause]:
    found: dict[tuple[str, str], _Cause] = {}
    for record, covering in _covered(run):
        for entry in {(entry.kind, entry.why): entry for entry in covering}.values():
            cause = found.setdefault((entry.kind, entry.why), _Cause(entry.kind, entry.why))
            if record.outcome.is_passing:
                cause.agreeing.append(record)
                cause.observed.append(str(entry.observed))
            else:
                cause.differing += 1
    return [cause for cause in found.values() if cause.agreeing]


def _other_picks(run: ReleaseRun) -> dict[str, tuple[set[str], list[str]]]:
    """By convention, the picks that are not those on record, and the cases that they came out in."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for record in run.records:
        if record.outcome != Outcome.OTHER_CONVENTION:
            continue
        for name, pick in record.picks.items():
            if pick != run.picks.get(name):
                picks, cases = found.setdefault(name, (set(), []))
                picks.add(pick)
                cases.append(record.case)
    return found


def _covered(run: ReleaseRun) -> Iterable[tuple[Record, list[KnownDefect]]]:
    """The checks of which something is known, with the entries that say so."""
    of_case: dict[str, list[KnownDefect]] = {}
    for entry in run.entries:
        of_case.setdefault(entry.case, []).append(entry)
    for record in run.records:
        covering = [entry for entry in of_case.get(record.case, ()) if covers(entry, record)]
        if covering and record.outcome != Outcome.UNSUPPORTED:
            yield record, covering


def _gone_sentence(cause: _Cause, name: str) -> str:
    kind = "" if cause.kind == "defect" else f", known as {cause.kind}"
    cases = _first_few(record.case for record in cause.agreeing)
    checks = count(len(cause.agreeing), "check")
    agree = "agrees" if len(cause.agreeing) == 1 else "agree"
    rest = f", {cause.differing:,} still {'differs' if cause.differing == 1 else 'differ'}"
    return (
        f"gone in {name}{kind}: {cause.why}; {cases} gave {_first_few(cause.observed, ' or ')}, "
        f"and now {checks} {agree}{rest if cause.differing else ''}"
    )


def _first_few(names: Iterable[str], between: str = ", ") -> str:
    """The first few different ones, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _MOST_NAMED} more" if len(distinct) > _MOST_NAMED else ""
    return between.join(distinct[:_MOST_NAMED]) + more


def _known_defects(number: int) -> str:
    return f"{number or 'no'} known {'defect is' if number <= 1 else 'defects are'}"


def _place(entry: KnownDefect) -> tuple[str, int]:
    return entry.file, entry.line

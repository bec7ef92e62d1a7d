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

_NAMED = 3


@dataclass(frozen=True)
class Met:
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


def standing(met: Met) -> str:
    """One sentence: whether the release is on record, and what has changed if it is not."""
    if met.is_on_record:
        known = kinds_in_words(causes(map(asdict, met.entries)))
        return f"{met.name} is on record: in the cases of this run it has {known or 'no known defect'}."
    mended = _mended(met)
    parts = sum(cause.differing > 0 for cause in mended)
    failing = [record for record in met.records if record.outcome.is_failing]
    changes = [] if mended and parts == len(mended) else [f"{_known_defects(len(mended) - parts)} gone"]
    if parts:
        changes.append(f"{_known_defects(parts)} gone in part")
    if others := _other_picks(met):
        verb = "is another" if len(others) == 1 else "are others"
        changes.append(f"{count(len(others), 'convention')} {verb}")
    cases = count(len({record.case for record in failing}), "case")
    fail = "fails" if len(failing) == 1 else "fail"
    changes.append(
        f"{count(len(failing), 'check')} of {cases} newly {fail}" if failing else "no check newly fails"
    )
    releases = met.on_record.of(met.family)
    if before := [release for release in releases if Version(release) < Version(met.version)]:
        which = "newest" if len(before) == len(releases) else "newest before it"
        compared = f"the {which} that is, is {before[-1]}. Since then"
    else:
        compared = f"the oldest that is, is {releases[0]}. Against that,"
    return f"{met.name} is not on record; {compared} {', '.join(changes[:-1])} and {changes[-1]}."


def news(met: Met) -> list[str]:
    """A sentence for each cause that no longer shows everywhere, where the release is not on record."""
    if met.is_on_record:
        return []
    idle: dict[str, list[str]] = {}
    for entry in met.idle:
        idle.setdefault(entry.why, []).append(entry.case)
    return [
        *(_gone(cause, met.name) for cause in _mended(met)),
        *(
            f"another convention in {met.name}: {name} is {' or '.join(sorted(picks))} in {_some(cases)}"
            for name, (picks, cases) in _other_picks(met).items()
        ),
        *(f"met by no check of {met.name}: {why}; known of {_some(cases)}" for why, cases in idle.items()),
    ]


def no_longer_shown(met: Met) -> list[KnownDefect]:
    """The entries of which every check agrees, where the release is not on record."""
    if met.is_on_record:
        return []
    agreeing: set[tuple[str, int]] = set()
    differing: set[tuple[str, int]] = set()
    for record, covering in _known(met):
        (agreeing if record.outcome.is_passing else differing).update(map(_place, covering))
    return [entry for entry in met.entries if _place(entry) in agreeing - differing]


def _mended(met: Met) -> list[_Cause]:
    found: dict[tuple[str, str], _Cause] = {}
    for record, covering in _known(met):
        for entry in {(entry.kind, entry.why): entry for entry in covering}.values():
            cause = found.setdefault((entry.kind, entry.why), _Cause(entry.kind, entry.why))
            if record.outcome.is_passing:
                cause.agreeing.append(record)
                cause.observed.append(str(entry.observed))
            else:
                cause.differing += 1
    return [cause for cause in found.values() if cause.agreeing]


def _other_picks(met: Met) -> dict[str, tuple[set[str], list[str]]]:
    """By convention, the picks that are not those on record, and the cases that they came out in."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for record in met.records:
        if record.outcome != Outcome.OTHER_CONVENTION:
            continue
        for name, pick in record.picks.items():
            if pick != met.picks.get(name):
                picks, cases = found.setdefault(name, (set(), []))
                picks.add(pick)
                cases.append(record.case)
    return found


def _known(met: Met) -> Iterable[tuple[Record, list[KnownDefect]]]:
    """The checks of which something is known, with the entries that say so."""
    of_case: dict[str, list[KnownDefect]] = {}
    for entry in met.entries:
        of_case.setdefault(entry.case, []).append(entry)
    for record in met.records:
        covering = [entry for entry in of_case.get(record.case, ()) if covers(entry, record)]
        if covering and record.outcome != Outcome.UNSUPPORTED:
            yield record, covering


def _gone(cause: _Cause, name: str) -> str:
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
    """The first few different ones, and how many more there are."""
    different = list(dict.fromkeys(names))
    more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
    return between.join(different[:_NAMED]) + more


def _known_defects(number: int) -> str:
    return f"{number or 'no'} known {'defect is' if number <= 1 else 'defects are'}"


def _place(entry: KnownDefect) -> tuple[str, int]:
    return entry.file, entry.line

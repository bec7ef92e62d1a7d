"""Releases of the tested libraries: ranges of them, and those with results on record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from lossproof.corpus.complaints import Notes
from lossproof.corpus.files import HISTORY, relative_name

RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*")

_NAME = re.compile(rf"([^.-]+)-({RELEASE.pattern})\.json")
_FAMILY_ENDS = re.compile(r"[.-]")


@dataclass(frozen=True)
class Releases:
    """The releases with results on record.

    Attributes:
        by_family: the family, such as torch -> its releases, the oldest first.
    """

    by_family: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, subject: str) -> tuple[str, ...]:
        """The releases on record of a subject's family, the oldest first."""
        return self.by_family.get(family_of(subject), ())

    def has(self, subject: str, version: str) -> bool:
        """Whether this release of a subject is on record."""
        return Version(public(version)) in map(Version, self.of(subject))

    def is_strict(self, subject: str, version: str) -> bool:
        """Whether known defects must show: always, unless only other releases are on record."""
        return not self.of(subject) or self.has(subject, version)


def family_of(subject: str) -> str:
    """The family whose releases a subject shares: ``torch`` for ``torch.nn`` and ``torch-expressions``."""
    return _FAMILY_ENDS.split(subject, maxsplit=1)[0]


def public(version: str) -> str:
    """The version without its local part: 2.13.0+cpu has the defects of 2.13.0."""
    return Version(version).public


def is_within(version: str, since: str, until: str) -> bool:
    """Whether a version lies between two releases, inclusive; an empty one is no limit.

    Each comparison uses as many numbers as the limit has: 2.13.1 is within ``until`` 2.13.
    """
    numbers = Version(version).release

    def cut(limit: tuple[int, ...]) -> tuple[int, ...]:
        return (*numbers, *[0] * len(limit))[: len(limit)]

    first, last = (Version(limit).release if limit else () for limit in (since, until))
    return first <= cut(first) and cut(last) <= last


def is_before(first: str, second: str) -> bool:
    """Whether a release precedes another, compared on as many numbers as both have."""
    pairs = zip(Version(first).release, Version(second).release, strict=False)
    return next((one < other for one, other in pairs if one != other), False)


def find_releases(root: Path) -> tuple[Releases, list[Notes]]:
    """The releases on record, from the names of the files in ``root/history``, and complaints about these."""
    by_family: dict[str, list[str]] = {}
    troubles: list[Notes] = []
    for path in sorted((root / HISTORY).glob("*.json")):
        if name := _NAME.fullmatch(path.name):
            by_family.setdefault(name[1], []).append(name[2])
        else:
            notes = Notes(relative_name(path, root))
            remedy = "name it like torch-2.13.0.json, or put it elsewhere"
            notes.add(None, "the file's name does not name a release", remedy)
            troubles.append(notes)
    return Releases({family: tuple(sorted(by_family[family], key=Version)) for family in by_family}), troubles

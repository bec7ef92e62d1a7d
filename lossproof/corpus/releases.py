"""Releases of what is tested: ranges of them, and those whose results are on record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from lossproof.corpus.complaints import Notes
from lossproof.corpus.files import relative_name

RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*")

_FOLDER = "history"
_NAME = re.compile(rf"([^.-]+)-({RELEASE.pattern})\.json")
_FAMILY_ENDS = re.compile(r"[.-]")


@dataclass(frozen=True)
class Releases:
    """The releases whose results are on record.

    Attributes:
        by_family: what the names of subjects begin with -> releases, the oldest first.
    """

    by_family: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, subject: str) -> tuple[str, ...]:
        """The releases on record of a subject's family, the oldest first."""
        return self.by_family.get(family_of(subject), ())

    def has(self, subject: str, version: str) -> bool:
        """Whether this very release of a subject is on record."""
        return Version(public(version)) in map(Version, self.of(subject))

    def is_strict(self, subject: str, version: str) -> bool:
        """Whether whatever is known must hold: unless nobody has tried this release, only others."""
        return not self.of(subject) or self.has(subject, version)


def family_of(subject: str) -> str:
    """What a subject shares its releases with: ``torch`` for ``torch.nn`` and ``torch-expressions``."""
    return _FAMILY_ENDS.split(subject, maxsplit=1)[0]


def public(version: str) -> str:
    """The version without what marks a local build: 2.13.0+cpu has the defects of its release."""
    return Version(version).public


def is_within(version: str, since: str, until: str) -> bool:
    """Whether a version lies between two releases, both included; an empty one is no limit.

    It is compared with each on as many numbers as that has: 2.13.1 is within ``until`` 2.13.
    """
    numbers = Version(version).release

    def cut(limit: tuple[int, ...]) -> tuple[int, ...]:
        return (*numbers, *[0] * len(limit))[: len(limit)]

    first, last = (Version(limit).release if limit else () for limit in (since, until))
    return first <= cut(first) and cut(last) <= last


def is_before(first: str, second: str) -> bool:
    """Whether a release is before another, on as many numbers as both have."""
    pairs = zip(Version(first).release, Version(second).release, strict=False)
    return next((one < other for one, other in pairs if one != other), False)


def find_releases(root: Path) -> tuple[Releases, list[Notes]]:
    """The releases on record, by the names of the files in ``root``'s folder ``history``, if it has one.

    Returns:
        The releases, and what is wrong with the names.
    """
    by_family: dict[str, list[str]] = {}
    troubles: list[Notes] = []
    for path in sorted((root / _FOLDER).glob("*.json")):
        if name := _NAME.fullmatch(path.name):
            by_family.setdefault(name[1], []).append(name[2])
        else:
            notes = Notes(relative_name(path, root))
            notes.add(
                None,
                "the file's name tells no release",
                "call it like torch-2.13.0.json, or put it elsewhere",
            )
            troubles.append(notes)
    return Releases({family: tuple(sorted(by_family[family], key=Version)) for family in by_family}), troubles

"""Complaints about case files, addressed to the person who wrote them."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

_LONGEST_QUOTE = 60
_LONGEST_LIST = 24


class Place(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong in a case file, and how to mend it.

    Attributes:
        file: the file, relative to the folder that holds ``cases``.
        line: the line, or None for the file as a whole.
        case: the case's id, or None outside any case.
        problem: what is wrong.
        remedy: how to mend it.
    """

    file: str
    line: int | None
    case: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        case = "" if self.case is None else f"[{self.case}] "
        return f"{place}: {case}{self.problem}; {self.remedy}"


class CorpusError(Exception):
    """The case files cannot be used; ``complaints`` says why, ordered by file and line."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda one: (one.file, one.line or 0)))
        super().__init__("\n".join(map(str, self.complaints)))


@dataclass
class Notes:
    """The complaints about one file, gathered while it is read.

    Readers complain here and go on with a stand-in value, so that all complaints come at once; a file
    with complaints is never used. ``sections`` lists the places where a case begins, or something outside
    any case (None); it determines the case of each complaint.
    """

    file: str
    sections: list[tuple[Place, str | None]] = field(default_factory=list)
    _found: list[tuple[Place | None, Complaint]] = field(default_factory=list)

    def add(self, place: Place | None, problem: str, remedy: str) -> None:
        """Add a complaint about a place, or about the file as a whole."""
        line = None if place is None else place.line
        self._found.append((place, Complaint(self.file, line, None, problem, remedy)))

    def __len__(self) -> int:
        return len(self._found)

    def complaints(self) -> list[Complaint]:
        """The complaints so far, each with its case."""
        sections = sorted(self.sections, key=lambda section: section[0])
        places = [place for place, _ in sections]

        def with_case(place: Place | None, complaint: Complaint) -> Complaint:
            position = 0 if place is None else bisect_right(places, place)
            return replace(complaint, case=sections[position - 1][1]) if position else complaint

        # A default of a file is read once for each entry, so its complaints repeat.
        return [with_case(place, complaint) for place, complaint in dict.fromkeys(self._found)]


def quoted(text: str) -> str:
    """``text`` in quotes on one line, truncated if long."""
    short = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."
    return f"'{short if short.isprintable() else short.encode('unicode_escape').decode('ascii')}'"


def suggestion(word: str, known: Iterable[str], prefix: str = "") -> str:
    """The known word that is closest to ``word``, or else all known words, each with a prefix."""
    names = sorted(set(known))
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    if near:
        return f"did you mean '{prefix}{by_lower[near[0]]}'?"
    if not names:
        return "none is allowed here: remove it"
    more = ", ..." if len(names) > _LONGEST_LIST else ""
    return f"known here: {', '.join(prefix + name for name in names[:_LONGEST_LIST])}{more}"

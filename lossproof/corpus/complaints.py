"""What is wrong with the case files, told to the person who wrote them."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

_LONGEST_QUOTE = 60
_LONGEST_LIST = 24


class Place(NamedTuple):
    """Where something stands in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong in a case file and how to mend it.

    Attributes:
        file: the file, relative to the folder that holds ``cases``.
        line: the line, or None where the file as a whole is meant.
        case: the case's id, or None outside of a case.
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
    """The case files cannot be used; ``complaints`` says why, in order of file and line."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda one: (one.file, one.line or 0)))
        super().__init__("\n".join(map(str, self.complaints)))


@dataclass
class Notes:
    """The complaints about one file, gathered while it is read.

    Readers complain here and go on with a stand-in value, so that all complaints come at once; a file
    with complaints is never used. A complaint's case is found from its place, once ``sections`` is
    set: the places where a case, or something outside of every case (None), begins.
    """

    file: str
    sections: list[tuple[Place, str | None]] = field(default_factory=list)
    _found: list[tuple[Place | None, Complaint]] = field(default_factory=list)

    def add(self, place: Place | None, problem: str, remedy: str) -> None:
        """Note that something is wrong at ``place``, or with the file as a whole."""
        line = None if place is None else place.line
        self._found.append((place, Complaint(self.file, line, None, problem, remedy)))

    def __len__(self) -> int:
        return len(self._found)

    def complaints(self) -> list[Complaint]:
        """All complaints so far, each with its case."""
        sections = sorted(self.sections, key=lambda section: section[0])
        places = [place for place, _ in sections]

        def with_case(place: Place | None, complaint: Complaint) -> Complaint:
            position = 0 if place is None else bisect_right(places, place)
            return replace(complaint, case=sections[position - 1][1]) if position else complaint

        # What a file says once for many entries is read with each of them.
        return [with_case(place, complaint) for place, complaint in dict.fromkeys(self._found)]


def quoted(text: str) -> str:
    """``text`` in quotes on one line, cut when long."""
    short = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."
    return f"'{short if short.isprintable() else short.encode('unicode_escape').decode('ascii')}'"


def suggestion(word: str, known: Iterable[str]) -> str:
    """What was probably meant by ``word``, or else what may stand there."""
    names = sorted(set(known))
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    if near:
        return f"did you mean '{by_lower[near[0]]}'?"
    if not names:
        return "none may stand here: remove it"
    more = ", ..." if len(names) > _LONGEST_LIST else ""
    return f"known here: {', '.join(names[:_LONGEST_LIST])}{more}"

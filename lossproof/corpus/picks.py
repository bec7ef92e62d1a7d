"""Reads the file of conventions: which pick each subject makes, by release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache

from lossproof.corpus.complaints import Notes
from lossproof.corpus.defects import LINK, read_range
from lossproof.corpus.fields import read_fields, read_word
from lossproof.corpus.keys import PICK, PICK_FILE
from lossproof.corpus.nodes import Node
from lossproof.corpus.releases import is_within, public
from lossproof.reference.catalogue import CONVENTIONS


@dataclass(frozen=True)
class Pick:
    """A subject's pick for some conventions.

    Attributes:
        conventions: their names in the reference.
        pick: the word for the pick.
        subject: its name, or ``torch.*`` for both torch subjects.
        since, until: the first and the last release with this pick, as for a known defect.
    """

    conventions: tuple[str, ...]
    pick: str
    subject: str
    since: str
    until: str

    def holds(self, subject: str, version: str) -> bool:
        """Whether this pick is on record for a version of a subject."""
        return fnmatch(subject, self.subject) and is_within(public(version), self.since, self.until)


def picks_of(entries: Iterable[Pick], subject: str, version: str) -> dict[str, str]:
    """The picks on record for a subject, by convention."""
    return dict(_picks_of(tuple(entries), subject, version))


@lru_cache  # called for every trial of a run
def _picks_of(entries: tuple[Pick, ...], subject: str, version: str) -> Mapping[str, str]:
    applicable = [entry for entry in entries if entry.holds(subject, version)]
    return {name: entry.pick for entry in applicable for name in entry.conventions}


def read_picks(root: Node, notes: Notes) -> list[Pick]:
    """The picks in the file; each must be one that the reference knows."""
    fields = read_fields(root, "the file", PICK_FILE, notes)
    return [_read_pick(item, notes) for item in fields.items("picks")]


def _read_pick(node: Node, notes: Notes) -> Pick:
    fields = read_fields(node, "the pick", PICK, notes)

    def read_name(item: Node, what: str, notes: Notes) -> str:
        return read_word(item, what, CONVENTIONS, notes)

    conventions, pick = fields.list("conventions", read_name), fields.text("pick")
    for name in conventions:
        if pick and name in CONVENTIONS and pick not in CONVENTIONS[name].picks:
            remedy = f"write one of {', '.join(CONVENTIONS[name].picks)}, in quotes where it is a number"
            fields.complain("pick", f"'{pick}' is not a pick of {name}", remedy)
    since, until = read_range(fields, notes)
    # People read where a change is reported; of that only the form is checked.
    fields.matching("link", *LINK)
    fields.text("searched")
    return Pick(conventions, pick, fields.text("subject"), since, until)

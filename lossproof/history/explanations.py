"""Reads ``cases/history/changes.yaml``: why a release changed something, and where that is reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.defects import LINK
from lossproof.corpus.fields import read_fields, read_list, read_text
from lossproof.corpus.files import read_text_file
from lossproof.corpus.keys import Keys
from lossproof.corpus.nodes import Node, parse_tree

FILE = "changes.yaml"
_KEYS = Keys(("release", "what"), ("conventions", "defects", "link", "searched"))
_RELEASE = re.compile(r"\d+(\.\d+)+")


@dataclass(frozen=True)
class Explanation:
    """A change of a release, in words.

    Attributes:
        release: the release, with as many numbers as matter, such as 2.14.
        defects: the causes that came or went.
        conventions: the conventions with a new pick.
        what: a sentence with a full stop.
        link: where the change is reported, or empty.
        searched: the words and the date of a search that found no report, or empty.
        line: the line in the file.
    """

    release: str
    defects: tuple[str, ...]
    conventions: tuple[str, ...]
    what: str
    link: str
    searched: str
    line: int


def read_explanations(folder: Path) -> list[Explanation]:
    """The explanations in the folder of the history, or a CorpusError; none if it has no file of them."""
    path = folder / FILE
    if not path.exists():
        return []
    notes = Notes(str(path))
    text = read_text_file(path, notes)
    explanations = read_list(parse_tree(text, notes), "the file", notes, _read) if text is not None else ()
    if notes:
        raise CorpusError(notes.complaints())
    return list(explanations)


def _read(node: Node, what: str, notes: Notes) -> Explanation:
    fields = read_fields(node, what, _KEYS, notes)
    explanation = Explanation(
        release=fields.matching("release", _RELEASE, "write it like '2.14'"),
        defects=fields.list("defects", read_text),
        conventions=fields.list("conventions", read_text),
        what=fields.text("what").rstrip(".") + ".",
        link=fields.matching("link", *LINK),
        searched=fields.text("searched"),
        line=fields.place.line,
    )
    if not {"defects", "conventions"} & set(fields):
        remedy = "add 'defects: [...]' or 'conventions: [...]'"
        notes.add(fields.place, f"{what} names nothing that changed", remedy)
    if ("link" in fields) == ("searched" in fields):
        search = "the words and the date of a search that found none"
        remedy = f"give the 'link' of a report, or in 'searched' {search}"
        notes.add(fields.place, f"{what} must have either 'link' or 'searched'", remedy)
    return explanation

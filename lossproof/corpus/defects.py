"""Reads a file of known defects: from its tree to ``KnownDefect`` objects."""

from __future__ import annotations

import re
from collections.abc import Collection

from lossproof.corpus import keys
from lossproof.corpus.case import KnownDefect
from lossproof.corpus.case_reading import mark_sections
from lossproof.corpus.complaints import Notes, quoted
from lossproof.corpus.fields import Fields, read_fields, read_integer, read_list, read_number, read_text
from lossproof.corpus.nodes import ListNode, MappingNode, Node, ScalarNode
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.observed import Observed
from lossproof.corpus.releases import RELEASE, is_before
from lossproof.corpus.scalars import Meaning, meaning
from lossproof.numbers.formats import FORMATS

# What a link looks like, and the remedy for one that does not.
LINK = re.compile(r"https://\S+"), "write an address that begins with https://"


def read_defects(root: Node, cases: Collection[str], notes: Notes) -> list[KnownDefect]:
    """The known defects; ``cases`` are the ids of the corpus."""
    fields = read_fields(root, "the file", keys.DEFECT_FILE, notes)
    mark_sections(fields, "defects", "case", notes)
    if "defaults" in fields:
        read_fields(fields["defaults"], "defaults", keys.DEFECT_DEFAULTS, notes)
    return [
        _read_defect(_with_defaults(item, fields["defaults"]), cases, notes)
        for item in fields.items("defects")
    ]


def _with_defaults(node: Node, defaults: Node) -> Node:
    if not isinstance(node, MappingNode) or not isinstance(defaults, MappingNode):
        return node
    usable = {key: entry for key, entry in defaults.entries.items() if key in keys.DEFECT_DEFAULTS.all}
    return MappingNode({**usable, **node.entries}, node.place)


def _read_defect(node: Node, cases: Collection[str], notes: Notes) -> KnownDefect:
    fields = read_fields(node, "the defect", keys.DEFECT, notes)
    since, until = read_range(fields, notes)
    return KnownDefect(
        case=fields.word("case", cases),
        subject=fields.text("subject"),
        dtypes=fields.words("dtypes", FORMATS),
        reductions=fields.words("reductions", keys.REDUCTIONS),
        quantities=fields.list("quantities", read_text),
        since=since,
        until=until,
        platform=fields.text("platform"),
        device=fields.text("device"),
        observed=read_observed(fields["observed"], notes),
        expected=fields.text("expected"),
        why=fields.text("why"),
        kind=fields.word("kind", keys.DEFECT_KINDS),
        link=fields.matching("link", *LINK),
        file=notes.file,
        line=fields.place.line,
        layouts=fields.words("layouts", keys.LAYOUTS),
        searched=fields.text("searched"),
        elements=read_elements(fields["elements"], notes) if "elements" in fields else (),
    )


def read_range(fields: Fields, notes: Notes) -> tuple[str, str]:
    """``since`` and ``until``, each empty if missing."""
    before = len(notes)
    remedy = 'write the numbers of a release, in quotes, such as "2.13"'
    since, until = (fields.matching(key, RELEASE, remedy) for key in ("since", "until"))
    if since and until and len(notes) == before and is_before(until, since):
        place = max(fields.place_of("since"), fields.place_of("until"))
        problem = f"no release is both since {quoted(since)} and until {quoted(until)}"
        notes.add(place, problem, "mend one of them, or leave it out")
    return since, until


def read_observed(node: Node, notes: Notes) -> Observed:
    """A number, a word, a list of these, or ``{budgets: 40}``."""
    if isinstance(node, MappingNode):
        fields = read_fields(node, "observed", keys.OBSERVED, notes)
        return Observed((), fields.number("budgets"))
    items = node.items if isinstance(node, ListNode) else (node,)
    if not items:
        notes.add(node.place, "observed is an empty list", "write what comes out")
    return Observed(tuple(_read_alternative(item, notes) for item in items))


def read_elements(node: Node, notes: Notes) -> tuple[int, ...]:
    """A number of elements, or a list of such numbers."""

    def read(item: Node, what: str, notes: Notes) -> int:
        return read_integer(item, what, notes, least=1)

    if isinstance(node, ListNode):
        return read_list(node, "elements", notes, read)
    return (read(node, "elements", notes),)


def _read_alternative(node: Node, notes: Notes) -> Numeral | str:
    is_number = isinstance(node, ScalarNode) and not node.quoted and meaning(node.text) is Meaning.NUMBER
    return read_number(node, "observed", notes) if is_number else read_text(node, "observed", notes)

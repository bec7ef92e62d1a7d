"""Reads the independent parts of a case: source, flags, refusals, warnings, drifts, module claims."""

from __future__ import annotations

import re

from lossproof.corpus import keys
from lossproof.corpus.case import Document, Drifted, Flag, ModuleClaim, Raised, Source
from lossproof.corpus.complaints import Notes, quoted
from lossproof.corpus.fields import read_boolean, read_fields, read_integer, read_mapping, read_text
from lossproof.corpus.nodes import ListNode, MappingNode, Node, ScalarNode
from lossproof.corpus.scalars import Meaning, meaning

_CLAIM = re.compile(r"D\d{3}-\d+", re.ASCII)
_CLASS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def read_document(node: Node, notes: Notes) -> Document:
    """The document that a file's cases come from."""
    fields = read_fields(node, "document", keys.DOCUMENT, notes)
    return Document(*map(fields.text, keys.DOCUMENT.required))


def read_source(node: Node, notes: Notes) -> Source:
    """The document of a case, the place in it, and the claim's id."""
    before = len(notes)
    fields = read_fields(node, "source", keys.SOURCE, notes)
    document, place = fields.text("document"), fields.text("place")
    claim = fields.matching("claim", _CLAIM, "write it like D002-6")
    if len(notes) == before and claim[1:4] != document[:3]:
        problem = f"the claim {quoted(claim)} is not of the document {quoted(document)}"
        fields.complain("claim", problem, f"a claim of that document begins with D{document[:3]}-")
    return Source(document, place, claim)


def read_flags(node: Node, notes: Notes) -> dict[str, Flag]:
    """The flags that a file defines, by name."""
    fields = read_mapping(node, "flags", notes)
    return {name: _read_flag(name, fields[name], notes) for name in fields}


def _read_flag(name: str, node: Node, notes: Notes) -> Flag:
    fields = read_fields(node, f"flags.{name}", keys.FLAG, notes)
    return Flag(name, fields.text("bug"), fields.word("severity", keys.SEVERITIES), fields.text("why"))


def read_raised(node: Node, what: str, notes: Notes) -> Raised:
    """An exception or a warning that a case demands."""
    fields = read_fields(node, what, keys.RAISED, notes)
    torch = read_fields(fields["torch"], f"{what}.torch", keys.TORCH, notes)
    match = torch.text("match")
    try:
        re.compile(match)
    except re.error as error:
        problem = f"{what}.torch.match is not a regular expression ({error})"
        notes.add(torch["match"].place, problem, "put a backslash before brackets, dots and the like")
    kind, when = fields.word("kind", keys.REFUSALS), fields.word("when", keys.STAGES)
    type = torch.matching("type", _CLASS_NAME, "write the name of a class, like ValueError")
    return Raised(kind, when, type, match)


def read_drifted(node: Node, notes: Notes) -> Drifted:
    """A statement that was true of an older release."""
    fields = read_fields(node, "drifted", keys.DRIFTED, notes)
    return Drifted(fields.text("was"), fields.text("since"), fields.text("unit"))


def read_module(node: Node, notes: Notes) -> ModuleClaim:
    """A claim about torch's modules or names."""
    fields = read_fields(node, "module", keys.MODULE, notes)
    expected = _read_data(fields["expected"], "module.expected", notes)
    return ModuleClaim(fields.word("aspect", keys.ASPECTS), expected)


def _read_data(node: Node, what: str, notes: Notes) -> object:
    if isinstance(node, ListNode):
        return [_read_data(item, f"{what}[{position}]", notes) for position, item in enumerate(node.items)]
    if isinstance(node, MappingNode):
        return {key: _read_data(entry.value, f"{what}.{key}", notes) for key, entry in node.entries.items()}
    if isinstance(node, ScalarNode) and not node.quoted:
        kind = meaning(node.text)
        if kind is Meaning.NULL:
            return None
        if kind is Meaning.BOOLEAN:
            return read_boolean(node, what, notes)
        if kind is Meaning.NUMBER:
            return read_integer(node, what, notes)
    return read_text(node, what, notes)

"""Parses YAML strictly into a small tree whose nodes know their places in the file.

The tree is built from the parser's events: a composed YAML node no longer knows its anchors, and
composing runs out of stack on deep nesting.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import yaml

from lossproof.corpus.complaints import Notes, Place, quoted
from lossproof.corpus.scalars import Meaning, meaning

_DEEPEST = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INVISIBLE = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}  # categories of Unicode
_TOO_DEEP = f"lists and mappings nest deeper than {_DEEPEST} levels", "flatten them"
# Fragments of the parser's messages, and what they mean to the author of a case.
_SYNTAX = (
    ("nesting depth", *_TOO_DEEP),  # the parser's own limit, far beyond ours
    ("mapping values are not allowed", "there is a second ': ' here", "put a text that holds ': ' in quotes"),
    ("cannot start any token", "this character cannot begin a text", "put the text in quotes"),
    ("quoted scalar", "a quotation mark is not closed", "close it"),
    ("flow sequence", "a list in brackets is not closed or lacks a comma", "check '[', ',' and ']'"),
    ("flow mapping", "a mapping in braces is not closed or lacks a comma", "check '{', ',' and '}'"),
    ("flow node", "a value is missing between brackets or commas", "check '[', ']', '{', '}' and ','"),
    ("block", "the line is indented too little or too much", "indent it like its neighbours"),
    (
        "could not find expected ':'",
        "a key lacks its ':'",
        "write 'key: value', or indent a text's further lines",
    ),
    ("undefined alias", "'*' refers to a name that no '&' gives", "write the value out"),
)


class ScalarNode(NamedTuple):
    """A text, and whether it is in quotes or a block."""

    text: str
    quoted: bool
    place: Place


class ListNode(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    place: Place


class Entry(NamedTuple):
    """A value of a mapping, and the place of its key."""

    place: Place
    value: Node


class MappingNode(NamedTuple):
    """A mapping with strings for keys."""

    entries: Mapping[str, Entry]
    place: Place


class RefusedNode(NamedTuple):
    """Something that already has a complaint; readers skip it silently."""

    place: Place


Node = ScalarNode | ListNode | MappingNode | RefusedNode


def parse_tree(text: str, notes: Notes) -> Node:
    """Parse the text of a file; complaints go to ``notes``."""
    loader = None
    try:
        loader = _LOADER(text)
        return _Builder(loader.get_event, notes).document()
    except yaml.MarkedYAMLError as error:
        notes.add(_place(error.problem_mark or error.context_mark), *_in_plain_words(error))
    except _NestingError as error:
        notes.add(error.place, *_TOO_DEEP)
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        notes.add(None, "a character of it cannot be read", "leave out what is invisible or not UTF-8")
    finally:
        if loader is not None:
            loader.dispose()
    return RefusedNode(Place(1, 1))


def hidden_character(text: str) -> str | None:
    """The name of the first invisible character of ``text``, or None."""
    if text.isprintable():
        return None
    for character in text:
        if character != "\n" and unicodedata.category(character) in _INVISIBLE:
            return "tab" if character == "\t" else f"U+{ord(character):04X}"
    return None


class _Mark(Protocol):
    line: int
    column: int


class _NestingError(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


class _Builder:
    def __init__(self, next_event: Callable[[], Any], notes: Notes) -> None:
        # Any: only some kinds of events have an anchor, a tag or a value.
        self._next = next_event
        self._notes = notes

    def document(self) -> Node:
        self._next()
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            self._notes.add(None, "the file is empty", "write 'cases:' and a case, or remove the file")
            return RefusedNode(Place(1, 1))
        if start.version or start.tags:
            self._notes.add(_place(start.start_mark), "a line with '%' is a YAML directive", "remove it")
        root = self._node(self._next(), 0)
        self._next()
        following = self._next()
        if isinstance(following, yaml.DocumentStartEvent):
            place = _place(following.start_mark)
            self._notes.add(place, "a second document begins here", "remove the '---' or use a file for each")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event.start_mark)
        if depth > _DEEPEST:
            raise _NestingError(place)
        if isinstance(event, yaml.AliasEvent):
            self._notes.add(place, f"'*{event.anchor}' is an alias", "write the value out")
            return RefusedNode(place)
        if event.anchor is not None:
            self._notes.add(place, f"'&{event.anchor}' is an anchor", "remove it and write the value out")
        if event.tag is not None:
            self._notes.add(place, f"'{event.tag}' is a tag", "remove it; values mean what they look like")
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := self._next(), yaml.SequenceEndEvent):
                items.append(self._node(event, depth + 1))
            return ListNode(tuple(items), place)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place, depth)
        hidden = hidden_character(event.value)
        if hidden is not None:
            self._notes.add(place, f"the text holds an invisible character ({hidden})", "leave it out")
        if hidden is not None or event.anchor is not None or event.tag is not None:
            return RefusedNode(place)
        return ScalarNode(event.value, not event.implicit[0], place)

    def _mapping(self, place: Place, depth: int) -> MappingNode:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(self._node(event, depth + 1))
            value = self._node(self._next(), depth + 1)
            if key is None:
                continue
            if key.text in entries:
                problem = (
                    f"the key {quoted(key.text)} appears twice, first on line {entries[key.text].place.line}"
                )
                self._notes.add(key.place, problem, "keep one of them")
            else:
                entries[key.text] = Entry(key.place, value)
        return MappingNode(entries, place)

    def _key(self, node: Node) -> ScalarNode | None:
        if isinstance(node, RefusedNode):
            return None
        if not isinstance(node, ScalarNode):
            self._notes.add(node.place, "a key is a list or a mapping", "a key is a name; use one")
            return None
        if node.text == "<<" and not node.quoted:
            self._notes.add(node.place, "'<<' merges another mapping", "write its keys out")
            return None
        if not node.quoted and meaning(node.text) is not Meaning.STRING:
            name = quoted(node.text) if node.text else "an empty key"
            self._notes.add(node.place, f"{name} is a key but not a name", "a key is a name; use one")
            return None
        return node


def _place(mark: _Mark | None) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _in_plain_words(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    message = f"{error.problem or ''} {error.context or ''}"
    for words, problem, remedy in _SYNTAX:
        if words in message:
            return problem, remedy
    return f"YAML cannot be read here ({message.strip()})", "check colons, quotes and indentation"

"""Parses TOML into the same tree as YAML, so that both are read by the same rules."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from lossproof.corpus.complaints import Notes, Place
from lossproof.corpus.nodes import Entry, ListNode, MappingNode, Node, RefusedNode, ScalarNode

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_AT = re.compile(r" ?\(at line (\d+), column (\d+)\)$|\(at end of document\)$")
_TABLE = re.compile(r"^\s*\[\[?\s*([\w-]+)\s*\]?\]")
_KEY = re.compile(r"^\s*([\w-]+)\s*=")
# As the case format writes what JSON lacks.
_NOT_FINITE = {"nan": ".nan", "+nan": ".nan", "-nan": ".nan", "inf": ".inf", "+inf": ".inf", "-inf": "-.inf"}


class _Digits(str):
    """A floating-point number as it is written."""


def parse_toml(text: str, notes: Notes) -> Node:
    """Parse the text of a file; complaints go to ``notes``.

    The place of a table, and of a key of the file or of a table, is its line. TOML's parser keeps no places,
    so that they are found in the text.
    """
    try:
        data = tomllib.loads(text, parse_float=_Digits)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        place = Place(int(found[1]), int(found[2])) if found and found[1] else None
        problem = f"TOML cannot be read here ({_AT.sub('', str(error))})"
        notes.add(place, problem, "check quotes, brackets and '='")
        return RefusedNode(Place(1, 1))
    return _file(data, _sections(text))


# The line on which a table begins, and those of its keys; the first is the file itself.
_Section = tuple[str, int, dict[str, int]]


def _sections(text: str) -> list[_Section]:
    sections: list[_Section] = [("", 1, {})]
    for number, line in enumerate(text.splitlines(), 1):
        if table := _TABLE.match(line):
            sections.append((table[1], number, {}))
        elif key := _KEY.match(line):
            sections[-1][2].setdefault(key[1], number)
    return sections


def _file(data: Mapping[str, Any], sections: list[_Section]) -> MappingNode:
    entries: dict[str, Entry] = {}
    lines = sections[0][2]
    for key, value in data.items():
        tables = [section for section in sections if section[0] == key]
        if isinstance(value, list) and tables and all(isinstance(item, dict) for item in value):
            place = Place(tables[0][1], 1)
            items = (
                _mapping(item, Place(line, 1), keys)
                for item, (_, line, keys) in zip(value, tables, strict=False)
            )
            entries[key] = Entry(place, ListNode(tuple(items), place))
        elif isinstance(value, dict) and tables:
            place = Place(tables[0][1], 1)
            entries[key] = Entry(place, _mapping(value, place, tables[0][2]))
        else:
            place = Place(lines.get(key, 1), 1)
            entries[key] = Entry(place, _node(value, place))
    return MappingNode(entries, Place(1, 1))


def _mapping(data: Mapping[str, Any], place: Place, lines: Mapping[str, int]) -> MappingNode:
    entries = {}
    for key, value in data.items():
        own = Place(lines.get(key, place.line), 1)
        entries[key] = Entry(own, _node(value, own))
    return MappingNode(entries, place)


def _node(value: Any, place: Place) -> Node:
    if isinstance(value, dict):
        return _mapping(value, place, {})
    if isinstance(value, list):
        return ListNode(tuple(_node(item, place) for item in value), place)
    if isinstance(value, _Digits):
        return ScalarNode(_NOT_FINITE.get(value, value.replace("_", "")), False, place)
    if isinstance(value, str):
        return ScalarNode(value, True, place)
    return ScalarNode(str(value).lower() if isinstance(value, bool) else str(value), False, place)

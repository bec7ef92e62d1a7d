"""Reads single values: texts, numbers, words, lists, and mappings with known keys.

Each function takes a node, the name of the value in complaints, and the notes. After a complaint it returns
a stand-in of the right type, so that reading goes on; a file with complaints is never used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TypeVar

from lossproof.corpus.complaints import Notes, Place, quoted, suggestion
from lossproof.corpus.keys import Keys
from lossproof.corpus.nodes import Entry, ListNode, MappingNode, Node, RefusedNode, ScalarNode
from lossproof.corpus.numeral import Numeral, parse_numeral
from lossproof.corpus.scalars import Meaning, is_hexadecimal, meaning
from lossproof.reference.option import LARGEST_WHOLE, SMALLEST_WHOLE

Value = TypeVar("Value")
Reader = Callable[[Node, str, Notes], Value]

STAND_IN = Numeral("0", Fraction(0), Fraction(0))
_LONGEST_NUMBER = 1000
_NUMBER_REMEDY = "write it like 1.5, 1e-5, .nan, -.inf or '0x1p-149'"
# Complaints name the values of these by their keys alone.
_WHOLE = re.compile(r"the \w+")
_TEXT_REMEDY = "put it in quotes if it is a text, else write true, false, null or a number"


class Fields:
    """The values of a mapping, each read by its key: by ``text`` as ``read_text`` reads one, and so on.

    A missing value reads as the stand-in of its type: if it is required, there already is a complaint.
    """

    def __init__(self, place: Place, entries: Mapping[str, Entry], what: str, notes: Notes) -> None:
        self.place = place
        self._entries = entries
        self._prefix = "" if _WHOLE.fullmatch(what) else f"{what}."
        self._notes = notes

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __getitem__(self, key: str) -> Node:
        return self._entries[key].value if key in self._entries else RefusedNode(self.place)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def place_of(self, key: str) -> Place:
        """The place of a key that is present."""
        return self._entries[key].place

    def complain(self, key: str, problem: str, remedy: str) -> None:
        """Add a complaint about a key that is present."""
        self._notes.add(self.place_of(key), problem, remedy)

    def text(self, key: str) -> str:
        """A text."""
        return read_text(self[key], self._prefix + key, self._notes)

    def matching(self, key: str, pattern: re.Pattern[str], remedy: str) -> str:
        """A text that matches ``pattern`` as a whole."""
        return read_matching(self[key], self._prefix + key, pattern, remedy, self._notes)

    def word(self, key: str, known: Iterable[str]) -> str:
        """One of the known words."""
        return read_word(self[key], self._prefix + key, known, self._notes)

    def words(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """A list of known words."""
        return read_words(self[key], self._prefix + key, known, self._notes)

    def number(self, key: str) -> Numeral:
        """A number."""
        return read_number(self[key], self._prefix + key, self._notes)

    def integer(self, key: str, least: int = SMALLEST_WHOLE, most: int = LARGEST_WHOLE) -> int:
        """A whole number."""
        return read_integer(self[key], self._prefix + key, self._notes, least, most)

    def boolean(self, key: str) -> bool:
        """``true`` or ``false``."""
        return read_boolean(self[key], self._prefix + key, self._notes)

    def list(self, key: str, read: Reader[Value]) -> tuple[Value, ...]:
        """A list whose items ``read`` reads."""
        return read_list(self[key], self._prefix + key, self._notes, read)

    def items(self, key: str) -> tuple[Node, ...]:
        """The items of a non-empty list."""
        node = self[key]
        if isinstance(node, ListNode) and node.items:
            return node.items
        if not isinstance(node, RefusedNode):
            found = "an empty list" if isinstance(node, ListNode) else describe(node)
            self._notes.add(node.place, f"{self._prefix}{key} is {found}", "write a list of at least one")
        return ()


def describe(node: Node) -> str:
    """The kind of a node, in words."""
    if isinstance(node, ListNode):
        return "a list"
    if not isinstance(node, ScalarNode):
        return "a mapping"
    kind = Meaning.STRING if node.quoted else meaning(node.text)
    return kind.value if kind in (Meaning.NULL, Meaning.NOTHING) else f"{kind.value} ({quoted(node.text)})"


def is_refused(node: Node, what: str, notes: Notes, remedy: str = _TEXT_REMEDY) -> bool:
    """Whether a node has been refused, or must be now, because readers of YAML disagree about it."""
    if isinstance(node, ScalarNode) and not node.quoted and meaning(node.text) is Meaning.AMBIGUOUS:
        notes.add(node.place, f"{what}: {quoted(node.text)} is ambiguous without quotes", remedy)
        return True
    return isinstance(node, RefusedNode)


def read_text(node: Node, what: str, notes: Notes) -> str:
    """A text; what looks like a number, a boolean or null must be in quotes."""
    if is_refused(node, what, notes, "put it in quotes"):
        return ""
    if isinstance(node, ScalarNode) and (node.quoted or meaning(node.text) is Meaning.STRING):
        if not node.text.strip():
            notes.add(node.place, f"{what} is an empty text", "write one")
        return node.text
    is_written = isinstance(node, ScalarNode) and node.text
    remedy = "put it in quotes" if is_written else "write one"
    notes.add(node.place, f"{what} is {describe(node)} but must be a text", remedy)
    return ""


def read_matching(node: Node, what: str, pattern: re.Pattern[str], remedy: str, notes: Notes) -> str:
    """A text that matches ``pattern`` as a whole."""
    before = len(notes)
    text = read_text(node, what, notes)
    if text and len(notes) == before and not pattern.fullmatch(text):
        notes.add(node.place, f"{what} is {quoted(text)}", remedy)
    return text


def read_word(node: Node, what: str, known: Iterable[str], notes: Notes) -> str:
    """One of the known words."""
    names = tuple(known)
    before = len(notes)
    word = read_text(node, what, notes)
    if word and len(notes) == before and word not in names:
        notes.add(node.place, f"{what} is {quoted(word)}, which is not known", suggestion(word, names))
    return word


def read_number(node: Node, what: str, notes: Notes) -> Numeral:
    """A number, without quotes; a hexadecimal one needs them."""
    remedy = _NUMBER_REMEDY
    if isinstance(node, ScalarNode):
        if is_hexadecimal(node.text) if node.quoted else meaning(node.text) is Meaning.NUMBER:
            return _numeral(node, what, notes)
        if is_hexadecimal(node.text):
            remedy = f"put it in quotes: {quoted(node.text)}"
    if is_refused(node, what, notes, remedy):
        return STAND_IN
    if isinstance(node, ScalarNode) and node.quoted and meaning(node.text) is Meaning.NUMBER:
        notes.add(node.place, f"{what}: the number {quoted(node.text)} is in quotes", "remove the quotes")
    else:
        notes.add(node.place, f"{what} is {describe(node)} but must be a number", _NUMBER_REMEDY)
    return STAND_IN


def _numeral(node: ScalarNode, what: str, notes: Notes) -> Numeral:
    if len(node.text) > _LONGEST_NUMBER:
        notes.add(node.place, f"{what} is a number of more than {_LONGEST_NUMBER} characters", "shorten it")
        return STAND_IN
    try:
        numeral = parse_numeral(node.text)
        float(numeral)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        notes.add(node.place, f"{what}: {problem}", remedy)
    except OverflowError:
        problem = f"{what}: {quoted(node.text)} is beyond every floating-point format"
        notes.add(node.place, problem, "write .inf")
    else:
        return numeral
    return STAND_IN


def fits_int64(numeral: Numeral) -> bool:
    """Whether a number is a whole number of int64."""
    return numeral.is_integer and SMALLEST_WHOLE <= int(numeral.text) <= LARGEST_WHOLE


def read_whole(
    node: Node, what: str, notes: Notes, least: int = SMALLEST_WHOLE, most: int = LARGEST_WHOLE
) -> Numeral:
    """A whole number, written in digits only; by default any of int64."""
    before = len(notes)
    numeral = read_number(node, what, notes)
    if len(notes) > before or isinstance(node, RefusedNode):
        return STAND_IN
    if not numeral.is_integer:
        problem = f"{what} is {numeral.text} but must be a whole number"
        notes.add(node.place, problem, "write it in digits only")
    elif int(numeral.text) < least:
        notes.add(node.place, f"{what} is {numeral.text}", f"write a whole number of at least {least}")
    elif int(numeral.text) > most:
        notes.add(node.place, f"{what} is {numeral.text}", f"write a whole number of at most {most}")
    else:
        return numeral
    return STAND_IN


def read_integer(
    node: Node, what: str, notes: Notes, least: int = SMALLEST_WHOLE, most: int = LARGEST_WHOLE
) -> int:
    """A whole number, as ``read_whole`` reads it, as an int."""
    return int(read_whole(node, what, notes, least, most).text)


def read_boolean(node: Node, what: str, notes: Notes) -> bool:
    """``true`` or ``false``."""
    if is_refused(node, what, notes, "write true or false"):
        return False
    if isinstance(node, ScalarNode) and not node.quoted and meaning(node.text) is Meaning.BOOLEAN:
        return node.text == "true"
    notes.add(node.place, f"{what} is {describe(node)} but must be true or false", "write true or false")
    return False


def read_list(node: Node, what: str, notes: Notes, read: Reader[Value]) -> tuple[Value, ...]:
    """A list whose items ``read`` reads."""
    if isinstance(node, ListNode):
        return tuple(read(item, f"{what}[{position}]", notes) for position, item in enumerate(node.items))
    if not is_refused(node, what, notes):
        problem = f"{what} is {describe(node)} but must be a list"
        notes.add(node.place, problem, "write it in brackets: [..., ...]")
    return ()


def read_words(node: Node, what: str, known: Iterable[str], notes: Notes) -> tuple[str, ...]:
    """A non-empty list of distinct known words."""
    names = tuple(known)
    before = len(notes)
    words = read_list(node, what, notes, lambda item, name, its: read_word(item, name, names, its))
    if len(notes) > before or isinstance(node, RefusedNode):
        return words
    if not words:
        notes.add(node.place, f"{what} is an empty list", "remove it or name something")
    for word in sorted(word for word, times in Counter(words).items() if times > 1):
        notes.add(node.place, f"{what} names {quoted(word)} more than once", "name it once")
    return words


def read_mapping(node: Node, what: str, notes: Notes) -> Fields:
    """A non-empty mapping with any keys."""
    if isinstance(node, MappingNode):
        if not node.entries:
            notes.add(node.place, f"{what} is empty", "remove it or write something into it")
        return Fields(node.place, node.entries, what, notes)
    if not is_refused(node, what, notes):
        notes.add(node.place, f"{what} is {describe(node)} but must be a mapping", "write 'key: value' pairs")
    return Fields(node.place, {}, what, notes)


def read_fields(node: Node, what: str, keys: Keys, notes: Notes) -> Fields:
    """A mapping with known keys."""
    fields = read_mapping(node, what, notes)
    if not isinstance(node, MappingNode):
        return fields
    for key in fields:
        if key not in keys.all:
            note_unknown(fields, key, f"key of {what}", keys.all, notes)
    for key in keys.required:
        if key not in fields:
            written = f"{key} = ..." if notes.file.endswith(".toml") else f"{key}: ..."
            notes.add(fields.place, f"{what} lacks the key '{key}'", f"add '{written}'")
    return fields


def note_unknown(fields: Fields, key: str, kind: str, known: Iterable[str], notes: Notes) -> None:
    """Complain about an unknown key."""
    value = fields[key]
    remedy = suggestion(key, known)
    if isinstance(value, ScalarNode) and not value.quoted and not value.text:
        remedy = f"if it is the rest of a text with a comma, put that text in quotes; else {remedy}"
    notes.add(fields.place_of(key), f"{quoted(key)} is not a {kind}", remedy)

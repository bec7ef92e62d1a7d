"""A file of cases to which a case is added; after a failure the file is unchanged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lossproof.command_line.case_text import wrapped
from lossproof.command_line.checking import read_text
from lossproof.command_line.terminal import Mistake
from lossproof.command_line.written_file import write_file
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.files import read_text_file
from lossproof.corpus.nodes import MappingNode, ScalarNode, parse_tree
from lossproof.corpus.reading import holds_known_defects, repeated_ids

_WIDTH = 110  # of a line, if it can be wrapped


@dataclass(frozen=True)
class CaseFile:
    """A file before a case is added to it.

    Attributes:
        name: the name of the file in complaints.
        text: its text, with uniform line ends.
        data: its bytes on the disk.
        loss: the loss that it names for all its cases, or empty.
        indent: the indentation of its list of cases.
        cases: its cases.
    """

    name: str
    text: str
    data: bytes
    loss: str
    indent: str
    cases: tuple[Case, ...]

    @classmethod
    def read(cls, file: Path | None, loss: str) -> CaseFile:
        """The file, or the head of a new one.

        Raises:
            Mistake: no case can be added to such a file.
            CorpusError: the file already has complaints.
        """
        if file is not None and (file.suffix != ".yaml" or holds_known_defects(file)):
            raise Mistake(f"{file} is not a file of cases; name one that ends in .yaml")
        if file is not None and not file.parent.is_dir():
            raise Mistake(f"there is no folder {file.parent}; make it, or name another file")
        if file is None or not os.path.lexists(file):
            head = f"loss: {loss}\ncases:\n"
            return cls(str(file or "the new case"), head, head.encode(), loss, "  ", ())
        notes = Notes(str(file))
        content = read_text_file(file, notes)
        cases = [] if content is None else read_text(content, notes)
        if complaints := [*notes.complaints(), *repeated_ids(cases)]:
            raise CorpusError(complaints)
        assert content is not None
        stated_loss, indent = _layout(content, notes.file)
        return cls(notes.file, content, file.read_bytes(), stated_loss, indent, tuple(cases))

    def entry(self, fields: Mapping[str, str]) -> str:
        """The case as an item of the file's list, indented like its neighbours."""
        width = _WIDTH - len(self.indent) - 2
        lines = [line for key, value in fields.items() for line in wrapped(f"{key}: {value}", width)]
        return f"{self.indent}- " + f"\n{self.indent}  ".join(lines) + "\n"

    def with_case(self, fields: Mapping[str, str]) -> Case | None:
        """The case as read from the extended file, or None if it only lacks ``rounded``."""
        notes = Notes(self.name)
        cases = read_text(self.text_with(fields), notes)
        complaints = [*notes.complaints(), *repeated_ids(cases)]
        if not complaints:
            return cases[-1]
        if "rounded" not in fields and all("'rounded: true'" in one.remedy for one in complaints):
            return None
        raise CorpusError(complaints)

    def append(self, file: Path, fields: Mapping[str, str]) -> None:
        """Write the file with the case at its end, or leave it unchanged."""
        added = self.text_with(fields).removeprefix(self.text).encode()
        if b"\r\n" in self.data:
            added = added.replace(b"\n", b"\r\n")
        write_file(file, self.data + added)

    def text_with(self, fields: Mapping[str, str]) -> str:
        """The text of the file with the case at its end."""
        return self.text + ("" if self.text.endswith("\n") else "\n") + self.entry(fields)


def _layout(content: str, name: str) -> tuple[str, str]:
    """The loss that a valid file names for all its cases, and the indentation of its list."""
    root = parse_tree(content, Notes(name))
    assert isinstance(root, MappingNode)
    place = root.entries["cases"].value.place
    is_block = content.split("\n")[place.line - 1][place.column - 1] == "-"
    if not is_block or list(root.entries)[-1] != "cases":
        remedy = "put 'cases:' last, and each case on lines of its own that begin with '-'"
        raise Mistake(f"{name} does not end with its list of cases; {remedy}")
    loss = root.entries["loss"].value if "loss" in root.entries else None
    return loss.text if isinstance(loss, ScalarNode) else "", " " * (place.column - 1)

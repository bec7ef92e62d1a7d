"""Reads the corpus: all cases and known defects of a folder, or every complaint about them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lossproof.corpus.case import Case, Document, KnownDefect
from lossproof.corpus.case_reading import read_cases, read_file_document
from lossproof.corpus.complaints import Complaint, CorpusError, Notes
from lossproof.corpus.defects import read_defects
from lossproof.corpus.files import digest, find_files, read_text_file, relative_name
from lossproof.corpus.garbage import without_garbage_collection
from lossproof.corpus.nodes import parse_tree
from lossproof.corpus.picks import Pick, read_picks
from lossproof.corpus.releases import Releases, find_releases

_DEFECTS_PREFIX = "known-defects"
_CONVENTIONS = "conventions.yaml"
_ID = re.compile(r"^ *- *(?:\{ *)?id: *([a-z0-9-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Corpus:
    """Everything that the case files say.

    Attributes:
        cases, known_defects: in the order of the files.
        documents: those that the case files describe.
        releases: those with results on record.
        picks: the picks of subjects, by release.
        digest: hexadecimal digits that identify the contents of all files.
    """

    cases: tuple[Case, ...]
    known_defects: tuple[KnownDefect, ...]
    digest: str
    documents: tuple[Document, ...] = ()
    releases: Releases = field(default_factory=Releases)
    picks: tuple[Pick, ...] = ()


@without_garbage_collection()
def load_corpus(root: Path, mentioning: Collection[str] = ()) -> Corpus:
    """Read all case files below ``root``, in the order of their names, and its known defects.

    Args:
        root: the folder of case files; names that begin with ``known-defects`` mark files of known defects,
            and ``conventions.yaml`` holds the picks of subjects.
        mentioning: ids of cases; if there are any, only the files whose text contains one of them are read.

    Raises:
        CorpusError: with all complaints about all files, when there is any.
    """
    root = Path(os.path.abspath(root))
    files, all_notes = find_files(root)
    releases, troubles = find_releases(root)
    all_notes += troubles
    cases: list[Case] = []
    defects: list[KnownDefect] = []
    documents: list[Document] = []
    picks: list[Pick] = []
    unread: set[str] = set()
    # A known defect names a case, so all cases are read first.
    for path in sorted(files, key=holds_known_defects):
        notes = Notes(relative_name(path, root))
        all_notes.append(notes)
        text = read_text_file(path, notes)
        if text is None:
            continue
        if mentioning and not any(id in text for id in mentioning):
            unread.update(_ID.findall(text))
            continue
        tree = parse_tree(text, notes)
        if path == root / _CONVENTIONS:
            picks += read_picks(tree, notes)
        elif holds_known_defects(path):
            defects += read_defects(tree, {case.id for case in cases} | unread, notes)
        else:
            cases += read_cases(tree, notes)
            document = read_file_document(tree, notes)
            documents += [document] if document else []
    complaints = [complaint for notes in all_notes for complaint in notes.complaints()]
    complaints += repeated_ids(cases)
    if complaints:
        raise CorpusError(complaints)
    return Corpus(tuple(cases), tuple(defects), digest(files), tuple(documents), releases, tuple(picks))


def load_picks(root: Path) -> tuple[Pick, ...]:
    """Read the picks of subjects, without reading any case.

    Args:
        root: as for ``load_corpus``.

    Raises:
        CorpusError: with all complaints about the file. A folder without the file has no picks.
    """
    path = Path(os.path.abspath(root)) / _CONVENTIONS
    if not path.exists():
        return ()
    notes = Notes(relative_name(path, path.parent))
    text = read_text_file(path, notes)
    picks = [] if text is None else read_picks(parse_tree(text, notes), notes)
    if complaints := notes.complaints():
        raise CorpusError(complaints)
    return tuple(picks)


def ids_in(files: Iterable[Path]) -> list[str]:
    """The ids of cases, searched in the text of the files: fast, but blind to unusual ways to write one."""
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return [id for text in texts for id in _ID.findall(text)]


def holds_known_defects(path: Path) -> bool:
    """Whether the name of a file marks it as one of known defects."""
    return path.name.startswith(_DEFECTS_PREFIX)


def repeated_ids(cases: Iterable[Case]) -> list[Complaint]:
    """A complaint for each id that an earlier case has."""
    first: dict[str, Case] = {}
    complaints = []
    for case in cases:
        before = first.setdefault(case.id, case)
        if before is not case and case.id:
            problem = f"the id '{case.id}' is in use at {before.file}:{before.line}"
            complaints.append(
                Complaint(case.file, case.line, case.id, problem, "give this case an id of its own")
            )
    return complaints

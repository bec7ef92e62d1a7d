"""``check``: all complaints about case files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossproof.command_line.corpus import read_corpus
from lossproof.command_line.terminal import BAD, GOOD, say
from lossproof.corpus.case import Case
from lossproof.corpus.case_reading import read_cases
from lossproof.corpus.complaints import Complaint, CorpusError, Notes
from lossproof.corpus.defects import read_defects
from lossproof.corpus.files import default_corpus, read_text_file, relative_name
from lossproof.corpus.nodes import parse_tree
from lossproof.corpus.reading import holds_known_defects, repeated_ids
from lossproof.reporting.text import count


def check(files: Sequence[Path], corpus: Path | None) -> bool:
    """Write every complaint about some files, one per line, and return whether there are none.

    A file of the corpus is also checked against the rest of it: no id may appear twice.
    """
    cases: list[Case] = []
    defects = 0
    complaints: list[Complaint] = []
    for file in dict.fromkeys(files):
        notes = Notes(str(file))
        if file.suffix != ".yaml":
            notes.add(None, "the file is not read because of its ending", "let its name end in .yaml")
        elif (text := read_text_file(file, notes)) is not None:
            if holds_known_defects(file):
                ids = {case.id for case in read_corpus(corpus).cases}
                defects += len(read_defects(parse_tree(text, notes), ids, notes))
            else:
                cases += read_text(text, notes)
        complaints += notes.complaints()
    complaints += repeated_ids(cases)
    if not complaints:
        inside = [file for file in files if is_inside(file, corpus)]
        complaints += _corpus_complaints(inside, [case.id for case in cases], corpus)
    for complaint in CorpusError(complaints).complaints:
        say(str(complaint), BAD)
    if not complaints:
        counts = [count(len(cases), "case")] if cases or not defects else []
        counts += [count(defects, "known defect")] if defects else []
        say(f"{' and '.join(counts)}, no complaint", GOOD)
    return not complaints


def read_text(text: str, notes: Notes) -> list[Case]:
    """The cases of a file's text; complaints go to ``notes``."""
    return read_cases(parse_tree(text, notes), notes)


def is_inside(file: Path, corpus: Path | None) -> bool:
    """Whether a file belongs to the corpus."""
    return file.resolve().is_relative_to((corpus or default_corpus(Path())).resolve())


def _corpus_complaints(files: Sequence[Path], ids: Sequence[str], corpus: Path | None) -> list[Complaint]:
    """The complaints about files of the corpus, with these cases, that only the rest of it brings out."""
    if not files:
        return []
    root = (corpus or default_corpus(Path())).resolve()
    names = [relative_name(file.resolve(), root) for file in files]
    try:
        read_corpus(corpus, ids)
    except CorpusError as error:
        return [
            one
            for one in error.complaints
            if one.file in names or any(f" {name}:" in one.problem for name in names)
        ]
    return []

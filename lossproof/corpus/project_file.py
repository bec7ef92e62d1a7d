"""``lossproof.toml``: what an implementer's own project says about its implementation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from lossproof.corpus import keys
from lossproof.corpus.case import KnownDefect
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.defects import LINK, read_elements, read_observed
from lossproof.corpus.fields import Fields, read_fields, read_text
from lossproof.corpus.files import read_text_file
from lossproof.corpus.keys import Keys
from lossproof.corpus.nodes import MappingNode, Node, ScalarNode
from lossproof.corpus.observed import VARIES, Observed
from lossproof.corpus.toml_nodes import parse_toml
from lossproof.numbers.formats import FORMATS

PROJECT_FILE = "lossproof.toml"

_TEXTS = ("subject", "as", "command", "arrays", "backward", "device")
# Of the options of a run, those with several values, and those without one.
LISTS = ("subjects", "dtypes", "losses", "cases", "flags", "quantities", "lacks")
FLAGS = ("no_refusals", "quick")
_FILE = Keys((), (*_TEXTS, *LISTS, *FLAGS, "fixed", "differs", "defects"))
_WHERE = ("dtypes", "reductions", "quantities", "layouts")
_DIFFERS = Keys(("cases", "reason"), (*_WHERE, "link"))
_DEFECT = Keys(("case", "observed", "why"), (*_WHERE, "elements", "expected", "link"))


@dataclass(frozen=True)
class ProjectFile:
    """The contents of the file.

    Attributes:
        options: options of ``verify``, by their names, as texts.
        entries: the differences by design, one for each case that matches, and the defects. Their subject is
            ``*``: they are about every foreign subject of a run.
    """

    options: dict[str, str]
    entries: tuple[KnownDefect, ...]


def read_project(text: str, cases: Collection[str]) -> ProjectFile:
    """Read the text of the file; ``cases`` are the ids of the corpus.

    Raises:
        CorpusError: with all complaints about it.
    """
    notes = Notes(PROJECT_FILE)
    project = _read(parse_toml(text, notes), cases, notes)
    _raise_complaints(notes)
    return project


def text_of(path: Path) -> str:
    """The text of a project file.

    Raises:
        CorpusError: if it cannot be read.
    """
    notes = Notes(path.name)
    text = read_text_file(path, notes)
    _raise_complaints(notes)
    assert text is not None  # or there would be a complaint
    return text


def _raise_complaints(notes: Notes) -> None:
    if complaints := notes.complaints():
        raise CorpusError(complaints)


def _read(root: Node, cases: Collection[str], notes: Notes) -> ProjectFile:
    fields = read_fields(root, "the file", _FILE, notes)
    options = {key: fields.text(key) for key in _TEXTS if key in fields}
    options |= {key: ",".join(fields.list(key, read_text)) for key in LISTS if key in fields}
    options |= {key: "yes" for key in FLAGS if key in fields and fields.boolean(key)}
    if "fixed" in fields:
        options["fixed"] = ",".join(_assignments(fields["fixed"], notes))
    entries = [entry for node in _items(fields, "differs") for entry in _differences(node, cases, notes)]
    entries += [_defect(node, cases, notes) for node in _items(fields, "defects")]
    return ProjectFile(options, tuple(entries))


def _items(fields: Fields, key: str) -> tuple[Node, ...]:
    return fields.items(key) if key in fields else ()


def _assignments(node: Node, notes: Notes) -> list[str]:
    if not isinstance(node, MappingNode):
        notes.add(node.place, "fixed is not a table", 'write fixed = {reduction = "none"}')
        return []
    values = {name: entry.value for name, entry in node.entries.items()}
    return [f"{name}={value.text}" for name, value in values.items() if isinstance(value, ScalarNode)]


def _differences(node: Node, cases: Collection[str], notes: Notes) -> list[KnownDefect]:
    """An entry for each case that the pattern of a difference matches."""
    fields = read_fields(node, "the difference", _DIFFERS, notes)
    pattern = fields.text("cases")
    matching = [id for id in cases if fnmatch(id, pattern)]
    if pattern and not matching:
        fields.complain("cases", f"no case matches '{pattern}'", "see 'lossproof list'")
    entry = _entry(fields, notes, pattern, Observed((VARIES,)), "reason", "convention")
    return [replace(entry, case=id, pattern=pattern) for id in matching]


def _defect(node: Node, cases: Collection[str], notes: Notes) -> KnownDefect:
    fields = read_fields(node, "the defect", _DEFECT, notes)
    observed = read_observed(fields["observed"], notes)
    return _entry(fields, notes, fields.word("case", cases), observed, "why", "defect")


def _entry(
    fields: Fields, notes: Notes, case: str, observed: Observed, reason: str, kind: str
) -> KnownDefect:
    return KnownDefect(
        case=case,
        subject="*",
        dtypes=fields.words("dtypes", FORMATS),
        reductions=fields.words("reductions", keys.REDUCTIONS),
        quantities=fields.list("quantities", read_text),
        since="",
        until="",
        platform="",
        device="",
        observed=observed,
        expected=fields.text("expected"),
        why=fields.text(reason),
        kind=kind,
        link=fields.matching("link", *LINK),
        file=notes.file,
        line=fields.place.line,
        layouts=fields.words("layouts", keys.LAYOUTS),
        elements=read_elements(fields["elements"], notes) if "elements" in fields else (),
    )

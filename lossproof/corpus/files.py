"""Finds case files and reads their text, without knowing what a case is."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from lossproof.corpus.complaints import Notes, Place
from lossproof.corpus.nodes import hidden_character

_PACKAGE = Path(__file__).parents[1]
HISTORY = "history"  # the folder of results on other releases
_LARGEST = 10_000_000
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def default_corpus(folder: Path) -> Path:
    """The case files for a user who names none.

    They are those of ``folder`` if it is a checkout, else those of the package: a wheel holds them, and an
    editable installation has them beside it.
    """
    return _shipped("cases", folder)


def guide(name: str) -> Path:
    """A page of ``docs/``, for a message that refers to it; it lies where ``default_corpus`` does."""
    return _shipped("docs", Path()) / name


def _shipped(name: str, folder: Path) -> Path:
    if (folder / name).is_dir() and (folder / _PACKAGE.name).is_dir():
        return folder / name
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def relative_name(path: Path, root: Path) -> str:
    """The name of a file in complaints and cases, relative to the folder that holds ``root``."""
    return path.relative_to(root.parent).as_posix()


def find_files(root: Path) -> tuple[list[Path], list[Notes]]:
    """All case files below ``root``, sorted, and complaints about its folders.

    Their names end in ``.yaml``. The folder of the history is skipped: it holds results of runs.
    """
    files: list[Path] = []
    troubles: list[Notes] = []

    def trouble(path: Path, problem: str, remedy: str) -> None:
        notes = Notes(relative_name(path, root))
        notes.add(None, problem, remedy)
        troubles.append(notes)

    def unreadable(error: OSError) -> None:
        problem = f"the folder cannot be read ({error.strerror})"
        trouble(Path(error.filename), problem, "make it a readable folder")

    for folder, subfolders, names in os.walk(root, onerror=unreadable):
        if Path(folder) == root and HISTORY in subfolders:
            subfolders.remove(HISTORY)
        for name in subfolders:
            if (path := Path(folder, name)).is_symlink():
                trouble(path, "the folder is a link, which is not followed", "put the folder itself here")
        for name in names:
            path = Path(folder, name)
            if path.suffix == ".yaml":
                files.append(path)
            elif path.suffix.lower() in {".yml", ".yaml"}:
                trouble(path, "the file is not read because of its ending", "let its name end in .yaml")
    return sorted(files), troubles


def digest(files: Iterable[Path]) -> str:
    """Twelve hexadecimal digits that identify the contents of some files."""
    contents = hashlib.sha256()
    for path in files:
        contents.update(path.read_bytes())
    return contents.hexdigest()[:12]


def read_text_file(path: Path, notes: Notes) -> str | None:
    """The text of a file with uniform line ends, or None after a complaint."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            notes.add(None, "this is not a regular file", "put a file here")
            return None
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        notes.add(None, f"the file cannot be read ({error.strerror})", "put a readable file here")
        return None
    if len(data) > _LARGEST:
        remedy = "split it, or write large tensors with 'uniform' or 'fill'"
        notes.add(None, "the file is larger than 10 MB", remedy)
        return None
    if data.startswith((*_UTF16_MARKS, _UTF8_MARK)):
        notes.add(Place(1, 1), "the file begins with a byte order mark", "save it as UTF-8 without one")
        return None
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        notes.add(Place(line, 1), "the file is not UTF-8", "save it as UTF-8")
        return None
    before = len(notes)
    for number, content in enumerate(text.split("\n"), 1):
        if name := hidden_character(content):
            problem = f"the line holds an invisible character ({name})"
            notes.add(Place(number, 1), problem, "use spaces, or leave it out")
    return text if len(notes) == before else None

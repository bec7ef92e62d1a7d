"""Keeps contents in a folder under their keys, for later runs.

Each process appends to a file of its own, so that runs and workers never wait for each other. A file is a
sequence of entries, each a head (key, length, checksum) and a content. What does not fit its checksum counts
as never stored, and its file is removed. Reading executes nothing.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

KEY_BYTES = 16
# Twice what the suite's own corpus takes.
LARGEST = 2**29
# More numbers than this are computed nearly as fast as they are read.
_LARGEST_CONTENT = 2**21
_HEAD = struct.Struct(f"<{KEY_BYTES}sQ16s")
_SUFFIX = ".kept"


class ContentStore:
    """Contents of 16-byte keys, in files of a folder that holds what one state of the code computes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._added: dict[bytes, bytes] = {}
        self._file: Path | None = None

    def find(self, key: bytes) -> bytes | None:
        """The content of a key, or None if it is not there or damaged."""
        if key in self._added:
            return self._added[key]
        if key not in self._places:
            return None
        path, start, length = self._places[key]
        with suppress(OSError, struct.error), path.open("rb", buffering=0) as file:
            file.seek(start)
            entry = file.read(_HEAD.size + min(length, _LARGEST_CONTENT))
            *_, checksum = _HEAD.unpack_from(entry)
            content = entry[_HEAD.size :]
            if self._checksum(key, content) == checksum:
                return content
        self._forget(path)
        return None

    def add(self, key: bytes, content: bytes) -> None:
        """Remember a content, unless it is very long or there; only ``keep`` writes it to the folder."""
        if len(content) <= _LARGEST_CONTENT and key not in self._places:
            self._added[key] = content

    def keep(self) -> None:
        """Write what was added, unless the folder is full or cannot be written."""
        added, self._added = self._added, {}
        if not added or self._size > LARGEST:
            return
        with suppress(OSError):
            if self._file is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(suffix=_SUFFIX, dir=self.folder, delete=False) as file:
                    self._file = Path(file.name)
            with self._file.open("ab") as file:
                for key, content in added.items():
                    self._places[key] = self._file, file.tell(), len(content)
                    file.write(_HEAD.pack(key, len(content), self._checksum(key, content)) + content)
                    self._size += _HEAD.size + len(content)

    @cached_property
    def _size(self) -> int:
        return size_of(self.folder)

    @cached_property
    def _places(self) -> dict[bytes, tuple[Path, int, int]]:
        """The file of each key, where its entry begins, and the length of its content."""
        files = _files(self.folder)
        return {key: (path, start, length) for path in files for key, start, length in _entries(path)}

    def _forget(self, path: Path) -> None:
        self._places = {key: place for key, place in self._places.items() if place[0] != path}
        with suppress(OSError):
            path.unlink()

    def _checksum(self, key: bytes, content: bytes) -> bytes:
        """It fits neither under another key nor in the folder of another state of the code."""
        checksum = sha256(self.folder.name.encode() + key)
        checksum.update(content)
        return checksum.digest()[:16]


def make_room(folder: Path, current: str) -> None:
    """Remove the stores in a folder that were not used for the longest time, until the rest is small enough.

    Args:
        folder: holds the folder of each store.
        current: the name of the store that is about to be used.
    """
    with suppress(OSError):
        (folder / current).mkdir(exist_ok=True)
        (folder / current).touch()
        stores = sorted(folder.iterdir(), key=lambda store: store.lstat().st_mtime)
        excess = sum(map(size_of, stores)) - LARGEST
        for store in stores:
            if excess > 0:
                excess -= size_of(store)
                shutil.rmtree(store, ignore_errors=True)


def size_of(store: Path) -> int:
    """The bytes that the files of a store take."""
    return sum(path.stat().st_size for path in _files(store))


def _files(store: Path) -> list[Path]:
    """No pipe, for one, in which a reader would wait forever."""
    return [path for path in store.glob(f"*{_SUFFIX}") if path.is_file()]


def _entries(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Each key in a file, where its entry begins, and the length of its content.

    The last entry may be half written.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return
    start = 0
    while start + _HEAD.size <= len(content):
        key, length, _ = _HEAD.unpack_from(content, start)
        end = start + _HEAD.size + length
        if end <= len(content):
            yield key, start, length
        start = end

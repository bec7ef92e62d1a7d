"""Writes a set of files as a whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class ReportError(Exception):
    """A report cannot be written or read; the message says why and how to mend it."""


def write_whole(folder: Path, texts: Mapping[str, str | None]) -> list[Path]:
    """Write each text to its name in the folder; if one fails, leave every file unchanged.

    A name without a text has its file removed: that would belong to an earlier run. A missing folder is made.
    Every new text, and a copy of every file that it replaces, is on the disk before the first file changes,
    so that a full disk is noticed in time. If two runs end at once, one waits, so that all files come from
    the same run.

    Raises:
        ReportError: the folder cannot be made or written to.
    """
    contents = {folder / name: None if text is None else text.encode("utf-8") for name, text in texts.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            _replace_all(contents)
    except OSError as error:
        raise ReportError(
            f"The reports could not be written to {folder}: {error.strerror or error}; the folder holds "
            "what it held before. Free some space there, make it writable, or name another folder."
        ) from error
    return [target for target, content in contents.items() if content is not None]


def _replace_all(contents: Mapping[Path, bytes | None]) -> None:
    replaced: list[Path] = []
    try:
        for target, content in contents.items():
            if content is not None:
                _write(_temporary(target, "new"), content)
            if target.exists():
                shutil.copy2(target, _temporary(target, "old"))
        for target, content in contents.items():
            if content is None:
                target.unlink(missing_ok=True)
            else:
                os.replace(_temporary(target, "new"), target)
            replaced.append(target)
    except BaseException:
        for target in replaced:
            _restore(target)
        raise
    finally:
        for target in contents:
            # A file that cannot be removed could not be written either, and the error says so.
            with contextlib.suppress(OSError):
                _temporary(target, "new").unlink(missing_ok=True)
                _temporary(target, "old").unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs from writing here; the lock ends with this process and leaves no file."""
    if sys.platform == "win32":  # no such lock there
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network disks have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _temporary(target: Path, kind: str) -> Path:
    """Return a temporary path in the same folder, since a replacement across disks is not atomic."""
    return target.with_name(f".{target.name}.{os.getpid()}.{kind}")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # some network disks report only here that they are full


def _restore(target: Path) -> None:
    old = _temporary(target, "old")
    if old.exists():
        os.replace(old, target)
    else:
        target.unlink(missing_ok=True)

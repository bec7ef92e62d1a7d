"""Writing a set of files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


class ReportError(Exception):
    """A report cannot be written or read; the message says why and how to mend it."""


def write_whole(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write each text to its name in the folder; when one fails, leave every file as it was.

    A missing folder is made. Every new text, and a copy of every file that it replaces, is on the
    disk before the first file changes, so that a full disk is noticed while nothing has changed.

    Raises:
        ReportError: the folder cannot be made or written to.
    """
    contents = {folder / name: text.encode("utf-8") for name, text in texts.items()}
    replaced: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target, content in contents.items():
            _write(_beside(target, "new"), content)
            if target.exists():
                shutil.copy2(target, _beside(target, "old"))
        for target in contents:
            os.replace(_beside(target, "new"), target)
            replaced.append(target)
    except BaseException as error:
        for target in replaced:
            _restore(target)
        if isinstance(error, OSError):
            raise ReportError(
                f"The reports could not be written to {folder}: {error.strerror or error}; the folder holds "
                "what it held before. Free some space there, make it writable, or name another folder."
            ) from error
        raise
    finally:
        for target in contents:
            # What cannot be removed here could not be written either, and the error above says so.
            with contextlib.suppress(OSError):
                _beside(target, "new").unlink(missing_ok=True)
                _beside(target, "old").unlink(missing_ok=True)
    return list(contents)


def _beside(target: Path, kind: str) -> Path:
    """Return the temporary's path: in the same folder, since a replacement across disks is not atomic."""
    return target.with_name(f".{target.name}.{os.getpid()}.{kind}")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # some network disks tell only here that they are full


def _restore(target: Path) -> None:
    old = _beside(target, "old")
    if old.exists():
        os.replace(old, target)
    else:
        target.unlink()

"""Writes a set of files as a whole, or not at all.

The new files take the places of the old ones in a process of its own, which goes on if this one is killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

if sys.platform != "win32":
    import fcntl

_REMEDY = "Free some space there, make it writable, or name another folder."


class ReportError(Exception):
    """A report cannot be written or read; the message says why and how to mend it."""


class _Change(NamedTuple):
    """A file, its new content (None removes it), and where both contents are kept in the meantime."""

    target: Path
    content: bytes | None
    new: Path
    old: Path


def demand_folder(folder: Path) -> None:
    """Refuse what can be no folder of reports, before a run that may take long.

    Raises:
        ReportError: it is something else, or nobody may write there.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    has_effective = os.access in os.supports_effective_ids
    problem = ""
    if not nearest.is_dir():
        problem = "is not a folder"
    elif not os.access(nearest, os.W_OK | os.X_OK, effective_ids=has_effective):
        problem = "cannot be written to"
    if problem:
        raise ReportError(f"There can be no reports in {folder}, since {nearest} {problem}. {_REMEDY}")


def write_whole(folder: Path, texts: Mapping[str, str | None]) -> list[Path]:
    """Write each text to its name in the folder; if one fails, leave every file unchanged.

    A name without a text has its file removed: that would belong to an earlier run. A missing folder is made.
    Every new text, and a copy of every file that it replaces, is on the disk before the first file changes,
    so that a full disk is noticed in time. If two runs end at once, one waits, so that all files come from
    the same run. What a run that was killed has left beside them is removed.

    Raises:
        ReportError: the folder cannot be made or written to.
    """
    contents = {folder / name: None if text is None else text.encode("utf-8") for name, text in texts.items()}
    # In the same folder, since a replacement across disks is not atomic.
    changes = [
        _Change(
            target, content, *(target.with_name(f".{target.name}.{os.getpid()}.{kind}") for kind in _KINDS)
        )
        for target, content in contents.items()
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder) as is_alone:
            if is_alone:
                _remove_leftovers(changes)
            _prepare(changes)
            _exchange_at_all_costs(changes)
    except OSError as error:
        raise ReportError(
            f"The reports could not be written to {folder}: {error.strerror or error}; the folder holds "
            f"what it held before. {_REMEDY}"
        ) from error
    return [target for target, content in contents.items() if content is not None]


def _prepare(changes: Sequence[_Change]) -> None:
    try:
        for target, content, new, old in changes:
            if content is not None:
                _write(new, content)
            if os.path.lexists(target):
                # A link itself, and not what it leads to: that may have no end.
                shutil.copy2(target, old, follow_symlinks=False)
    except BaseException:
        _remove_temporary(changes)
        raise


def _exchange_at_all_costs(changes: Sequence[_Change]) -> None:
    """Exchange the files even if this process, or its group, is ended in the middle.

    Raises:
        OSError: they could not be exchanged, and are as before.
    """
    child = _fork()
    if child is None:
        _exchange(changes)
        return
    if child == 0:
        status = errno.EINTR
        try:
            os.setsid()
            _exchange(changes)
            status = 0
        except OSError as error:
            status = error.errno or errno.EIO
        finally:
            os._exit(status)
    _, ending = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(ending)
    if status < 0:  # somebody has killed it
        _restore(changes)
        _remove_temporary(changes)
        status = errno.EINTR
    if status:
        raise OSError(status, os.strerror(status))


def _fork() -> int | None:
    """As ``os.fork`` does; None where there is no room for another process, or no such thing."""
    with warnings.catch_warnings(), contextlib.suppress(OSError, AttributeError):
        # From 3.12 on, Python warns about forking with several threads. What is forked only renames files.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return os.fork()
    return None


def _exchange(changes: Sequence[_Change]) -> None:
    try:
        for target, content, new, _ in changes:
            if content is None:
                target.unlink(missing_ok=True)
            else:
                os.replace(new, target)
    except BaseException:
        _restore(changes)
        raise
    finally:
        _remove_temporary(changes)


def _restore(changes: Sequence[_Change]) -> None:
    for target, content, new, old in changes:
        if os.path.lexists(old):
            os.replace(old, target)
        elif content is not None and not new.exists():
            target.unlink(missing_ok=True)


def _remove_temporary(changes: Sequence[_Change]) -> None:
    for change in changes:
        # A file that cannot be removed could not be written either, and the error says so.
        with contextlib.suppress(OSError):
            change.new.unlink(missing_ok=True)
            change.old.unlink(missing_ok=True)


def _remove_leftovers(changes: Sequence[_Change]) -> None:
    for target in (change.target for change in changes):
        for kind in _KINDS:
            for path in target.parent.glob(f".{target.name}.*.{kind}"):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Keep other runs from writing here, and yield whether that is so.

    The lock ends with this process, and with the one that exchanges the files, and leaves no file.
    """
    if sys.platform == "win32":  # no such lock there
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        is_alone = False
        with contextlib.suppress(OSError):  # some network disks have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            is_alone = True
        yield is_alone
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # some network disks report only here that they are full


_KINDS = ("new", "old")

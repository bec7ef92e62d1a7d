"""Files that a command writes: each as a whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from lossproof.command_line.terminal import Mistake


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole, or leave it as it is. What is no file, such as a pipe, is written to.

    Raises:
        Mistake: it cannot be written.
    """
    target = path.resolve()
    is_file = target.is_file() or not target.exists()
    new = target.with_name(f".{target.name}.{os.getpid()}.new") if is_file else target
    try:
        new.write_bytes(content)
        if is_file:
            if target.exists():
                shutil.copymode(target, new)
            os.replace(new, target)
    except OSError as error:
        raise Mistake(f"{path} cannot be written ({error.strerror}); name another file") from error
    finally:
        if is_file:
            with contextlib.suppress(OSError):  # one that cannot be removed could not be written either
                new.unlink(missing_ok=True)

"""A module of somebody else's, that a test writes and that nothing remembers afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def their_module(path: Path, text: str) -> Iterator[Path]:
    """A file with this text that may be imported; afterwards, sys.path and sys.modules are as before."""
    path.write_text(text)
    before = list(sys.path)
    yield path
    sys.path[:] = before
    sys.modules.pop(path.stem, None)

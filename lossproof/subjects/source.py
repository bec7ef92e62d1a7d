"""Source code that runs here and is shown in programs, so that programs show what ran."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from lossproof.subjects.program import Lines


def execute(lines: Lines, scope: dict[str, Any]) -> None:
    """Run lines in a scope, to which the names that the lines assign are added."""
    exec(_compiled("\n".join(lines)), scope)


@lru_cache(maxsize=4096)
def _compiled(source: str) -> CodeType:
    return compile(source, "<a program>", "exec")


def source_of(definition: Callable[..., Any]) -> Lines:
    """The lines that define a function or a class, without remarks for a type checker."""
    return tuple(re.sub(r"  # type: ignore.*", "", inspect.getsource(definition)).splitlines())

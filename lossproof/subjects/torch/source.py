"""Lines of torch that run here and are shown in programs."""

from __future__ import annotations

from typing import Any

import torch

from lossproof.subjects import source
from lossproof.subjects.program import Lines


def execute(lines: Lines, scope: dict[str, Any]) -> None:
    """Run lines in a scope, to which torch is added; names that the lines assign are added as well."""
    scope.setdefault("torch", torch)
    source.execute(lines, scope)

"""Worked steps: every formula names its intermediates, and whoever asks sees them pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lossproof.numbers.base import Array

_recorded: ContextVar[list[tuple[str, Array]] | None] = ContextVar("recorded_steps", default=None)


def step(name: str, value: Array) -> Array:
    """Name an intermediate of a formula. Returns ``value``; costs nothing unless steps are recorded."""
    recorded = _recorded.get()
    if recorded is not None:
        recorded.append((name, value))
    return value


@contextmanager
def recording() -> Iterator[list[tuple[str, Array]]]:
    """Collect the steps of every formula that runs inside, in order."""
    steps: list[tuple[str, Array]] = []
    token = _recorded.set(steps)
    try:
        yield steps
    finally:
        _recorded.reset(token)

"""Worked steps: every formula names its intermediates, and a caller may record them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lossproof.numbers.base import Array

Pass = Callable[[Array], Array]

_recorded: ContextVar[tuple[list[tuple[str, Array]], Pass] | None] = ContextVar(
    "recorded_steps", default=None
)


def step(name: str, value: Array) -> Array:
    """Name an intermediate of a formula. Returns ``value``; costs nothing unless steps are recorded."""
    recorded = _recorded.get()
    if recorded is None:
        return value
    steps, pass_on = recorded
    steps.append((name, value))
    return pass_on(value)


@contextmanager
def recording(pass_on: Pass = lambda value: value) -> Iterator[list[tuple[str, Array]]]:
    """Collect the steps of every formula that runs inside, in order.

    Args:
        pass_on: maps the value of a step to what the formula continues with; by default, to itself.
    """
    steps: list[tuple[str, Array]] = []
    token = _recorded.set((steps, pass_on))
    try:
        yield steps
    finally:
        _recorded.reset(token)

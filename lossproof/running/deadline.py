"""Ends a process that begins to answer and does not finish in time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline(threading.Thread):
    """Calls ``end`` once what is to be done within some seconds takes longer.

    One thread looks after all messages of a process: to start one for each message costs more than to read
    the message.
    """

    _PAUSE = 0.5  # seconds

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._end = end
        self._moment = math.inf
        self._is_over = threading.Event()

    def run(self) -> None:
        """Look at the clock until the process has been closed."""
        while not self._is_over.wait(self._PAUSE):
            if time.monotonic() > self._moment:
                self._end()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End the process if what is inside takes longer."""
        self._moment = time.monotonic() + seconds
        try:
            yield
        finally:
            self._moment = math.inf

    def close(self) -> None:
        """Let the thread end."""
        self._is_over.set()

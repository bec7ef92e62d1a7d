"""What earlier runs have left in pytest's cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossproof.judging.content_store import ContentStore, make_room
from lossproof.judging.stored_truth import code_digest
from lossproof.running.states import States


@dataclass(frozen=True)
class Stores:
    """The truth and the trials of earlier runs, and what trials depend on."""

    truth: ContentStore
    trials: ContentStore
    states: States

    @classmethod
    def of(cls, cache: Any, states: States, is_first: bool) -> Stores | None:
        """The stores in pytest's cache; None if they cannot be there.

        Of all processes of a run, the first makes room in it.
        """
        try:
            truth = _store(cache.mkdir("lossproof-truth"), code_digest(), is_first)
            return cls(truth, _store(cache.mkdir("lossproof-trials"), states.code, is_first), states)
        except OSError:
            return None

    def keep(self) -> None:
        """Write what was added to both."""
        self.truth.keep()
        self.trials.keep()


def _store(folder: Path, code: str, is_first: bool) -> ContentStore:
    """What one state of the code has left."""
    if is_first:
        make_room(folder, code)
    return ContentStore(folder / code)

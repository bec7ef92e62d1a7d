"""Remembers trials, so that a later run judges only what a subject answers differently.

A later run makes each call of a trial again. If all answers are the same to the last bit, and nothing has
changed that their judgement depends on, then their judgement has not changed, either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lossproof.corpus.case import Case, KnownDefect
from lossproof.judging.content_store import ContentStore
from lossproof.running.answer import Answer
from lossproof.running.selection import PlannedTrial, Selection
from lossproof.running.states import States, digest
from lossproof.subjects.call import Call
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.subject import Subject
from lossproof.subjects.transcript import Directions, Transcript, repeat

# Of larger arrays, few trials would fill the store.
_MOST_BYTES = 2**20
# Raised by a content that this code has not written, although it has a checksum.
_NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, MemoryError, RecursionError)


class KeptTrials:
    """Trials on torch and on the reference; the programs that show another subject may depend on anything."""

    def __init__(self, store: ContentStore, states: States, selection: Selection, setting: object) -> None:
        """Keep trials in a store; ``setting`` is what they depend on beside their ``States``."""
        self.store = store
        self._states = states
        self._selection = selection
        self._setting = selection.quantities, setting
        self._case = ""
        # Of the arrays of one case, for the next of its trials.
        self._arrays: dict[bytes, bytes | None] = {}

    def examine(
        self,
        trial: PlannedTrial,
        known_defects: list[KnownDefect],
        examine: Callable[[Transcript | None], Answer],
    ) -> Answer:
        """The answer to a trial: the kept one if the subject answers as it did then, or else a new one."""
        name = trial.subject
        if name is None or self._selection.subjects[name].is_foreign:
            return examine(None)
        subject, key = self._selection.subjects[name], self._key(trial, name, known_defects)
        content = self.store.find(key)
        if content is not None:
            with suppress(*_NOT_OURS):
                kept = json.loads(content)
                if self._is_answered_alike(trial.case, subject, kept):
                    return Answer.from_data(kept["answer"])
        transcript = Transcript()
        answer = examine(transcript)
        self._keep(key, transcript, answer)
        return answer

    def _key(self, trial: PlannedTrial, subject: str, known_defects: list[KnownDefect]) -> bytes:
        case, device = trial.case, self._selection.device_of(subject)
        places = [(entry.file, entry.line) for entry in known_defects]
        trial_itself = subject, trial.dtype, device, case.file, case.line, places
        return bytes.fromhex(digest(self._states.of(trial), trial_itself, self._setting))

    def _is_answered_alike(self, case: Case, subject: Subject, kept: Mapping[str, Any]) -> bool:
        transcript = Transcript()
        guarded = GuardedSubject(subject, case.own_process, transcript)

        def ask(mode: str, call: Call, directions: Directions) -> object:
            return guarded.run_mode(mode, call, directions) if mode else guarded.run(call)

        if self._case != case.id:
            self._case, self._arrays = case.id, {}
        repeat(kept["calls"], ask, self._array)
        return bool(transcript.answers == kept["answers"])

    def _array(self, key: bytes) -> bytes | None:
        if key not in self._arrays:
            self._arrays[key] = self.store.find(key)
        return self._arrays[key]

    def _keep(self, key: bytes, transcript: Transcript, answer: Answer) -> None:
        data = transcript.as_data()
        if data is None or answer.failure:
            return
        calls, arrays = data
        if max(map(len, arrays.values()), default=0) > _MOST_BYTES:
            return
        for place, content in arrays.items():
            self.store.add(place, content)
        kept = {"calls": calls, "answers": transcript.answers, "answer": vars(answer)}
        self.store.add(key, json.dumps(kept).encode())

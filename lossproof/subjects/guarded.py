"""A subject behind a guard: whatever it does, it answers in the right form or refuses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import (
    NO_ANSWER,
    Call,
    ModeObservation,
    Observation,
    Refused,
    SeenWarning,
    Unsupported,
    Values,
)
from lossproof.subjects.isolated import run_isolated
from lossproof.subjects.own_program import OwnPrograms
from lossproof.subjects.promise import Promise
from lossproof.subjects.subject import Subject
from lossproof.subjects.transcript import Transcript

# Whatever a subject raises must not end the process that judges it.
_EXCEPTIONS = (Exception, SystemExit)
_NUMBERS = "fiub"

_Answer = TypeVar("_Answer")
_Observed = TypeVar("_Observed", bound=Observation)


class GuardedSubject:
    """A subject that is not trusted; its methods do what those of ``Subject`` do.

    It gets copies of the call's numbers, and whatever it writes to them counts as a change. Any exception
    that it raises becomes ``Refused``, and so does an answer of the wrong form. If it is isolated, each call
    runs in a process of its own.
    """

    def __init__(
        self, subject: Subject, is_isolated: bool = False, transcript: Transcript | None = None
    ) -> None:
        """Guard a subject; a transcript notes what it is asked and answers."""
        self._subject = subject
        self._transcript = transcript
        self._run = partial(run_isolated, subject) if is_isolated else subject.run
        self.name = subject.name
        self.dtypes = subject.dtypes
        self.shows_steps = subject.shows_steps
        self.is_foreign = subject.is_foreign
        self.writes_to_inputs = subject.writes_to_inputs
        self.programs = subject.programs or OwnPrograms(subject.name)

    def illustrates(self, loss: str) -> bool:
        return self._subject.illustrates(loss)

    def layouts_of(self, loss: str) -> tuple[str, ...]:
        return self._subject.layouts_of(loss)

    def lacks(self, call: Call) -> str:
        return self._subject.lacks(call)

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        if self._transcript is not None:
            self._transcript.note_other()
        return self._guarded(lambda: self._subject.inspect(aspect, loss, params, expected))

    def run(self, call: Call) -> Observation:
        return self._noted("", call, {}, lambda: self._run_guarded(call))

    def _run_guarded(self, call: Call) -> Observation:
        copy = _copy_of(call)
        answer = self._guarded(lambda: self._run(copy))
        _demand_form(answer, call, not self.is_foreign)
        changes = dict.fromkeys((*answer.changes, *_changed_tensors(copy, call)))
        return replace(answer, changes=tuple(changes))

    def modes(self, call: Call) -> Mapping[str, Promise]:
        return self._subject.modes(call)

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        return self._subject.ways(call)

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        return self._noted(mode, call, directions, lambda: self._run_mode(mode, call, directions))

    def _run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        copies = {name: direction.copy() for name, direction in directions.items()}
        answer = self._guarded(lambda: self._subject.run_mode(mode, _copy_of(call), copies))
        if not isinstance(answer, ModeObservation):
            raise _invalid(f"{_description(answer)} in place of a ModeObservation")
        return answer

    def _noted(
        self,
        mode: str,
        call: Call,
        directions: Mapping[str, Float64Array],
        ask: Callable[[], _Observed],
    ) -> _Observed:
        if self._transcript is None:
            return ask()
        try:
            answer = ask()
        except (Unsupported, Refused) as reason:
            self._transcript.note(mode, call, directions, reason)
            raise
        self._transcript.note(mode, call, directions, answer)
        return answer

    def _guarded(self, compute: Callable[[], _Answer]) -> _Answer:
        own_process = os.getpid()
        try:
            return compute()
        except (Unsupported, Refused):
            raise
        except _EXCEPTIONS as error:
            is_staged = self._subject.has_construction
            raise Refused(type(error).__name__, str(error), "call", is_staged=is_staged) from error
        finally:
            if os.getpid() != own_process:
                os._exit(0)  # a copy that the subject forked would go on with the trial, and fork again


def _invalid(what: str) -> Refused:
    return Refused(NO_ANSWER, f"the subject answered with {what}", "call")


def _copy_of(call: Call) -> Call:
    return replace(
        call,
        args=_copies_of(call.args),
        params=_copies_of(call.params),
        upstreams=tuple([upstream.copy() for upstream in call.upstreams]),
    )


def _copies_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values by name, with tensors of their own."""
    return {
        name: Values(value.numbers.copy(), value.dtype) if isinstance(value, Values) else value
        for name, value in values.items()
    }


def _changed_tensors(copy: Call, original: Call) -> list[str]:
    """The names of the tensors whose bits have changed."""
    before = {**original.params, **original.args}
    names = [
        name
        for name, value in {**copy.params, **copy.args}.items()
        if isinstance(value, Values) and value.numbers.tobytes() != before[name].numbers.tobytes()
    ]
    pairs = zip(copy.upstreams, original.upstreams, strict=True)
    is_upstream_changed = any(after.tobytes() != upstream.tobytes() for after, upstream in pairs)
    return [*names, "the upstream gradient"] if is_upstream_changed else names


def _demand_form(answer: object, call: Call, with_all_gradients: bool) -> None:
    """Refuse an answer that is not an Observation, or lacks a part, or has an invalid one."""
    if not isinstance(answer, Observation):
        raise _invalid(f"{_description(answer)} in place of an Observation")
    _demand_numbers(answer.value, "a value")
    if not isinstance(answer.dtype, str):
        raise _invalid(f"a dtype that is {_description(answer.dtype)} in place of a name")
    # An output of the wrong shape needs no gradients, since the judge rejects it anyway.
    required = sum(upstream.shape == answer.value.shape for upstream in call.upstreams)
    required *= with_all_gradients
    if answer.failure is not None:
        if not isinstance(answer.failure, (Unsupported, Refused)):
            raise _invalid(f"{_description(answer.failure)} in place of what its backward pass raised")
        required = 0
    if not required <= len(answer.gradients) <= len(call.upstreams):
        raise _invalid(f"{len(answer.gradients)} sets of gradients for {required} upstream gradients")
    for gradients in answer.gradients:
        missing = [name for name in call.wrt if name not in gradients]
        if missing and with_all_gradients:
            raise _invalid(f"no gradient by {', '.join(missing)}")
        for name in gradients:
            _demand_numbers(gradients[name], f"a gradient by {name}")
    if not isinstance(answer.gradient_dtypes, Mapping):
        raise _invalid(f"{_description(answer.gradient_dtypes)} in place of the dtypes of its gradients")
    for name, dtype in answer.gradient_dtypes.items():
        if not isinstance(dtype, str):
            raise _invalid(f"a dtype of the gradient by {name} that is {_description(dtype)}, not a name")
    if not all(isinstance(warning, SeenWarning) for warning in answer.warnings):
        raise _invalid("warnings that are not each a SeenWarning")


def _demand_numbers(value: object, what: str) -> None:
    if not isinstance(value, np.ndarray):
        raise _invalid(f"{what} that is {_description(value)} in place of a NumPy array")
    if value.dtype.kind not in _NUMBERS:
        raise _invalid(f"{what} whose NumPy dtype is {value.dtype} in place of real numbers")


def _description(answer: object) -> str:
    return "nothing" if answer is None else f"a {type(answer).__name__}"

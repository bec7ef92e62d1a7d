"""A subject as the judge meets it: whatever it does, it answers in the right form or refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.apart import run_apart
from lossproof.subjects.call import (
    Call,
    ModeObservation,
    Observation,
    Refused,
    SeenWarning,
    Unsupported,
    Values,
)
from lossproof.subjects.promise import Promise
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.programs import programs_on_behalf_of

# What a subject may raise beside its exceptions: it must not end the process that judges it.
_RAISED = (Exception, SystemExit)
_NUMBERS = "fiub"

_Answer = TypeVar("_Answer")


class Careful:
    """A subject of which nothing is taken on trust.

    It is given copies of the call's numbers, and what it wrote to them is among what the call changed. All
    that it raises becomes ``Refused``, and so does an answer that is none.

    Args:
        subject: the subject.
        is_apart: whether each call runs in a process of its own.
    """

    def __init__(self, subject: Subject, is_apart: bool = False) -> None:
        self._subject = subject
        self._run = partial(run_apart, subject) if is_apart else subject.run
        self.name = subject.name
        self.dtypes = subject.dtypes
        self.shows_steps = subject.shows_steps
        self.programs = subject.programs or programs_on_behalf_of(subject.name)

    def illustrates(self, loss: str) -> bool:
        """As the subject does."""
        return self._subject.illustrates(loss)

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """As the subject does.

        Raises:
            Unsupported, Refused: as the subject does, or for whatever else it raises.
        """
        return self._asked(lambda: self._subject.inspect(aspect, loss, params, expected))

    def run(self, call: Call) -> Observation:
        """As the subject does; Unsupported and Refused likewise."""
        theirs = _copied(call)
        answer = self._asked(lambda: self._run(theirs))
        _demand_form(answer, call)
        changed = dict.fromkeys((*answer.changed, *_written_to(theirs, call)))
        return replace(answer, changed=tuple(changed))

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """As the subject does."""
        return self._subject.modes(call)

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """As the subject does; Unsupported and Refused likewise."""
        answer = self._asked(lambda: self._subject.run_mode(mode, _copied(call), directions))
        if not isinstance(answer, ModeObservation):
            raise _no_answer(f"{_described(answer)} in place of a ModeObservation")
        return answer

    def _asked(self, ask: Callable[[], _Answer]) -> _Answer:
        try:
            return ask()
        except (Unsupported, Refused):
            raise
        except _RAISED as error:
            is_staged = self._subject.has_construction
            raise Refused(type(error).__name__, str(error), "call", is_staged=is_staged) from error


def _no_answer(what: str) -> Refused:
    return Refused("NoAnswer", f"the subject answered with {what}", "call")


def _copied(call: Call) -> Call:
    def copied(value: Any) -> Any:
        return Values(value.numbers.copy(), value.dtype) if isinstance(value, Values) else value

    return replace(
        call,
        args={name: copied(values) for name, values in call.args.items()},
        params={name: copied(value) for name, value in call.params.items()},
        upstreams=tuple(upstream.copy() for upstream in call.upstreams),
    )


def _written_to(theirs: Call, ours: Call) -> list[str]:
    """The names of the tensors whose bits are no longer what they were."""
    before = {**ours.params, **ours.args}
    names = [
        name
        for name, value in {**theirs.params, **theirs.args}.items()
        if isinstance(value, Values) and value.numbers.tobytes() != before[name].numbers.tobytes()
    ]
    pairs = zip(theirs.upstreams, ours.upstreams, strict=True)
    is_upstream_changed = any(after.tobytes() != upstream.tobytes() for after, upstream in pairs)
    return [*names, "the upstream gradient"] if is_upstream_changed else names


def _demand_form(answer: object, call: Call) -> None:
    """Refuse what is no Observation, or has something in it that no Observation has."""
    if not isinstance(answer, Observation):
        raise _no_answer(f"{_described(answer)} in place of an Observation")
    _demand_numbers(answer.value, "a value")
    if not isinstance(answer.dtype, str):
        raise _no_answer(f"a dtype that is {_described(answer.dtype)} in place of a name")
    # An output of another shape than the upstream gradient need not have gradients: the judge refuses it.
    fitting = sum(upstream.shape == answer.value.shape for upstream in call.upstreams)
    if answer.failed is not None:
        if not isinstance(answer.failed, (Unsupported, Refused)):
            raise _no_answer(f"{_described(answer.failed)} in place of what its backward pass raised")
        fitting = 0
    if not fitting <= len(answer.gradients) <= len(call.upstreams):
        raise _no_answer(f"{len(answer.gradients)} sets of gradients for {fitting} upstream gradients")
    for gradients in answer.gradients:
        missing = [name for name in call.wrt if name not in gradients]
        if missing:
            raise _no_answer(f"no gradient by {', '.join(missing)}")
        for name in call.wrt:
            _demand_numbers(gradients[name], f"a gradient by {name}")
    if not isinstance(answer.gradient_dtypes, Mapping):
        raise _no_answer(f"{_described(answer.gradient_dtypes)} in place of the dtypes of its gradients")
    for name, dtype in answer.gradient_dtypes.items():
        if not isinstance(dtype, str):
            raise _no_answer(f"a dtype of the gradient by {name} that is {_described(dtype)}, not a name")
    if not all(isinstance(warning, SeenWarning) for warning in answer.warnings):
        raise _no_answer("warnings that are not each a SeenWarning")


def _demand_numbers(value: object, what: str) -> None:
    if not isinstance(value, np.ndarray):
        raise _no_answer(f"{what} that is {_described(value)} in place of a NumPy array")
    if value.dtype.kind not in _NUMBERS:
        raise _no_answer(f"{what} whose NumPy dtype is {value.dtype} in place of real numbers")


def _described(answer: object) -> str:
    return "nothing" if answer is None else f"a {type(answer).__name__}"

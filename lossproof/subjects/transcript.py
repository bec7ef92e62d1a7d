"""The calls of a trial, and a digest of the answers: what it takes to put the same questions again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Observation, Refused, Unsupported, Values

Directions = Mapping[str, Float64Array]
# Makes a call, in a mode if it has one.
Ask = Callable[[str, Call, Directions], object]
# The numbers of an array by a digest of them, or None if they are not there.
Find = Callable[[bytes], bytes | None]
_KEY_BYTES = 16
_PLAIN = (bool, int, float, str, type(None))


class Transcript:
    """What a subject was asked in a trial, and a digest of what it answered."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, Call, Directions]] = []
        self._answers = sha256()
        self._is_repeatable = True

    def note(
        self, mode: str, call: Call, directions: Directions, answer: Observation | Refused | Unsupported
    ) -> None:
        """Note a call, in a mode if it has one, and its answer."""
        self._calls.append((mode, call, directions))
        plain, arrays = _parts(answer)
        self._answers.update(repr(plain).encode("utf-8", "backslashreplace"))
        for array in arrays:
            self._answers.update(np.ascontiguousarray(array).data)

    def note_other(self) -> None:
        """Note a question of another kind, which is not put again."""
        self._is_repeatable = False

    @property
    def answers(self) -> str:
        """The digest of the answers so far."""
        return self._answers.hexdigest()

    def as_data(self) -> tuple[dict[str, Any], dict[bytes, bytes]] | None:
        """The calls as JSON has them, and their arrays by digests; None if they cannot be made again."""
        if not self._is_repeatable:
            return None
        written = _Written()
        try:
            calls = [written.call(*one) for one in self._calls]
        except TypeError:
            return None
        return {"arrays": written.arrays, "losses": written.losses, "calls": calls}, written.contents


def repeat(data: Mapping[str, Any], ask: Ask, find: Find) -> None:
    """Make the calls of ``Transcript.as_data`` again, whatever comes of each.

    Raises:
        LookupError: an array is not there.
    """
    arrays = [_array(find, *described) for described in data["arrays"]]
    losses = [_read_loss(arrays, **described) for described in data["losses"]]
    for mode, loss, reduction, layout, upstreams, wrt, directions in data["calls"]:
        call = Call(
            **losses[loss],
            reduction=reduction,
            layout=layout,
            upstreams=tuple(arrays[place] for place in upstreams),
            wrt=tuple(wrt),
        )
        with suppress(Unsupported, Refused):  # these are answers, too
            ask(mode, call, {name: arrays[place] for name, place in directions.items()})


class _Written:
    """The parts of calls as JSON has them, each of which stands once: most calls of a trial share theirs."""

    def __init__(self) -> None:
        self.arrays: list[tuple[str, str, tuple[int, ...]]] = []
        self.losses: list[dict[str, Any]] = []
        self.contents: dict[bytes, bytes] = {}
        self._places: dict[object, int] = {}

    def call(self, mode: str, call: Call, directions: Directions) -> list[Any]:
        """A call, with places in place of arrays.

        Raises:
            TypeError: a parameter is nothing that JSON has.
        """
        upstreams = [self._array(upstream) for upstream in call.upstreams]
        along = {name: self._array(direction) for name, direction in directions.items()}
        return [mode, self._loss(call), call.reduction, call.layout, upstreams, call.wrt, along]

    def _loss(self, call: Call) -> int:
        # The calls, and with them their parts, live as long as the transcript.
        key = id(call.args), id(call.params), call.loss, call.dtype, call.device
        if key not in self._places:
            args = {name: self._value(values) for name, values in call.args.items()}
            params = {name: self._value(value) for name, value in call.params.items()}
            described = {"loss": call.loss, "dtype": call.dtype, "device": call.device}
            self._places[key] = len(self.losses)
            self.losses.append({**described, "args": args, "params": params})
        return self._places[key]

    def _value(self, value: object) -> object:
        if isinstance(value, Values):
            return [self._array(value.numbers), value.dtype]
        if not isinstance(value, _PLAIN):
            raise TypeError(f"JSON has no {type(value).__name__}")
        return value

    def _array(self, array: npt.NDArray[Any]) -> int:
        if id(array) not in self._places:
            content = array.tobytes()
            key = sha256(content).digest()[:_KEY_BYTES]
            self._places[id(array)] = len(self.arrays)
            self.arrays.append((key.hex(), array.dtype.str, array.shape))
            self.contents[key] = content
        return self._places[id(array)]


def _array(find: Find, key: str, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
    content = find(bytes.fromhex(key))
    if content is None:
        raise LookupError(key)
    return np.frombuffer(content, dtype).reshape(shape)


def _read_loss(
    arrays: list[npt.NDArray[Any]], args: Mapping[str, Any], params: Mapping[str, Any], **rest: str
) -> dict[str, Any]:
    def value_of(value: Any) -> Any:
        return Values(arrays[value[0]], value[1]) if isinstance(value, list) else value

    values = [{name: value_of(value) for name, value in given.items()} for given in (args, params)]
    return {"args": values[0], "params": values[1], **rest}


def _parts(answer: Observation | Refused | Unsupported) -> tuple[object, list[npt.NDArray[Any]]]:
    """All that an answer consists of: what can be written as text, and the arrays."""
    if not isinstance(answer, Observation):
        return (type(answer).__name__, str(answer), sorted(vars(answer).items())), []
    arrays = [answer.value, *(array for gradients in answer.gradients for array in gradients.values())]
    failure = answer.failure and _parts(answer.failure)
    names = [list(gradients) for gradients in answer.gradients]
    plain = {**vars(answer), "value": None, "gradients": names, "failure": failure}
    return (plain, [(array.dtype.str, array.shape) for array in arrays]), arrays

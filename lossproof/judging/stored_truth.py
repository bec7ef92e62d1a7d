"""Truth that an earlier run computed, as long as nothing has changed that it depends on.

It depends on the numbers of the call, the picks in force, the format, and the code that computes it; not on
the subject, and not on the wording of a case.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from platform import machine
from types import MappingProxyType
from typing import Any, TypeVar

import flint
import numpy as np
import numpy.typing as npt

from lossproof.corpus.tensors import Derived, Tensor
from lossproof.corpus.values import rounded
from lossproof.judging.content_store import KEY_BYTES, ContentStore
from lossproof.judging.truth import Formula, Truth, gradient_formulas, value_formula
from lossproof.numbers.formats import Float64Array, Format
from lossproof.reference.conventions import followed_picks
from lossproof.reference.evaluation import PreparedCall

_Kept = TypeVar("_Kept")
Truths = Sequence[Mapping[str, Truth]]
Names = Sequence[Sequence[str]]

_ROOMS = ("numbers", "reference", "corpus", "judging")
_NUMBERS, _MARKS = "<f8", "<i8"
_ARRAYS = {
    "value": _NUMBERS,
    "remainder": _NUMBERS,
    "bound": _NUMBERS,
    "overflows": _MARKS,
    "strict_bound": _NUMBERS,
}
_ABSENT, _ZERO, _STORED = "-", "0", "x"
# Raised by a content that this code has not written, although it has a checksum.
_NOT_OURS = (ValueError, TypeError, OverflowError, MemoryError, RecursionError)

_store: ContextVar[ContentStore | None] = ContextVar("truth_store", default=None)


@contextmanager
def storing(store: ContentStore | None) -> Iterator[None]:
    """Let ``recalled`` use a store inside; with None, it computes."""
    token = _store.set(store)
    try:
        yield
    finally:
        _store.reset(token)


def recalled(
    call: PreparedCall,
    format: Format,
    names: Names,
    formulas: Callable[[], Sequence[Formula]],
    compute: Callable[[], Truths] | None = None,
    inputs: Mapping[str, npt.NDArray[Any]] = MappingProxyType({}),
) -> Truths:
    """The truths of formulas, from the store in use if they are in it.

    What only a wrong result asks of a truth is computed when it asks.

    Args:
        call, format: whose truths they are, and in which format.
        names: the names of the truths in each mapping.
        formulas: makes the formula of each mapping, from which its truths are bounded and picked anew.
        compute: computes the truths, if they are not just those of the formulas.
        inputs: the arrays that they depend on beside the call.
    """

    def plain() -> Truths:
        return [formula.truths() for formula in formulas()]

    def decode(content: bytes) -> Truths:
        # In the context of now: later, other picks may be in force.
        return _decoded(content, format, names, cache(partial(copy_context().run, formulas)))

    key = partial(_key, call, (names, format.name), inputs)
    return _recalled(key, compute or plain, lambda truths: _encoded(truths, names), decode)


def true_value(call: PreparedCall, format: Format) -> Truth:
    """The truth of a call's value in a format, from the store in use if it is in it."""
    return recalled(call, format, [["value"]], lambda: [value_formula(call, format)])[0]["value"]


def true_gradients(call: PreparedCall, upstream: Float64Array, format: Format) -> Mapping[str, Truth]:
    """The truth of a call's gradients for an upstream gradient, from the store in use if it is in it."""
    names = [call.differentiable]
    formulas = partial(gradient_formulas, call, (upstream,), format)
    return recalled(call, format, names, formulas, inputs={"upstream": upstream})[0]


def recalled_data(call: PreparedCall, topic: object, compute: Callable[[], Any]) -> Any:
    """What ``compute`` yields on a topic of a call, as JSON has it, from the store in use if it is in it.

    The ``repr`` of the topic says all that it depends on beside the call.
    """
    return _recalled(partial(_key, call, topic), compute, lambda data: json.dumps(data).encode(), json.loads)


def recalled_numbers(tensor: Tensor, format: Format) -> npt.NDArray[Any]:
    """The numbers of a tensor in a format, from the store in use if they took long and are in it."""
    if not isinstance(tensor, Derived):
        return rounded(tensor, format)

    def key() -> bytes:
        return sha256(repr((tensor, format.name)).encode()).digest()[:KEY_BYTES]

    def decode(content: bytes) -> npt.NDArray[Any]:
        return np.frombuffer(content, _NUMBERS).reshape(tensor.shape)

    return _recalled(key, lambda: rounded(tensor, format), lambda numbers: numbers.tobytes(), decode)


def _recalled(
    key: Callable[[], bytes],
    compute: Callable[[], _Kept],
    encode: Callable[[_Kept], bytes],
    decode: Callable[[bytes], _Kept],
) -> _Kept:
    store = _store.get()
    if store is None:
        return compute()
    place = key()
    content = store.find(place)
    if content is not None:
        with suppress(*_NOT_OURS):
            return decode(content)
    kept = compute()
    store.add(place, encode(kept))
    return kept


def code_digest(package: Path = Path(__file__).parents[1], rooms: Sequence[str] = _ROOMS) -> str:
    """A digest of the code in some rooms and of what it computes with, which changes with any of them.

    By default, it is that of all code that computes truth: a changed formula finds nothing of another one.
    """
    platform = (sys.version_info[:2], sys.platform, machine(), np.__version__, flint.__version__)
    digest = sha256(repr(platform).encode())
    for path in sorted(path for room in rooms for path in (package / room).rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(source)}\n".encode() + source)
    return digest.hexdigest()[:32]


def _key(call: PreparedCall, topic: object, inputs: Mapping[str, object] = MappingProxyType({})) -> bytes:
    in_force = followed_picks()
    values = [*call.arguments.items(), *call.parameters.items(), *inputs.items()]
    arrays = [value for _, value in values if isinstance(value, np.ndarray)]
    plain = [
        (name, (value.dtype.str, value.shape) if isinstance(value, np.ndarray) else value)
        for name, value in values
    ]
    picks = sorted(in_force.picks.items()), in_force.is_free
    text = repr((topic, call.loss.name, plain, call.dtypes, picks))
    content = b"".join([text.encode(), *map(np.ndarray.tobytes, arrays)])
    return sha256(content).digest()[:KEY_BYTES]


def _encoded(truths: Truths, names: Names) -> bytes:
    """The length of a text, the text, which says in JSON what there is, and all arrays that are not zero."""
    arrays: list[bytes] = []

    def described(truth: Truth) -> list[object]:
        kept = ""
        for name, dtype in _ARRAYS.items():
            if getattr(truth, name) is None:
                kept += _ABSENT
                continue
            content = np.asarray(getattr(truth, name), dtype).tobytes()
            # Not by their values: -0.0 is not 0.0.
            if content == bytes(len(content)):
                kept += _ZERO
            else:
                kept += _STORED
                arrays.append(content)
        return [truth.value.shape, kept, truth.freedom, truth.convention, truth.picks]

    pairs = zip(truths, names, strict=True)
    text = json.dumps([[described(one[name]) for name in named] for one, named in pairs]).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *arrays])


def _decoded(content: bytes, format: Format, names: Names, again: Callable[[], Sequence[Formula]]) -> Truths:
    """The truths; their numbers can only be read."""
    start = 8 + int.from_bytes(content[:8], "little")
    numbers = np.frombuffer(content, _NUMBERS, offset=start)
    place = 0

    def arrays(shape: Sequence[int], kept: str) -> Iterator[Any]:
        nonlocal place
        size = math.prod(shape)
        for dtype, how in zip(_ARRAYS.values(), kept, strict=True):
            if how == _STORED:
                yield numbers[place : place + size].view(dtype).reshape(shape)
                place += size
            else:
                yield None if how == _ABSENT else np.zeros(shape, dtype)

    def truth(part: int, name: str, description: Any) -> Truth:
        shape, kept, freedom, convention, picks = description
        value, remainder, bound, overflows, strict_bound = arrays(shape, kept)
        return Truth(
            value,
            remainder,
            bound,
            overflows,
            format,
            strict_bound,
            freedom,
            convention,
            picks,
            lambda rules: again()[part].bounded_by(rules)[name],
            lambda picks, is_free: again()[part].under_picks(picks, is_free)[name],
        )

    described = enumerate(zip(names, json.loads(content[8:start]), strict=True))
    return [
        {name: truth(part, name, one) for name, one in zip(named, described_ones, strict=True)}
        for part, (named, described_ones) in described
    ]

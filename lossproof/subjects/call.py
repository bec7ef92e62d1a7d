"""The call that a subject gets, and the answer that it gives. A subject never judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.corpus.tensors import Patch, Uniform
from lossproof.numbers.formats import Float64Array


@dataclass(frozen=True, eq=False)
class Values:
    """The numbers of one tensor, exact in NumPy, and the dtype (torch's name) that they represent.

    Attributes:
        drawn: how the case draws them, if it does: a program of many numbers is shorter that way.
    """

    numbers: npt.NDArray[Any]
    dtype: str
    drawn: Uniform | Patch | None = None


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a loss.

    Attributes:
        loss: the name in the reference's catalogue.
        params: constructor keywords; tensors as ``Values``, the rest plain.
        args: forward's arguments.
        reduction: the argument ``reduction``, or None to pass none.
        dtype: the dtype of the run, by torch's name.
        device: where to run.
        layout: how the tensors lie in memory, one of ``corpus.keys.LAYOUTS``.
        upstreams: upstream gradients of the output's shape; each asks for one set of gradients.
        wrt: the arguments and tensor parameters to differentiate by.
    """

    loss: str
    params: Mapping[str, Any]
    args: Mapping[str, Values]
    reduction: str | None
    dtype: str
    device: str = "cpu"
    layout: str = "contiguous"
    upstreams: tuple[Float64Array, ...] = ()
    wrt: tuple[str, ...] = ()

    @property
    def upstream_dtype(self) -> str:
        """The dtype of the upstream gradients: the one that the call demands of its result, or the run's."""
        return str(self.params.get("dtype") or self.dtype)


@dataclass(frozen=True)
class SeenWarning:
    """A warning that a call issued.

    Attributes:
        types: the names of its class and of that class's ancestors.
        message: its text.
        kind: its topic, as a case's ``warns`` names it, if the subject says so; else None.
    """

    types: tuple[str, ...]
    message: str
    kind: str | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """The answer to a call.

    Attributes:
        value: the output's numbers.
        dtype: the output's dtype.
        gradients: for each upstream gradient, the gradient by each of ``wrt``; empty if the output does not
            have the shape of the upstream gradient, or if the backward pass failed.
        changes: the names of the inputs that the call changed.
        warnings: the warnings that it issued.
        failure: what the backward pass raised after the value had come out.
        gradient_dtypes: the dtypes of the gradients, by the names of ``wrt``; a missing dtype is not judged.
    """

    value: npt.NDArray[Any]
    dtype: str
    gradients: tuple[Mapping[str, npt.NDArray[Any]], ...] = ()
    changes: tuple[str, ...] = ()
    warnings: tuple[SeenWarning, ...] = field(default_factory=tuple)
    failure: Unsupported | Refused | None = None
    gradient_dtypes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ModeObservation(Observation):
    """The answer to a call in a mode; nan stands for each number of a tensor without numbers.

    Attributes:
        computed_in: the narrowest dtype that an operation of the call returned, if the mode asks for it.
        layout: the memory layout of its tensors, or of some of them, one of ``corpus.keys.LAYOUTS``.
    """

    computed_in: str = ""
    layout: str = "contiguous"


# The types of what is not an exception of the implementation.
PROCESS_ENDED = "ProcessEnded"
NO_ANSWER = "NoAnswer"
# The type of what a program refuses in words of its own.
REFUSED = "Refused"


class Unsupported(Exception):
    """The subject has no such function, or no kernel for the dtype; the message is the reason."""


class Refused(Exception):
    """The subject raised.

    Attributes:
        kind: the kind of refusal if the subject names one, else None.
        type: the name of the exception's class.
        when: ``construct``, ``call`` or ``backward``.
        is_staged: whether it could have come at another stage; a function refuses everything at the call.
    """

    def __init__(
        self, type: str, message: str, when: str, kind: str | None = None, *, is_staged: bool = False
    ) -> None:
        super().__init__(message)
        self.type = type
        self.when = when
        self.kind = kind
        self.is_staged = is_staged

    @property
    def is_exception(self) -> bool:
        """Whether the implementation raised, rather than ended its process or gave no valid answer."""
        return self.type not in (PROCESS_ENDED, NO_ANSWER)

    @property
    def first_line(self) -> str:
        """The type and the first line of the message, as in the last line of a traceback."""
        message = str(self).strip().partition("\n")[0]
        return f"{self.type}: {message}" if message else self.type

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, an exception is pickled with its message alone.
        return Refused, (self.type, str(self), self.when, self.kind), {"is_staged": self.is_staged}


def tensors_of(call: Call) -> dict[str, Values]:
    """The arguments and tensor parameters."""
    values = {**call.args, **call.params}
    return {name: value for name, value in values.items() if isinstance(value, Values)}


def places_of(call: Call) -> dict[str, int]:
    """The index of each tensor among all arguments and parameters."""
    places = {name: place for place, name in enumerate((*call.args, *call.params))}
    return {name: places[name] for name in tensors_of(call)}


def dtypes_of(call: Call) -> dict[str, str]:
    """The dtypes of the arguments and tensor parameters."""
    return {name: values.dtype for name, values in tensors_of(call).items()}


def constant_dimensions(numbers: npt.NDArray[Any]) -> list[int]:
    """The dimensions of size 2 or more along which an array does not change."""
    return [
        dimension
        for dimension, size in enumerate(numbers.shape)
        if size > 1 and bool(np.all(numbers == numbers.take([0], axis=dimension)))
    ]


def changed_since(
    before: Mapping[str, npt.NDArray[Any]], after: Mapping[str, npt.NDArray[Any]]
) -> tuple[str, ...]:
    """The names whose numbers differ; nan equals nan, but 0.0 does not equal -0.0."""
    return tuple(
        name
        for name, numbers in before.items()
        if not np.array_equal(numbers, after[name], equal_nan=numbers.dtype.kind == "f")
        or (numbers.dtype.kind == "f" and not np.array_equal(np.signbit(numbers), np.signbit(after[name])))
    )

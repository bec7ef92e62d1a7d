"""Runs a call in a mode, and finds out what an exception says about it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, ModeObservation, Refused, Unsupported, Values
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.dispatch import noting_dtypes
from lossproof.subjects.torch.modes.table import mode_named
from lossproof.subjects.torch.tensors import dtype_of, make_tensor, make_tensors, numbers_of

# What torch says if it lacks a derivative, a batching rule or a second backward pass, or if a function looks
# at numbers that abstract tensors do not have.
_MISSING = (
    "does not support it because it has not been implemented",
    "is not implemented",
    "not implemented for",
    "Batching rule not implemented",
    "does not have a batching rule",
    "vmap: It looks like you're",
    "vmap: Attempted to vmap over",
    "vmap: We do not support batching",
    "it must override the setup_context",
    "Tensor.item() cannot be called on meta tensors",
    "there was no fake impl",
    "does not support double backward",
    "does not support automatic differentiation",
    "Trying to backward through the graph a second time",
)
# What fake tensors raise for an operation that looks at numbers.
_DATA_DEPENDENT = ("DataDependentOutputException", "DynamicOutputShapeException")


def run_in_mode(
    name: str,
    call: Call,
    functions: Mapping[str, Callable[..., Any]],
    directions: Mapping[str, Float64Array],
    answer_from: Callable[[Exception, str], Unsupported | Refused],
) -> ModeObservation:
    """Run a call in a mode as ``Subject.run_mode`` does.

    Args:
        name: the mode.
        call: the call, as the mode writes it.
        functions: ``loss``, and ``make`` and ``forward`` if there are such; see ``Mode``.
        directions: those to differentiate along.
        answer_from: what an exception says about the mode of this name.
    """
    mode = mode_named(name)
    arguments = {
        "tensors": make_tensors(call),
        "args": tuple(call.args),
        "wrt": call.wrt,
        "wrt_args": tuple(name for name in call.wrt if name in call.args),
        "upstream": make_tensor(Values(call.upstreams[-1], call.dtype), call.device),
        "directions": {
            name: make_tensor(Values(numbers, call.dtype), call.device)
            for name, numbers in directions.items()
        },
        **functions,
    }
    is_noting = mode.promise is Promise.COMPUTED_IN
    dtypes: set[torch.dtype] = set()
    try:
        with _silence(), noting_dtypes(dtypes) if is_noting else nullcontext():
            output, gradients = mode.run(arguments)
        numbers = {name: numbers_of(gradient) for name, gradient in gradients.items()}
        value, dtype = numbers_of(output), dtype_of(output)
    except Unsupported:
        raise
    except Exception as error:  # whatever a transformation raises is an answer
        raise answer_from(error, name) from error
    if not isinstance(output, mode.result):
        dtype = f"{dtype} as a plain Tensor"
    narrowest = max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=output.dtype)
    computed_in = str(narrowest).removeprefix("torch.") if is_noting else ""
    return ModeObservation(value, dtype, (numbers,), computed_in=computed_in, layout=mode.layout)


@contextmanager
def _silence() -> Iterator[None]:
    """Warnings are judged on the plain call, and what torch prints of fake tensors is raised as well."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = False


def answer_of_torch(error: Exception, mode: str) -> Unsupported | Refused:
    """What an exception of torch says about a mode: that torch lacks it, or that it failed."""
    if type(error).__name__ in _DATA_DEPENDENT:
        return Unsupported(f"fake tensors have no numbers for {_lines(error)[0]}")
    if isinstance(error, NotImplementedError) or any(words in str(error) for words in _MISSING):
        return Unsupported(_lines(error)[0])
    return failure(error, mode)


def failure(error: Exception, mode: str) -> Refused:
    """What an exception says of whoever has not said that it lacks the mode: that it failed."""
    # TorchScript puts its own trace first and the error last.
    return Refused(type(error).__name__, _lines(error)[-1], mode)


def _lines(error: Exception) -> list[str]:
    return str(error).strip().splitlines() or [""]

"""All modes of torch, which of them apply to a call, and how one is run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from lossproof.subjects.call import Call, ModeObservation, Refused, Unsupported, tensors_of
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes import (
    backward,
    derivatives,
    disguises,
    inputs,
    laws,
    living,
    settings,
    spelling,
)
from lossproof.subjects.torch.modes.dispatch import noting_dtypes
from lossproof.subjects.torch.modes.mode import Mode, always
from lossproof.subjects.torch.tensors import dtype_of, numbers_of

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

MODES: Mapping[str, Mode] = {**derivatives.MODES, **disguises.MODES, **settings.MODES}
# Ways of calling: modes so many that each call meets few of them.
_WAYS: Mapping[str, Mode] = {**inputs.MODES, **backward.MODES, **laws.MODES, **spelling.MODES}
WAYS_OF_FUNCTIONS: Mapping[str, Mode] = {**_WAYS, **spelling.MODES_OF_FUNCTIONS}
WAYS_OF_MODULES: Mapping[str, Mode] = {**_WAYS, **living.MODES}


def _grouped(ways: Mapping[str, Mode]) -> tuple[Mapping[str, Mode], Mapping[str, Mode]]:
    """The ways that are for every call, and the others, which would be too seldom in turn among them."""
    common = {name: way for name, way in ways.items() if way.applies is always}
    return common, {name: way for name, way in ways.items() if name not in common}


GROUPS_OF_FUNCTIONS = _grouped(WAYS_OF_FUNCTIONS)
GROUPS_OF_MODULES = _grouped(WAYS_OF_MODULES)


def mode_named(name: str) -> Mode:
    """The mode or the way of calling of a name."""
    return next(modes[name] for modes in (MODES, WAYS_OF_FUNCTIONS, WAYS_OF_MODULES) if name in modes)


def promises_of(modes: Mapping[str, Mode], call: Call) -> Mapping[str, Promise]:
    """The promises of those of some modes that are for a call.

    A call has none if it asks for no gradients, or if its numbers have another dtype than the call.
    """
    dtypes = {values.dtype for values in tensors_of(call).values() if values.numbers.dtype.kind in "fc"}
    if not call.wrt or dtypes != {call.dtype}:
        return {}
    return {
        name: mode.promise for name, mode in modes.items() if call.dtype in mode.dtypes and mode.applies(call)
    }


def run_in_mode(name: str, arguments: Mapping[str, Any]) -> ModeObservation:
    """Run a mode as ``Subject.run_mode`` does, on all arguments that ``Mode`` lists."""
    mode = mode_named(name)
    is_noting = mode.promise is Promise.COMPUTED_IN
    dtypes: set[torch.dtype] = set()
    try:
        with _silence(), noting_dtypes(dtypes) if is_noting else nullcontext():
            output, gradients = mode.run(arguments)
        numbers = {name: numbers_of(gradient) for name, gradient in gradients.items()}
        value, dtype = numbers_of(output), dtype_of(output)
    except Unsupported:
        raise
    except Exception as error:  # whatever a transformation raises is an answer of torch
        raise _answer_from(error, name) from error
    if not isinstance(output, mode.result):
        dtype = f"{dtype} as a plain Tensor"
    narrowest = max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=output.dtype)
    computed_in = str(narrowest).removeprefix("torch.") if is_noting else ""
    return ModeObservation(value, dtype, (numbers,), computed_in=computed_in, layout=mode.layout)


@contextmanager
def _silence() -> Iterator[None]:
    """Errors of fake tensors are raised; torch would print them as well."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def _answer_from(error: Exception, mode: str) -> Unsupported | Refused:
    """What an exception says about a mode: that torch lacks it, or that it failed."""
    lines = str(error).strip().splitlines() or [""]
    kind = type(error).__name__
    if kind in _DATA_DEPENDENT:
        return Unsupported(f"fake tensors have no numbers for {lines[0]}")
    if isinstance(error, NotImplementedError) or any(words in str(error) for words in _MISSING):
        return Unsupported(lines[0])
    # TorchScript puts its own trace first and the error last.
    return Refused(kind, lines[-1], mode)

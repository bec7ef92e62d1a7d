"""All modes of torch, which of them a call has, and how one is run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from lossproof.subjects.call import Call, ModeObservation, Refused, Unsupported, tensors_of
from lossproof.subjects.torch.modes.derivatives import double_backward, forward_over_reverse, func_grad, jvp
from lossproof.subjects.torch.modes.disguises import (
    Subclass,
    channels_last,
    fake,
    in_channels_last,
    meta,
    subclass,
    vmap,
)
from lossproof.subjects.torch.modes.dispatch import noting_dtypes
from lossproof.subjects.torch.modes.mode import Mode, plain
from lossproof.subjects.torch.modes.settings import autocast, threads
from lossproof.subjects.torch.tensors import dtype_of, numbers_of

# The modes ask for tensors small enough that balls differentiate them twice in milliseconds.
_LARGEST = 100
# Fewer elements than this no kernel of a loss divides among threads.
_DIVIDED = 2000

# What torch says where it lacks a derivative, a batching rule or a second backward pass, or where a function
# looks at numbers that abstract tensors do not have.
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
# How fake tensors name an operation that looks at numbers.
_DATA_DEPENDENT = ("DataDependentOutputException", "DynamicOutputShapeException")


def _elements(call: Call) -> int:
    return sum(values.numbers.size for values in call.args.values())


def _is_small(call: Call) -> bool:
    return _elements(call) <= _LARGEST


def _has_divided_work(call: Call) -> bool:
    return _elements(call) >= _DIVIDED


def _has_channels(call: Call) -> bool:
    return any(values.numbers.ndim in (4, 5) for values in call.args.values())


_FORWARD_AD = ("from torch.autograd import forward_ad",)
_FAKE = "torch._subclasses.fake_tensor.FakeTensorMode"
# Checks of what comes out name the class.
_FAKE_TENSOR = ("from torch._subclasses.fake_tensor import FakeTensor",)

MODES: Mapping[str, Mode] = {
    "jvp": Mode(jvp, ("float64",), _is_small, imports=_FORWARD_AD),
    "double_backward": Mode(double_backward, ("float64",), _is_small),
    "forward_over_reverse": Mode(forward_over_reverse, ("float64",), _is_small),
    "func.grad": Mode(func_grad, ("float64",), _is_small),
    "vmap": Mode(vmap, ("float64",), _is_small),
    "meta": Mode(meta, ("float32",), _is_small, (plain,)),
    "fake": Mode(fake, ("float32",), _is_small, (plain,), _FAKE_TENSOR, (_FAKE,)),
    "subclass": Mode(subclass, ("float32",), _is_small, (plain, Subclass), result=Subclass),
    "twice": Mode(plain, ("float32",), _is_small, times=2),
    "threads": Mode(threads, ("float32",), _has_divided_work, (plain,)),
    "channels_last": Mode(channels_last, ("float32",), _has_channels, (plain, in_channels_last)),
    "autocast": Mode(autocast, ("float32", "bfloat16"), _is_small, notes_dtypes=True),
}


def modes_of(call: Call) -> tuple[str, ...]:
    """The modes for a call; none for what has no gradient, or has numbers of another dtype than the call."""
    dtypes = {values.dtype for values in tensors_of(call).values() if values.numbers.dtype.kind in "fc"}
    if not call.wrt or dtypes != {call.dtype}:
        return ()
    return tuple(name for name, mode in MODES.items() if call.dtype in mode.dtypes and mode.applies(call))


def run_in_mode(name: str, given: Mapping[str, Any]) -> ModeObservation:
    """Run one.

    Args:
        name: of MODES.
        given: what ``Mode`` says that its function may take.

    Raises:
        Unsupported, Refused: as ``Subject.run_mode``.
    """
    mode = MODES[name]
    dtypes: set[torch.dtype] = set()
    try:
        with _silence(), noting_dtypes(dtypes) if mode.notes_dtypes else nullcontext():
            output, gradients = mode.run(given)
        numbers = {name: numbers_of(gradient) for name, gradient in gradients.items()}
        value, dtype = numbers_of(output), dtype_of(output)
    except Unsupported:
        raise
    except Exception as error:  # whatever a transformation raises is an answer of torch's
        raise _answer_in(error, name) from error
    if not isinstance(output, mode.result):
        dtype = f"{dtype} as a plain Tensor"
    narrowest = max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=output.dtype)
    computed_in = str(narrowest).removeprefix("torch.") if mode.notes_dtypes else ""
    return ModeObservation(value, dtype, (numbers,), computed_in=computed_in)


@contextmanager
def _silence() -> Iterator[None]:
    """What goes wrong with fake tensors is raised; torch would print it as well."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def _answer_in(error: Exception, mode: str) -> Unsupported | Refused:
    """What an exception says of a mode: that torch lacks it, or that it failed."""
    lines = str(error).strip().splitlines() or [""]
    kind = type(error).__name__
    if kind in _DATA_DEPENDENT:
        return Unsupported(f"fake tensors have no numbers for {lines[0]}")
    if isinstance(error, NotImplementedError) or any(words in str(error) for words in _MISSING):
        return Unsupported(lines[0])
    # TorchScript puts its own trace first and the error last.
    return Refused(kind, lines[-1], mode)

"""The modes of torch: transformed, abstract, disguised, or under other settings, a loss is the same loss."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.autograd import forward_ad

from lossproof.subjects.call import Call, ModeObservation, Refused, Unsupported, Values
from lossproof.subjects.torch.dispatch import noting_dtypes
from lossproof.subjects.torch.names import look_up

Tensors = Mapping[str, torch.Tensor]

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
# The class of fake tensors, which is private to torch: only the mode that makes them asks for it.
_FAKE = "FakeTensor"
# How fake tensors name an operation that looks at numbers.
_DATA_DEPENDENT = ("DataDependentOutputException", "DynamicOutputShapeException")


@dataclass(frozen=True, eq=False)
class TorchCall:
    """A call in torch's terms.

    Attributes:
        loss: the loss as a function of its tensors by name.
        tensors: its arguments and tensor parameters.
        args: which of them are arguments.
        wrt: which of them to differentiate by.
        upstream: the upstream gradient.
        directions: for each of ``wrt``, the direction to differentiate along.
    """

    loss: Callable[[Tensors], torch.Tensor]
    tensors: Tensors
    args: tuple[str, ...]
    wrt: tuple[str, ...]
    upstream: torch.Tensor
    directions: Tensors

    @property
    def sources(self) -> Tensors:
        """The tensors to differentiate by."""
        return {name: self.tensors[name] for name in self.wrt}

    def weighted(self, sources: Tensors) -> torch.Tensor:
        """sum(upstream * output), as a function of the tensors to differentiate by."""
        return (self.loss({**self.tensors, **sources}) * self.upstream).sum()

    def on(self, change: Callable[[torch.Tensor], torch.Tensor]) -> TorchCall:
        """The same call with all tensors changed."""
        tensors = {name: change(tensor) for name, tensor in self.tensors.items()}
        return replace(self, tensors=tensors, upstream=change(self.upstream))


@dataclass(frozen=True)
class Mode:
    """A mode: how to run it, in which dtypes, and on which calls it can show anything."""

    run: Callable[[TorchCall], ModeObservation]
    dtypes: tuple[str, ...]
    applies: Callable[[Call], bool]


def modes_of(call: Call) -> tuple[str, ...]:
    """The modes for a call; none for what has no gradient, or has numbers of another dtype than the call."""
    values = (*call.args.values(), *call.params.values())
    dtypes = {
        value.dtype for value in values if isinstance(value, Values) and value.numbers.dtype.kind in "fc"
    }
    if not call.wrt or dtypes != {call.dtype}:
        return ()
    return tuple(name for name, mode in MODES.items() if call.dtype in mode.dtypes and mode.applies(call))


def run_in_mode(mode: str, call: TorchCall) -> ModeObservation:
    """Run one.

    Raises:
        Unsupported, Refused: as ``Subject.run_mode``.
    """
    try:
        return MODES[mode].run(call)
    except Unsupported:
        raise
    except Exception as error:  # whatever a transformation raises is an answer of torch's
        lines = str(error).strip().splitlines() or [""]
        kind = error.type if isinstance(error, Refused) else type(error).__name__
        if kind in _DATA_DEPENDENT:
            raise Unsupported(f"fake tensors have no numbers for {lines[0]}") from error
        if isinstance(error, NotImplementedError) or any(words in str(error) for words in _MISSING):
            raise Unsupported(lines[0]) from error
        # TorchScript puts its own trace first and the error last.
        raise Refused(kind, lines[-1], mode) from error


def _jvp(call: TorchCall) -> ModeObservation:
    """Forward-mode differentiation along the directions."""
    with forward_ad.dual_level():
        duals = {
            name: forward_ad.make_dual(tensor, call.directions[name])  # type: ignore[no-untyped-call]  # torch's
            for name, tensor in call.sources.items()
        }
        primal, tangent = forward_ad.unpack_dual(call.loss({**call.tensors, **duals}))  # type: ignore[no-untyped-call]  # torch's
        return _observed(torch.zeros_like(primal) if tangent is None else tangent)


def _double_backward(call: TorchCall) -> ModeObservation:
    """The gradient of sum(direction * gradient), by each source and by the upstream gradient."""
    sources = {name: tensor.requires_grad_() for name, tensor in call.sources.items()}
    upstream = call.upstream.requires_grad_()
    output = call.loss({**call.tensors, **sources})
    gradients = torch.autograd.grad(
        output, list(sources.values()), upstream, create_graph=True, materialize_grads=True
    )
    along = torch.stack(
        [(gradient * call.directions[name]).sum() for name, gradient in zip(call.wrt, gradients, strict=True)]
    )
    second = torch.autograd.grad(along.sum(), [*sources.values(), upstream], materialize_grads=True)
    return _observed(output, dict(zip((*call.wrt, "upstream"), second, strict=True)))


def _forward_over_reverse(call: TorchCall) -> ModeObservation:
    """The derivative of the gradient by the first source alone, as torch.func.hessian takes it."""
    first = call.wrt[0]
    gradient = torch.func.grad(lambda tensor: call.weighted({first: tensor}))
    second = torch.func.jvp(gradient, (call.tensors[first],), (call.directions[first],))[1]
    return _observed(call.upstream, {first: second})


def _func_grad(call: TorchCall) -> ModeObservation:
    """torch.func.grad in the place of autograd."""
    gradients, value = torch.func.grad_and_value(call.weighted)(call.sources)
    return _observed(value, gradients)


def _vmap(call: TorchCall) -> ModeObservation:
    """A batch of three: the call, one with halved inputs to show what mixes with it, the call again."""
    batched = {
        name: torch.stack([tensor, tensor / 2 if name in call.wrt else tensor, tensor])
        for name, tensor in call.tensors.items()
        if name in call.args
    }
    output = torch.func.vmap(lambda arguments: call.loss({**call.tensors, **arguments}))(batched)
    return _observed(output[::2])


def _plain(call: TorchCall) -> ModeObservation:
    """Forward and backward."""
    sources = [tensor.requires_grad_() for tensor in call.sources.values()]
    output = call.loss(call.tensors)
    if _has_no_numbers(call.upstream) and not _has_no_numbers(output):
        return _observed(output)  # wrong already; no gradient leads from numbers to none
    gradients = torch.autograd.grad(output, sources, call.upstream, materialize_grads=True)
    return _observed(output, dict(zip(call.wrt, gradients, strict=True)))


def _meta(call: TorchCall) -> ModeObservation:
    """Tensors without numbers."""
    return _plain(call.on(lambda tensor: tensor.to("meta")))


def _fake(call: TorchCall) -> ModeObservation:
    """Tensors without numbers that pretend to lie on their device."""
    # What goes wrong is raised; torch would print it as well.
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    logger.disabled = True
    try:
        with look_up("torch._subclasses.fake_tensor.FakeTensorMode")() as mode:
            return _plain(call.on(mode.from_tensor))
    finally:
        logger.disabled = False


class _Disguised(torch.Tensor):
    """A subclass as users write them: every function of torch reaches it through __torch_function__."""


def _subclass(call: TorchCall) -> ModeObservation:
    """All tensors of a subclass, which the result must be of as well."""
    disguised = call.on(lambda tensor: tensor.as_subclass(_Disguised))
    observation = _plain(disguised)
    if not isinstance(disguised.loss(disguised.tensors), _Disguised):
        return replace(observation, dtype=f"{observation.dtype} as a plain Tensor")
    return observation


def _twice(call: TorchCall) -> ModeObservation:
    """What the second of two calls yields."""
    _plain(call)
    return _plain(call)


def _threads(call: TorchCall) -> ModeObservation:
    """Two threads instead of one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2 if before == 1 else 1)
    try:
        return _plain(call)
    finally:
        torch.set_num_threads(before)


def _channels_last(call: TorchCall) -> ModeObservation:
    """Images and volumes with their channels innermost in memory."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}

    def change(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.contiguous(memory_format=formats.get(tensor.ndim, torch.contiguous_format))

    return _plain(call.on(change))


def _autocast(call: TorchCall) -> ModeObservation:
    """Under autocast to bfloat16, where each operation has a documented dtype of its own."""
    dtypes: set[torch.dtype] = set()
    with noting_dtypes(dtypes), torch.autocast(call.upstream.device.type, dtype=torch.bfloat16):
        output = call.loss(call.tensors)
    narrowest = max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=output.dtype)
    return replace(_observed(output), computed_in=_name(narrowest))


def _observed(output: torch.Tensor, gradients: Tensors | None = None) -> ModeObservation:
    return ModeObservation(
        _numbers(output),
        _name(output.dtype),
        ({name: _numbers(gradient) for name, gradient in (gradients or {}).items()},),
    )


def _numbers(tensor: torch.Tensor) -> npt.NDArray[Any]:
    if _has_no_numbers(tensor):
        return np.full(tuple(tensor.shape), np.nan)
    # Copied by torch: a gradient of nothing but zeros may have no memory, which older releases read anyway.
    return np.array(tensor.to(torch.float64).clone().numpy(force=True))


def _has_no_numbers(tensor: torch.Tensor) -> bool:
    return tensor.is_meta or type(tensor).__name__ == _FAKE


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _elements(call: Call) -> int:
    return sum(values.numbers.size for values in call.args.values())


def _is_small(call: Call) -> bool:
    return _elements(call) <= _LARGEST


def _has_divided_work(call: Call) -> bool:
    return _elements(call) >= _DIVIDED


def _has_channels(call: Call) -> bool:
    return any(values.numbers.ndim in (4, 5) for values in call.args.values())


MODES: Mapping[str, Mode] = {
    "jvp": Mode(_jvp, ("float64",), _is_small),
    "double_backward": Mode(_double_backward, ("float64",), _is_small),
    "forward_over_reverse": Mode(_forward_over_reverse, ("float64",), _is_small),
    "func.grad": Mode(_func_grad, ("float64",), _is_small),
    "vmap": Mode(_vmap, ("float64",), _is_small),
    "meta": Mode(_meta, ("float32",), _is_small),
    "fake": Mode(_fake, ("float32",), _is_small),
    "subclass": Mode(_subclass, ("float32",), _is_small),
    "twice": Mode(_twice, ("float32",), _is_small),
    "threads": Mode(_threads, ("float32",), _has_divided_work),
    "channels_last": Mode(_channels_last, ("float32",), _has_channels),
    "autocast": Mode(_autocast, ("float32", "bfloat16"), _is_small),
}

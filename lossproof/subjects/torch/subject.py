"""torch as a subject: its loss modules, and its functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lossproof.numbers.formats import Float64Array
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import (
    Call,
    ModeObservation,
    Observation,
    Refused,
    SeenWarning,
    Unsupported,
    Values,
    changed_since,
)
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.aspects import inspect_module
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT
from lossproof.subjects.torch.forms import construct_module, find_function
from lossproof.subjects.torch.layouts import lay_out
from lossproof.subjects.torch.modes import TorchCall, modes_of, run_in_mode

# The numbers and the dtype of each gradient.
_Gradients = Mapping[str, tuple[npt.NDArray[Any], str]]


class TorchSubject(Subject):
    """What the modules and the functions of torch have in common: tensors in, autograd, tensors out."""

    name = "torch"
    dtypes = ("float64", "float32", "bfloat16", "float16")
    packages = ("torch",)
    namespaces = ("torch.nn.functional", "torch.nn")

    def __init__(self) -> None:
        # On tensors as small as a case's, a second thread costs ten times what it saves.
        torch.set_num_threads(1)

    def __reduce__(self) -> tuple[type[TorchSubject], tuple[()]]:
        # Made anew in another process, which has threads of its own.
        return type(self), ()

    def version(self) -> str:
        """The version of torch."""
        return str(torch.__version__)

    def devices(self) -> tuple[str, ...]:
        """The processor, and the accelerator if there is one."""
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return ("cpu",) if accelerator is None else ("cpu", accelerator.type)

    def is_asked(self, loss: str) -> bool:
        """For what torch has, and no expressions."""
        return loss not in EXPRESSIONS

    def probes(self) -> Mapping[str, Callable[[], Any]]:
        """The settings of torch that calls must not change."""
        return _PROBES

    def run(self, call: Call) -> Observation:
        """Run forward, and backward once for each upstream gradient."""
        args = {name: _tensor(values, call, place) for place, (name, values) in enumerate(call.args.items())}
        params = {
            name: _tensor(value, call, len(args) + place) if isinstance(value, Values) else value
            for place, (name, value) in enumerate(_plainly_listed(call).items())
        }
        if call.reduction is not None:
            params["reduction"] = call.reduction
        sources = [(args | params)[name].requires_grad_() for name in call.wrt]
        tensors = args | {name: value for name, value in params.items() if isinstance(value, torch.Tensor)}
        before = {name: _numbers(tensor) for name, tensor in tensors.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            output = self._apply(call.loss, params, tuple(args.values()))
            fitting = [upstream for upstream in call.upstreams if tuple(output.shape) == upstream.shape]
            grad_outputs = [_grad_output(upstream, output) for upstream in fitting]
            found, failed = self._backward(output, sources, grad_outputs, call)
        after = {name: _numbers(tensor) for name, tensor in tensors.items()}
        seen = tuple(
            SeenWarning(tuple(a.__name__ for a in warning.category.__mro__), str(warning.message))
            for warning in caught
        )
        changed = changed_since(before, after)
        if any(map(_is_changed, grad_outputs, fitting)):
            changed = (*changed, "the upstream gradient")
        gradients = tuple({name: numbers for name, (numbers, _) in one.items()} for one in found)
        dtypes = {name: dtype for one in found for name, (_, dtype) in one.items()}
        return Observation(_numbers(output), _name(output.dtype), gradients, changed, seen, failed, dtypes)

    def modes(self, call: Call) -> tuple[str, ...]:
        """See ``subjects.modes``: those of the functions, which are what the modules call."""
        return modes_of(call)

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """Run a call in one of its modes; see ``torch_modes``."""
        given = _plainly_listed(call)
        tensors = {
            name: _tensor(value, call)
            for name, value in {**call.args, **given}.items()
            if isinstance(value, Values)
        }
        plain = {name: value for name, value in given.items() if name not in tensors}
        if call.reduction is not None:
            plain["reduction"] = call.reduction

        def loss(tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
            params = plain | {name: tensors[name] for name in call.params if name in tensors}
            return self._apply(call.loss, params, tuple(tensors[name] for name in call.args))

        upstream, *along = (
            _tensor(Values(numbers, call.dtype), call)
            for numbers in (call.upstreams[-1], *(directions[name] for name in call.wrt))
        )
        torch_call = TorchCall(
            loss, tensors, tuple(call.args), call.wrt, upstream, dict(zip(call.wrt, along, strict=True))
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings are judged of the plain call
            return run_in_mode(mode, torch_call)

    def _apply(self, loss: str, params: Mapping[str, Any], args: tuple[torch.Tensor, ...]) -> torch.Tensor:
        raise NotImplementedError

    def _backward(
        self, output: torch.Tensor, sources: list[torch.Tensor], grad_outputs: list[torch.Tensor], call: Call
    ) -> tuple[tuple[_Gradients, ...], Unsupported | Refused | None]:
        """The gradients for each upstream gradient, or what was raised in their place."""
        if not sources:
            return tuple({} for _ in grad_outputs), None
        try:
            with self._refusals("backward"):
                return tuple(_gradients(output, sources, upstream, call) for upstream in grad_outputs), None
        except (Unsupported, Refused) as failed:
            return (), failed

    def _refusals(self, when: str) -> _Refusals:
        return _Refusals(when, self.has_construction)


class ModuleSubject(TorchSubject):
    """torch.nn: construct the module, then call it."""

    name = "torch.nn"
    has_construction = True

    def illustrates(self, loss: str) -> bool:
        """Where there is no function."""
        return loss not in EXPRESSIONS and LOSSES[loss].functional is None

    def modes(self, call: Call) -> tuple[str, ...]:
        """The modes of what has no function; else they are the function's business."""
        try:
            find_function(call.loss)
        except Unsupported:
            return super().modes(call)
        return ()

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """What a module is, has and does; see ``torch_modules``."""
        tensors = {
            name: torch.from_numpy(np.array(value.numbers)) if isinstance(value, Values) else value
            for name, value in params.items()
        }
        return inspect_module(aspect, loss, tensors, expected)

    def _apply(self, loss: str, params: Mapping[str, Any], args: tuple[torch.Tensor, ...]) -> torch.Tensor:
        with self._refusals("construct"):
            module = construct_module(loss, params, args)
        with self._refusals("call"):
            output: torch.Tensor = module(*args)
        return output


class FunctionSubject(TorchSubject):
    """torch.nn.functional; for what an identity names and torch lacks, an expression stands in."""

    name = "torch.nn.functional"

    def illustrates(self, loss: str) -> bool:
        """Whatever it has."""
        return LOSSES[loss].functional is not None

    def _apply(self, loss: str, params: Mapping[str, Any], args: tuple[torch.Tensor, ...]) -> torch.Tensor:
        function = find_function(loss, params)
        with self._refusals("call"):
            output: torch.Tensor = function(*args, **params)
        return output


class ExpressionSubject(FunctionSubject):
    """The expressions of torch's operations that stand in for what it has no loss for."""

    name = EXPRESSIONS_SUBJECT

    def is_asked(self, loss: str) -> bool:
        """For these alone."""
        return loss in EXPRESSIONS

    def illustrates(self, loss: str) -> bool:
        """All of them."""
        return loss in EXPRESSIONS


class _Refusals:
    """Turn what torch raises into Refused or Unsupported; a context manager without a frame of its own."""

    def __init__(self, when: str, is_staged: bool) -> None:
        self.when = when
        self.is_staged = is_staged

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, category: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unsupported):
            message = str(error)
            if isinstance(error, NotImplementedError) or "not implemented for" in message:
                raise Unsupported(message.splitlines()[0]) from error
            raise Refused(type(error).__name__, message, self.when, is_staged=self.is_staged) from error


def _grad_output(upstream: Float64Array, output: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(upstream.copy()).to(output.dtype).to(output.device)


def _is_changed(grad_output: torch.Tensor, upstream: Float64Array) -> bool:
    return not torch.equal(grad_output, _grad_output(upstream, grad_output))


def _gradients(
    output: torch.Tensor, sources: list[torch.Tensor], grad_output: torch.Tensor, call: Call
) -> _Gradients:
    found = torch.autograd.grad(output, sources, grad_output, retain_graph=True, materialize_grads=True)
    seen = [(_numbers(gradient), _name(gradient.dtype)) for gradient in found]
    return dict(zip(call.wrt, seen, strict=True))


def _plainly_listed(call: Call) -> dict[str, Any]:
    """A call's parameters, lists of whole numbers as torch takes them: no tensors, whatever the mode."""
    lists = LOSSES[call.loss].index_parameters
    return {
        name: value.numbers.tolist() if name in lists and isinstance(value, Values) else value
        for name, value in call.params.items()
    }


def _tensor(values: Values, call: Call, place: int = 0) -> torch.Tensor:
    # A copy: torch must not see the caller's memory, which other subjects will be given too.
    tensor = torch.from_numpy(np.array(values.numbers)).to(getattr(torch, values.dtype)).to(call.device)
    return lay_out(tensor, call.layout, place)


def _numbers(tensor: torch.Tensor) -> npt.NDArray[Any]:
    detached = tensor.detach().cpu()
    if detached.dtype.is_complex:
        detached = torch.view_as_real(detached.resolve_conj())
    if detached.dtype.is_floating_point:
        detached = detached.to(torch.float64)
    # Copied by torch: a gradient of nothing but zeros may have no memory, which older releases read anyway.
    return np.array(detached.clone().numpy())


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


_PROBES: Mapping[str, Callable[[], Any]] = {
    "torch's default dtype": torch.get_default_dtype,
    "torch's default device": torch.get_default_device,
    "torch's number of threads": torch.get_num_threads,
    "torch's grad mode": torch.is_grad_enabled,
    "torch's inference mode": torch.is_inference_mode_enabled,
    "torch's autocast mode": torch.is_autocast_enabled,
    "torch's use of deterministic algorithms": torch.are_deterministic_algorithms_enabled,
    "torch's precision of matrix products": torch.get_float32_matmul_precision,
    # Its random state may change: modules draw their weights from it.
    "torch's seed": torch.initial_seed,
}

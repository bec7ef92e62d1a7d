"""torch as a subject: its loss modules, and its functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt
import torch

from lossproof.numbers.formats import FORMATS, Float64Array
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import (
    Call,
    ModeObservation,
    Observation,
    Refused,
    SeenWarning,
    Unsupported,
    changed_since,
    tensors_of,
)
from lossproof.subjects.promise import Promise
from lossproof.subjects.subject import Subject
from lossproof.subjects.torch.aspects import inspect_module
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT, expression_of
from lossproof.subjects.torch.forms import Form, function_form, has_function, module_form
from lossproof.subjects.torch.modes.running import answer_of_torch, run_in_mode
from lossproof.subjects.torch.modes.table import (
    GROUPS_OF_FUNCTIONS,
    GROUPS_OF_MODULES,
    MODES,
    mode_named,
    promises_of,
)
from lossproof.subjects.torch.programs import TorchPrograms
from lossproof.subjects.torch.source import execute
from lossproof.subjects.torch.tensors import dtype_of, make_tensors, numbers_of, with_plain_lists

# The numbers and the dtype of each gradient.
_Gradients = Mapping[str, tuple[npt.NDArray[Any], str]]


class TorchSubject(Subject):
    """What torch's modules and functions have in common: tensors in, autograd, tensors out."""

    name = "torch"
    is_foreign = False
    dtypes = tuple(name for name in FORMATS if hasattr(torch, name))
    packages = ("torch",)
    namespaces = ("torch.nn.functional", "torch.nn")

    def __init__(self) -> None:
        # On tensors as small as those of cases, a second thread costs ten times what it saves.
        torch.set_num_threads(1)

    def __reduce__(self) -> tuple[type[TorchSubject], tuple[()]]:
        # Another process makes a new instance, since it has threads of its own.
        return type(self), ()

    def version(self) -> str:
        return str(torch.__version__)

    def devices(self) -> tuple[str, ...]:
        """The processor, and the accelerator if there is one."""
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return ("cpu",) if accelerator is None else ("cpu", accelerator.type)

    def has_loss(self, loss: str) -> bool:
        """Whether torch itself has the loss."""
        return loss not in EXPRESSIONS

    def probes(self) -> Mapping[str, Callable[[], Any]]:
        """The settings of torch that calls must not change."""
        return _PROBES

    def run(self, call: Call) -> Observation:
        """Run forward, and backward once for each upstream gradient."""
        call = with_plain_lists(call)
        tensors = make_tensors(call)
        sources = [tensors[name].requires_grad_() for name in call.wrt]
        before = {name: numbers_of(tensor) for name, tensor in tensors.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            output = self._apply(call, tensors)
            upstreams = [upstream for upstream in call.upstreams if tuple(output.shape) == upstream.shape]
            grad_outputs = [_grad_output(upstream, output) for upstream in upstreams]
            results, failure = self._backward(output, sources, grad_outputs, call)
        after = {name: numbers_of(tensor) for name, tensor in tensors.items()}
        notices = tuple(
            SeenWarning(tuple(a.__name__ for a in warning.category.__mro__), str(warning.message))
            for warning in caught
        )
        changes = changed_since(before, after)
        if any(map(_is_changed, grad_outputs, upstreams)):
            changes = (*changes, "the upstream gradient")
        gradients = tuple({name: numbers for name, (numbers, _) in by_name.items()} for by_name in results)
        dtypes = {name: dtype for by_name in results for name, (_, dtype) in by_name.items()}
        return Observation(numbers_of(output), dtype_of(output), gradients, changes, notices, failure, dtypes)

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """The modes of the functions, which are what the modules call."""
        return promises_of((MODES,), call)[0]

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """See ``modes.inputs``, ``modes.backward``, ``modes.laws`` and ``modes.spelling``."""
        return promises_of(GROUPS_OF_FUNCTIONS, call)

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """Run a call in one of its modes; see ``modes.mode``."""
        call = mode_named(mode).rewritten(with_plain_lists(call))
        form = self._form_of(call)
        form.demand()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of making a module; warnings are judged on the plain call
            functions = form.functions(tensors_of(call))
        return run_in_mode(mode, call, functions, directions, answer_of_torch)

    def _form_of(self, call: Call) -> Form:
        """How this subject makes a call."""
        raise NotImplementedError

    def _apply(self, call: Call, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        scope: dict[str, Any] = dict(tensors)
        # Numbers from which no module can be constructed are refused as well.
        with self._refusals("construct" if self.has_construction else "call"):
            form = self._form_of(call)
            form.demand()
            execute(form.construct, scope)
        with self._refusals("call"):
            execute((f"result = {form.call}",), scope)
        output: torch.Tensor = scope["result"]
        return output

    def _backward(
        self, output: torch.Tensor, sources: list[torch.Tensor], grad_outputs: list[torch.Tensor], call: Call
    ) -> tuple[tuple[_Gradients, ...], Unsupported | Refused | None]:
        """The gradients for each upstream gradient, or what was raised instead."""
        if not sources:
            return tuple({} for _ in grad_outputs), None
        try:
            with self._refusals("backward"):
                last = len(grad_outputs) - 1
                return tuple(
                    _gradients(output, sources, upstream, call, is_last=place == last)
                    for place, upstream in enumerate(grad_outputs)
                ), None
        except (Unsupported, Refused) as failure:
            return (), failure

    def _refusals(self, when: str) -> _Refusals:
        return _Refusals(when, self.has_construction)


class ModuleSubject(TorchSubject):
    """torch.nn: construct the module, then call it."""

    name = "torch.nn"
    has_construction = True
    programs = TorchPrograms(module_form)

    def illustrates(self, loss: str) -> bool:
        """Losses that have no function."""
        return loss not in EXPRESSIONS and LOSSES[loss].functional is None

    def layouts_of(self, loss: str) -> tuple[str, ...]:
        """A module hands its tensors to its function, which is called in all layouts."""
        return self.layouts[:1] if has_function(loss) else self.layouts

    def modes(self, call: Call) -> Mapping[str, Promise]:
        """The modes of a loss without a function; the function has those of all others."""
        return {} if has_function(call.loss) else super().modes(call)

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """Those of a module that has lived before as well; see ``modes.living``."""
        return promises_of(GROUPS_OF_MODULES, call)

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        """What a module is, has and does; see ``aspects``."""
        return inspect_module(aspect, loss, params, expected)

    def _form_of(self, call: Call) -> Form:
        return module_form(call)


class FunctionSubject(TorchSubject):
    """torch.nn.functional, with expressions for losses that an identity names and torch lacks."""

    name = "torch.nn.functional"
    programs = TorchPrograms(function_form)

    def illustrates(self, loss: str) -> bool:
        """All losses that have a function."""
        return LOSSES[loss].functional is not None

    def _form_of(self, call: Call) -> Form:
        return function_form(call)


class ExpressionSubject(FunctionSubject):
    """The expressions of torch's operations that stand in for losses that torch lacks."""

    name = EXPRESSIONS_SUBJECT
    programs = TorchPrograms(function_form)

    def has_loss(self, loss: str) -> bool:
        """Whether an expression stands in for the loss."""
        return loss in EXPRESSIONS

    def illustrates(self, loss: str) -> bool:
        return loss in EXPRESSIONS

    def stand_in(self, loss: str) -> str:
        """The expression, with the names of its parameters."""
        return expression_of(loss) if loss in EXPRESSIONS else ""


class _Refusals:
    """Turns what torch raises into Refused or Unsupported; a context manager without a frame of its own."""

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
    output: torch.Tensor, sources: list[torch.Tensor], grad_output: torch.Tensor, call: Call, is_last: bool
) -> _Gradients:
    results = torch.autograd.grad(
        output, sources, grad_output, retain_graph=not is_last, materialize_grads=True
    )
    pairs = [(numbers_of(gradient), dtype_of(gradient)) for gradient in results]
    return dict(zip(call.wrt, pairs, strict=True))


_PROBES: Mapping[str, Callable[[], Any]] = {
    "torch's default dtype": torch.get_default_dtype,
    "torch's default device": torch.get_default_device,
    "torch's number of threads": torch.get_num_threads,
    "torch's grad mode": torch.is_grad_enabled,
    "torch's inference mode": torch.is_inference_mode_enabled,
    "torch's anomaly mode": torch.is_anomaly_enabled,
    "torch's autocast mode": torch.is_autocast_enabled,
    "torch's use of deterministic algorithms": torch.are_deterministic_algorithms_enabled,
    "torch's precision of matrix products": torch.get_float32_matmul_precision,
    # The random state may change, since modules draw their weights from it.
    "torch's seed": torch.initial_seed,
}

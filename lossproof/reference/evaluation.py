"""Evaluating a loss or its gradient: the front door of the reference.

Parameters and arguments come as NumPy arrays and plain values; ``lift`` decides on which numbers the
formula runs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.numbers.complex_pair import ComplexPair, as_real, real_part
from lossproof.numbers.formats import FORMATS
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.arrays import array_of
from lossproof.reference.catalogue import find_loss
from lossproof.reference.conventions import DERIVATIVE, picking
from lossproof.reference.demands import (
    demand_exact,
    demand_known,
    demand_one_dtype,
    demand_real,
    demand_whole,
)
from lossproof.reference.loss import Loss
from lossproof.reference.promotion import part_dtype, result_dtype
from lossproof.reference.reductions import canonical_reduction
from lossproof.reference.refusals import OptionRefusal
from lossproof.reference.softmax import implicit_dimension
from lossproof.reference.torch_state import in_torch_shape, own_name, with_own_names

Lift = Callable[[npt.ArrayLike], Array]
Float64Array = npt.NDArray[np.float64]


def as_float64(values: npt.ArrayLike) -> Float64Array:
    """The plainest number type."""
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class PreparedCall:
    """A call that the loss accepts, with its defaults filled in; arrays are still NumPy's.

    ``indices`` names the arguments that hold indices. ``dtypes`` are those of the arguments and tensor
    parameters, by torch's names. ``cast`` is the dtype to which the arguments have been rounded, and in which
    everything is computed, if the call states one; gradients are those by the tensors before.
    """

    loss: Loss
    arguments: Mapping[str, npt.NDArray[Any]]
    parameters: Mapping[str, Any]
    indices: tuple[str, ...]
    dtypes: Mapping[str, str]
    cast: str | None = None

    @cached_property
    def dtype(self) -> str:
        """The dtype of the result: the stated one, or by torch's promotion of the tensors that decide it."""
        if self.cast is not None:
            return self.cast
        tensors = {**self.arguments, **self.parameters}
        return result_dtype(
            (self.dtypes[name], 1 if self.loss.counts_numbers else np.ndim(tensors[name]))
            for name in self.loss.typed_by or self.dtypes
        )

    def value(self, lift: Lift = as_float64) -> Array:
        """The loss, on the numbers that ``lift`` makes."""
        with np.errstate(all="ignore"):  # log 0 and overflow are results here, not accidents
            return self.loss.value(**self._lifted(lift))

    def gradient(self, upstream: npt.ArrayLike, lift: Lift = as_float64) -> dict[str, Array]:
        """The gradient of sum(upstream * output), for each differentiable argument and parameter.

        That of a complex argument has the parts of its numbers along a last dimension of 2. What the formula
        leaves open is as the conventions in force pick it.
        """
        loss = self.loss
        is_derivative = loss.convention is not None and loss.convention.picked() == DERIVATIVE
        compute = loss.derivative if is_derivative and loss.derivative is not None else loss.gradient
        with np.errstate(all="ignore"):
            gradients = compute(lift(upstream), **self._lifted(lift))
        # Of a real tensor among complex ones, the real part is the gradient.
        tensors = {**self.arguments, **self.parameters}
        return {
            name: as_real(gradients[name]) if _is_complex(tensors[name]) else real_part(gradients[name])
            for name in self.differentiable
        }

    def derivative(self, upstream: npt.ArrayLike, lift: Lift = as_float64) -> dict[str, Array]:
        """The derivative of sum(upstream * output), also where the gradient is another by convention."""
        convention = self.loss.convention
        with picking({convention.name: DERIVATIVE} if convention else {}):
            return self.gradient(upstream, lift)

    @cached_property
    def differentiable(self) -> tuple[str, ...]:
        """The arguments and tensor parameters of this very call that have a gradient."""
        shapes = {name: np.shape(values) for name, values in self.arguments.items()}
        candidates = {name: self.arguments[name] for name in self.loss.differentiable}
        candidates |= {name: self.parameters[name] for name in self.loss.differentiable_parameters(shapes)}
        # By its dtype: whole numbers that are cast have the values of floating ones.
        return tuple(
            name
            for name, values in candidates.items()
            if values is not None and part_dtype(self.dtypes[name]) in FORMATS
        )

    def _lifted(self, lift: Lift) -> dict[str, Array]:
        lifted = {
            name: values if name in self.indices else _lifted(values, lift)
            for name, values in self.arguments.items()
        }
        for name, value in self.parameters.items():
            is_number = name in self.loss.tensor_parameters or name in self.loss.real_parameters
            lifted[name] = lift(value) if is_number and value is not None else value
        return lifted


def prepare(
    loss: str,
    params: Mapping[str, Any],
    args: Mapping[str, npt.ArrayLike],
    dtypes: Mapping[str, str] | None = None,
) -> PreparedCall:
    """Check a call and fill in its defaults.

    Args:
        loss: a name as in torch.nn, or ``F.name``.
        params: constructor keywords; tensors as arrays.
        args: forward's arguments by name; tensor parameters may stand among them.
        dtypes: what the tensors are meant to have, by torch's names, where that is not what the arrays have:
            NumPy has no bfloat16.

    Returns:
        The call, to be evaluated on any kind of number.

    Raises:
        Refusal: one of its kinds, where the loss does not take the call.

    >>> prepare("L1Loss", {}, {"input": [1.0], "target": [0.5]}).parameters
    {'weight': None, 'reduction': 'mean'}
    """
    found = find_loss(loss)
    given = {**params, **{name: args[name] for name in found.tensor_parameters if name in args}}
    demand_known(found, given, args)
    arguments = {name: array_of(name, args[name]) for name in found.arguments}
    types = {**found.typed_parameters, **found.typed_reductions}
    parameters: dict[str, Any] = {name: option.default for name, option in types.items()}
    parameters |= {name: types[name].accept(name, value) for name, value in given.items()}
    reduction = _reduction(parameters)
    shapes = {name: values.shape for name, values in arguments.items()}
    indices = found.indices(shapes)
    demand_whole(indices, arguments)
    demand_exact({name: values for name, values in arguments.items() if name not in indices})
    arrays = arguments | {name: parameters[name] for name in found.tensor_parameters}
    intended = {} if dtypes is None else dtypes
    actual = {
        name: intended.get(name) or str(array.dtype) for name, array in arrays.items() if array is not None
    }
    # A weight that is written as a list has no dtype of its own.
    typed = {*args, *intended, *(name for name, value in params.items() if hasattr(value, "dtype"))}
    demand_one_dtype([(name, actual[name]) for name in found.alike(shapes) if name in typed])
    demand_real(found, arrays)
    found.refuse(arguments, parameters)
    if advice := found.advise(arguments, parameters | {"reduction": reduction}):
        warnings.warn(advice, stacklevel=2)
    if found.reductions:
        parameters["reduction"] = reduction
    if "dim" in parameters and parameters["dim"] is None:
        parameters["dim"] = _implicit_dimension(arguments["input"])
    cast = parameters.pop("dtype", None)
    if cast is not None:
        arguments = {name: FORMATS[cast].round(values) for name, values in arguments.items()}
    return PreparedCall(found, arguments, parameters, indices, actual, cast)


def forward(
    loss: str,
    params: Mapping[str, Any],
    args: Mapping[str, npt.ArrayLike],
    state: Mapping[str, npt.ArrayLike] | None = None,
) -> Float64Array:
    """The value of a loss, from scratch.

    Args:
        loss: a name as in torch.nn (``CrossEntropyLoss``), or ``F.name`` (``F.cross_entropy``).
        params: constructor keywords by torch's names; tensors as arrays. Of the sizes of a linear layer
            (``in_features``, ...) none is needed, and none may contradict the weights.
        args: forward's arguments by torch's names, as arrays; tensor parameters may stand among them.
        state: what the module holds, by the names of its ``state_dict()`` (``head.weight``), as arrays.

    Returns:
        A float64 array of the shape that torch returns.

    Raises:
        Refusal: where the loss does not take the call.

    >>> print(forward("F.mse_loss", {"reduction": "none"}, {"input": [1.0, -2.0], "target": [0.5, 1.0]}))
    [0.25 9.  ]
    >>> forward("MSELoss", {}, {"input": [1.0, -2.0], "target": [0.5, 1.0, 0.0]})
    Traceback (most recent call last):
    lossproof.reference.refusals.ShapeRefusal: shapes [(2,), (3,)] do not broadcast together
    """
    params, args = with_own_names(find_loss(loss), params, args, state or {})
    return as_float64(prepare(loss, params, args).value())


def gradient(
    loss: str,
    params: Mapping[str, Any],
    args: Mapping[str, npt.ArrayLike],
    wrt: str,
    state: Mapping[str, npt.ArrayLike] | None = None,
) -> Float64Array:
    """The gradient of the sum of a loss's output, in closed form.

    Args:
        loss, params, args, state: as for ``forward``.
        wrt: the argument or tensor parameter to differentiate by; also a name of ``state_dict()``.

    Returns:
        A float64 array of that argument's shape; of a complex argument, with the parts of its numbers along
        a last dimension of 2.

    Raises:
        Refusal: where the loss does not take the call, or has no gradient with respect to ``wrt``.

    >>> print(gradient("MSELoss", {}, {"input": [1.0, -2.0], "target": [0.5, 1.0]}, wrt="target"))
    [-0.5  3. ]
    """
    found = find_loss(loss)
    params, args = with_own_names(found, params, args, state or {})
    call = prepare(loss, params, args)
    name = own_name(found, wrt)
    if name not in call.differentiable:
        known = ", ".join(call.differentiable)
        raise OptionRefusal(f"{loss} has no gradient with respect to '{wrt}'; it has one for {known}")
    return in_torch_shape(wrt, as_float64(call.gradient(np.ones(call.value().shape))[name]))


def _lifted(values: Array, lift: Lift) -> Array:
    is_array = isinstance(values, np.ndarray) and _is_complex(values)
    return ComplexPair(lift(values.real), lift(values.imag)) if is_array else lift(values)


def _is_complex(values: Array) -> bool:
    return isinstance(values, ComplexPair) or (isinstance(values, np.ndarray) and values.dtype.kind == "c")


def _reduction(parameters: dict[str, Any]) -> str:
    """Take the reduction out of ``parameters``, mapping the legacy pair, which overrides it."""
    reduction = str(parameters.pop("reduction", "mean"))
    size_average, reduce = parameters.pop("size_average", None), parameters.pop("reduce", None)
    if size_average is not None or reduce is not None:
        reduction = canonical_reduction(reduction, size_average, reduce)
        message = f"size_average and reduce are superseded: use reduction='{reduction}'"
        warnings.warn(ReferenceWarning(message), stacklevel=3)
    return reduction


def _implicit_dimension(input: npt.NDArray[Any]) -> int:
    """Which dimension softmax takes when none is given: torch's deprecated guess."""
    message = "softmax without dim guesses the dimension; name it"
    warnings.warn(ReferenceWarning(message), stacklevel=3)
    return implicit_dimension(input.ndim)

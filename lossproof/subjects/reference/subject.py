"""The reference in float64 as a subject, judged against the balls like any other."""

from __future__ import annotations

import warnings
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.formats import Float64Array
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.evaluation import PreparedCall, as_float64, prepare
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Call, Observation, Refused, SeenWarning, Values, changed_since, dtypes_of
from lossproof.subjects.program import Programs
from lossproof.subjects.reference.programs import ReferencePrograms
from lossproof.subjects.subject import Subject


class ReferenceSubject(Subject):
    """NumPy float64 in any layout: arrays are read-only views, so that a write would raise.

    A result whose tensors promote to a narrower dtype reports that dtype, but is not rounded to it.
    """

    name = "reference"
    is_foreign = False
    dtypes: tuple[str, ...] = ("float64",)
    shows_steps = True
    programs: Programs | None = ReferencePrograms()

    def version(self) -> str:
        """The version of the suite, since the reference has no releases of its own."""
        return _version()

    def run(self, call: Call) -> Observation:
        """Run the closed forms, with the layout made of NumPy strides."""
        params = {name: _array(value, call.layout) for name, value in call.params.items()}
        args = {name: _array(value, call.layout) for name, value in call.args.items()}
        if call.reduction is not None:
            params["reduction"] = call.reduction
        arrays = args | {name: value for name, value in params.items() if isinstance(value, np.ndarray)}
        before = {name: np.array(numbers) for name, numbers in arrays.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                prepared = prepare(call.loss, params, args, dtypes_of(call))
            except Refusal as refusal:
                raise Refused(type(refusal).__name__, str(refusal), "call", refusal.kind) from None
            value = as_float64(prepared.value())
            upstreams = [upstream for upstream in call.upstreams if upstream.shape == value.shape]
            gradients = tuple(_gradients(prepared, upstream, call.wrt) for upstream in upstreams)
        observed_warnings = tuple(_observed_warning(warning.message) for warning in caught)
        return Observation(value, prepared.dtype, gradients, changed_since(before, arrays), observed_warnings)


def _gradients(
    prepared: PreparedCall, upstream: Float64Array, wrt: tuple[str, ...]
) -> dict[str, Float64Array]:
    gradients = prepared.gradient(upstream) if wrt else {}
    return {name: np.asarray(gradients[name]) for name in wrt}


@cache  # each trial asks
def _version() -> str:
    return version("lossproof")


def _array(value: Any, layout: str) -> Any:
    if not isinstance(value, Values):
        return value
    laid_out = _laid_out(np.asarray(value.numbers), layout)
    laid_out.flags.writeable = False
    return laid_out


def _laid_out(numbers: npt.NDArray[Any], layout: str) -> npt.NDArray[Any]:
    if layout == "transposed" and numbers.ndim:
        return np.asfortranarray(numbers).view()
    if layout == "strided" and numbers.ndim:
        return np.repeat(numbers, 2, axis=-1)[..., ::2]
    return np.array(numbers)


def _observed_warning(warning: Warning | str) -> SeenWarning:
    types = tuple(ancestor.__name__ for ancestor in type(warning).__mro__)
    return SeenWarning(types, str(warning), warning.kind if isinstance(warning, ReferenceWarning) else None)
